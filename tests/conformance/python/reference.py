"""ONNX Runtime in this process, whose outputs the server's must equal."""

import ctypes
import json

import ml_dtypes
import numpy
import onnxruntime
from onnx import TensorProto

# The protocol's names of ONNX Runtime's types.
DATATYPES = {
    "tensor(bool)": "BOOL",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(float16)": "FP16",
    "tensor(bfloat16)": "BF16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
}


class Model:
    """A model in this process, with one thread as in the server."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.inputs = {i.name: DATATYPES.get(i.type, i.type) for i in self.session.get_inputs()}
        self.outputs = {o.name: DATATYPES.get(o.type, o.type) for o in self.session.get_outputs()}

    def unserved(self):
        """The types that the server does not serve. The protocol has tensors only; an output may also be a sequence or a
        map, which the server returns as JSON."""
        served = set(DATATYPES.values())
        kinds = set(self.inputs.values()) - served
        return kinds | {o for o in set(self.outputs.values()) - served if not o.startswith(("seq(", "map("))}

    def run(self, inputs):
        """Returns the outputs by name. The Python package takes no BF16 arrays, so a BF16 tensor is passed as its memory."""
        if "BF16" not in (*self.inputs.values(), *self.outputs.values()):
            # ONNX Runtime has strings; it would read bytes as their repr.
            words = {n: numpy.vectorize(text, otypes=[object])(v) if v.dtype == object and v.size else v for n, v in inputs.items()}
            return dict(zip(self.outputs, self.session.run(None, words)))
        values = {n: numpy.ascontiguousarray(v).reshape(v.shape) for n, v in inputs.items()}
        ort_values = {n: ort_value(v) for n, v in values.items()}  # they use the memory of values
        return dict(zip(self.outputs, map(array, self.session.run_with_ort_values(None, ort_values))))


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def ort_value(value):
    if value.dtype == ml_dtypes.bfloat16:
        return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(value.view(numpy.uint16), TensorProto.BFLOAT16)
    return onnxruntime.OrtValue.ortvalue_from_numpy(value)


def array(value):
    if value.data_type() != "tensor(bfloat16)":
        return value.numpy()
    memory = ctypes.string_at(value.data_ptr(), value.tensor_size_in_bytes())
    return numpy.frombuffer(memory, ml_dtypes.bfloat16).reshape(value.shape())


def assert_same(got, want, ulps=0):
    """Asserts that the server's output equals ONNX Runtime's; a sequence or a map arrives as JSON documents. Sums may
    differ by some ulps of the largest value: the alignment of memory decides the order in which vectors are added."""
    if not isinstance(want, numpy.ndarray):
        documents = [json.loads(text(document)) for document in numpy.asarray(got).flatten()]
        assert len(documents) == len(want)
        for document, element in zip(documents, want):
            assert_document(document, element, ulps)
        return
    got = numpy.asarray(got)
    assert got.shape == want.shape
    if want.dtype == object:
        assert [text(v) for v in got.flatten()] == [text(v) for v in want.flatten()]
        return
    assert got.dtype == want.dtype
    if want.dtype.kind in "biu":
        numpy.testing.assert_array_equal(got, want)
        return
    assert_close(got.astype(numpy.float64), want.astype(numpy.float64), ulps * float(ml_dtypes.finfo(want.dtype).eps))


def assert_close(got, want, tolerance):
    largest = numpy.abs(want, where=numpy.isfinite(want), out=numpy.zeros_like(want)).max(initial=0)
    numpy.testing.assert_allclose(got, want, rtol=0, atol=largest * tolerance)
    zeros = (got == 0) & (want == 0)  # their signs must be equal too
    numpy.testing.assert_array_equal(numpy.signbit(got[zeros]), numpy.signbit(want[zeros]))


def assert_document(document, want, ulps):
    if isinstance(want, dict):
        assert document.keys() == {str(key) for key in want}
        assert [numpy.float32(value) for value in document.values()] == [numpy.float32(value) for value in want.values()]
    elif want.dtype == object:
        assert numpy.array(document, dtype=object).tolist() == want.tolist()
    else:
        assert_same(numpy.array(document, dtype=want.dtype).reshape(want.shape), want, ulps)
