"""The server's output of every type and rank in every encoding equals ONNX Runtime's."""

import grpc
import ml_dtypes
import numpy
import pytest
import reference
import samples
import wires

ENCODINGS = ["REST JSON", "REST binary", "gRPC typed", "gRPC raw"]
IDENTITIES = [(datatype, rank, shape) for datatype in samples.NUMPY for rank, shapes in samples.SHAPES.items() for shape in shapes]


@pytest.fixture(scope="module")
def encodings(server):
    return wires.all_of(server)


def supported(name, datatype):
    """Whether an encoding supports a type; tests below cover those that do not."""
    return not (name == "gRPC typed" and datatype not in wires.FIELDS or name == "REST JSON" and datatype == "BF16")


def check(encoding, reference_of, name, inputs, ulps=0):
    model = reference_of(name)
    got = encoding.infer(name, inputs, model.inputs)
    want = model.run(inputs)
    assert list(got) == list(want)
    for output, value in want.items():
        # JSON has no BF16: the response has FP32, which represents it exactly.
        exact = got[output].astype(value.dtype) if got[output].dtype == numpy.float32 and value.dtype == ml_dtypes.bfloat16 else got[output]
        reference.assert_same(exact, value, ulps)


@pytest.mark.parametrize("name, datatype, rank, shape", [(name, *case) for name in ENCODINGS for case in IDENTITIES if supported(name, case[0])])
def test_identity(name, datatype, rank, shape, encodings, reference_of):
    check(encodings[name], reference_of, f"{datatype}_{rank}", {"x": samples.sample(datatype, shape)})


@pytest.mark.parametrize("name, datatype", [(n, d) for n in ENCODINGS[1:] for d in ("FP16", "BF16", "FP32", "FP64") if supported(n, d)])
def test_not_finite(name, datatype, encodings, reference_of):
    """JSON cannot represent these numbers."""
    check(encodings[name], reference_of, f"{datatype}_1", {"x": numpy.array([numpy.nan, numpy.inf, -numpy.inf]).astype(samples.NUMPY[datatype])})


@pytest.mark.parametrize("datatype", ["FP16", "BF16"])
def test_typed_half(datatype, encodings):
    """No typed field exists for 16-bit floats: the error names the field to use."""
    with pytest.raises(grpc.RpcError) as refused:
        request = wires.service_pb2.ModelInferRequest(model_name=f"{datatype}_1")
        request.inputs.add(name="x", datatype=datatype, shape=[1]).contents.fp32_contents.append(1)
        encodings["gRPC typed"].stub.ModelInfer(request)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "raw_input_contents" in refused.value.details()


def test_json_bf16(encodings):
    """JSON does not support BF16 either, in Triton's client or here."""
    with pytest.raises(AssertionError, match="binary"):
        encodings["REST JSON"].infer("BF16_1", {"x": samples.sample("BF16", (1,))}, {"x": "BF16"})


@pytest.mark.parametrize("name", ENCODINGS)
def test_nul(name, encodings):
    """A string may have NUL, at which C's strings end."""
    (got,) = encodings[name].infer("BYTES_1", {"x": numpy.array([b"a\0b", b"\0"], dtype=object)}, {"x": "BYTES"}).values()
    assert list(got) == [b"a\0b", b"\0"]


def floats(*shape):
    return numpy.linspace(-3, 7, num=int(numpy.prod(shape)), dtype=numpy.float32).reshape(shape)


MODELS = {
    "add_sub": {name: numpy.arange(32, dtype=numpy.int32).reshape(2, 16) * factor for name, factor in [("INPUT0", 3), ("INPUT1", -7)]},
    "constant_1": {"x": floats(4, 1)},
    "empty": {"x": numpy.zeros(3, numpy.float32)},
    "fixed_image": {"image": floats(1, 3, 224, 224)},
    "gather": {"index": numpy.array([3, -4, 0])},
    "names": {"petal length": floats(5), "длина лепестка": floats(5)[::-1].copy()},
    "scalar_bytes": {"x": numpy.array("花びら".encode(), dtype=object)},
    "scalar_fp16": {"x": numpy.array(0.1, numpy.float16)},
    "scalar_fp32": {"x": numpy.array(0.1, numpy.float32)},
    "scalar_int64": {"x": numpy.array(-(2**63))},
    "sequence": {"x": floats(5, 2)},
    "slow": {"n": numpy.array([1])},
    "static_batch": {"x": floats(1, 4)},
    "zipmap": {"X": numpy.array([[6.8, 2.8, 4.8, 1.4], [5.1, 3.5, 1.4, 0.2]], numpy.float32)},
    "zipmap_strings": {"X": numpy.array([[6.8, 2.8, 4.8, 1.4], [5.1, 3.5, 1.4, 0.2]], numpy.float32)},
}


@pytest.mark.parametrize("name, model", [(n, m) for n in ENCODINGS for m in MODELS if (n, m) != ("gRPC typed", "scalar_fp16")])
def test_model(name, model, encodings, reference_of):
    check(encodings[name], reference_of, model, MODELS[model], ulps=4)
