"""The ONNX standard's tests of nodes and of small models, from the package onnx."""

from pathlib import Path
from typing import NamedTuple

import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests


class Case(NamedTuple):
    """A model, values of its inputs, and the outputs that the standard expects."""

    name: str
    model: onnx.ModelProto
    inputs: list
    outputs: list
    rtol: float
    atol: float


def cases():
    """All cases, sorted by name."""
    tests = [test for kind in ("node", "simple", "pytorch-converted", "pytorch-operator") for test in load_model_tests(kind=kind)]
    return [case(test) for test in sorted(tests, key=lambda test: test.name)]


def case(test):
    folder = Path(test.model_dir)
    model = onnx.load(folder / "model.onnx")
    data = folder / "test_data_set_0"
    inputs = [read(data / f"input_{i}.pb", v.type) for i, v in enumerate(model.graph.input) if (data / f"input_{i}.pb").exists()]
    outputs = [read(data / f"output_{i}.pb", v.type) for i, v in enumerate(model.graph.output)]
    return Case(test.name, model, inputs, outputs, test.rtol, test.atol)


def read(path, kind):
    """A tensor or a list of tensors. An optional value is None: the protocol has no such type, so no test uses it."""
    body = path.read_bytes()
    if kind.HasField("sequence_type"):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(body))
    return numpy_helper.to_array(onnx.TensorProto.FromString(body)) if kind.HasField("tensor_type") else None
