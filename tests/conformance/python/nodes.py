"""The node tests of the ONNX standard, and its tests of small models, as the package onnx has them."""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy
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
    """All of them, by name. What is no tensor (a sequence, an optional value) stays as the package has it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # overflows and the like that the cases are about
        tests = [test for kind in ("node", "simple", "pytorch-converted", "pytorch-operator") for test in load_model_tests(kind=kind)]
    return [stored(test) if test.model_dir else generated(test) for test in sorted(tests, key=lambda test: test.name)]


def generated(test):
    inputs, outputs = test.data_sets[0]
    return Case(test.name, test.model, [value(v) for v in inputs], [value(v) for v in outputs], test.rtol, test.atol)


def stored(test):
    folder = Path(test.model_dir)
    model = onnx.load(folder / "model.onnx")
    data = folder / "test_data_set_0"
    inputs = [read(data / f"input_{i}.pb", v.type) for i, v in enumerate(model.graph.input) if (data / f"input_{i}.pb").exists()]
    outputs = [read(data / f"output_{i}.pb", v.type) for i, v in enumerate(model.graph.output)]
    return Case(test.name, model, inputs, outputs, test.rtol, test.atol)


def value(v):
    if isinstance(v, onnx.TensorProto):
        return numpy_helper.to_array(v)
    return numpy.asarray(v) if isinstance(v, numpy.generic) else v


def read(path, kind):
    if kind.HasField("sequence_type"):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(path.read_bytes()))
    return numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes()))
