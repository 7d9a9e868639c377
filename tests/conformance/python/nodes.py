"""The node tests of the ONNX standard, and its tests of small models, as the package onnx has them."""

from pathlib import Path
from typing import NamedTuple

import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests


class Case(NamedTuple):
    """One model, values for its inputs, and what the standard wants of its outputs."""

    name: str
    model: onnx.ModelProto
    inputs: list
    outputs: list
    rtol: float
    atol: float


def cases():
    """All of them, by name."""
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
    """A tensor, or a list of them. An optional value is None: the protocol has none, so nobody asks for it."""
    body = path.read_bytes()
    if kind.HasField("sequence_type"):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(body))
    return numpy_helper.to_array(onnx.TensorProto.FromString(body)) if kind.HasField("tensor_type") else None
