"""Writes the models of the tests whose rows are not where they seem to be, each the smallest that shows it."""

import logging
import tempfile
from pathlib import Path

import numpy
import onnx
from files import encode, main
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from testmodels import FP32, INT64, TESTDATA, constant, model, node, tensor

BATCH, TIME = "batch", "time"


def weights(name, *shape):
    """Numbers that are all different and repeat on every run."""
    return numpy_helper.from_array(numpy.random.default_rng(1).normal(size=shape).astype(numpy.float32), name)


def targets():
    """Three numbers of each row of x, a row for each number: y has the shape [3,rows]."""
    return model(
        "targets",
        [tensor("x", FP32, [None, 4])],
        [node("MatMul", ["x", "w"], ["xw"]), node("Transpose", ["xw"], ["y"], perm=[1, 0])],
        [tensor("y", FP32, [3, None])],
        [weights("w", 4, 3)],
    )


def target_sequence():
    """Two probabilities of each row for each of three targets, in a sequence of the targets as scikit-learn's
    MultiOutputClassifier has them."""
    piece = helper.make_tensor_type_proto(FP32, [None, 2])
    nodes = [node("MatMul", ["x", "w"], ["xw"]), node("Split", ["xw"], ["a", "b", "c"], axis=1, num_outputs=3)]
    return model(
        "target_sequence",
        [tensor("x", FP32, [None, 4])],
        [*nodes, node("SequenceConstruct", ["a", "b", "c"], ["y"])],
        [helper.make_value_info("y", helper.make_sequence_type_proto(piece))],
        [weights("w", 4, 6)],
    )


def recognizer():
    """Reads lines as text recognition does: three classes for each step of the width, y is [time,rows,classes]."""
    return model(
        "recognizer",
        [tensor("x", FP32, [None, 2, None])],
        [node("Transpose", ["x"], ["steps"], perm=[2, 0, 1]), node("MatMul", ["steps", "w"], ["y"])],
        [tensor("y", FP32, [None, None, 3])],
        [weights("w", 2, 3)],
    )


def recurrent(name, batch, time):
    """A GRU of one layer over [time,rows,2] with its state, which is [layers,rows,3], given and returned."""
    hidden = [1, batch, 3]
    return model(
        name,
        [tensor("x", FP32, [time, batch, 2]), tensor("h0", FP32, hidden)],
        [
            node("GRU", ["x", "w", "r", "", "", "h0"], ["steps", "hn"], hidden_size=3),
            node("Squeeze", ["steps", "direction"], ["y"]),
        ],
        [tensor("y", FP32, [time, batch, 3]), tensor("hn", FP32, hidden)],
        [weights("w", 1, 9, 2), weights("r", 1, 9, 3), constant("direction", INT64, [1])],
    )


def threshold():
    """Whether the elements of x are above a number that all rows have in common."""
    return model(
        "threshold",
        [tensor("x", FP32, [None, 2]), tensor("threshold", FP32, [])],
        [node("Greater", ["x", "threshold"], ["y"])],
        [tensor("y", TensorProto.BOOL, [None, 2])],
    )


def offset():
    """x plus an offset for each place in a row, which all rows have in common."""
    return model(
        "offset",
        [tensor("x", FP32, [None, None]), tensor("offset", FP32, [None])],
        [node("Add", ["x", "offset"], ["y"])],
        [tensor("y", FP32, [None, None])],
    )


def labelled():
    """Three scores of each row and the names of the three classes, which belong to no row."""
    return model(
        "labelled",
        [tensor("x", FP32, [None, 4])],
        [node("MatMul", ["x", "w"], ["scores"]), node("Identity", ["names"], ["classes"])],
        [tensor("scores", FP32, [None, 3]), tensor("classes", TensorProto.STRING, [3])],
        [weights("w", 4, 3), constant("names", TensorProto.STRING, [b"a", b"b", b"c"])],
    )


def one_label():
    """The largest of four numbers of each row. It declares one label, as LightGBM's converter does."""
    return model(
        "one_label",
        [tensor("x", FP32, [None, 4])],
        [node("ArgMax", ["x"], ["label"], axis=1, keepdims=0)],
        [tensor("label", INT64, [1])],
    )


def shares():
    """The share of each row in the sum of all: what a row gives depends on the others."""
    return model(
        "shares",
        [tensor("x", FP32, [None])],
        [node("Softmax", ["x"], ["y"], axis=0)],
        [tensor("y", FP32, [None])],
    )


def fixed(name, axis):
    """The sums of three rows of four along an axis: one for each row, or one for each column."""
    return model(
        name,
        [tensor("x", FP32, [3, 4])],
        [node("ReduceSum", ["x", "axes"], ["sum"], keepdims=0), node("Slice", ["sum", "zero", "three"], ["y"])],
        [tensor("y", FP32, [3])],
        [constant("axes", INT64, [axis]), constant("zero", INT64, [0]), constant("three", INT64, [3])],
    )


def no_inputs():
    """The names of two classes."""
    return model(
        "no_inputs",
        [],
        [node("Identity", ["names"], ["labels"])],
        [tensor("labels", TensorProto.STRING, [2])],
        [constant("names", TensorProto.STRING, [b"cat", b"dog"])],
    )


def tokens():
    """The mean of the embeddings of a text's tokens, of which there are 50, at up to 20 positions; the mask says
    which count. The names of the dimensions are those of transformers."""
    shape = [BATCH, "sequence"]
    return model(
        "tokens",
        [tensor("ids", INT64, shape), tensor("mask", INT64, shape)],
        [
            node("Gather", ["words", "ids"], ["embedded"]),
            node("Shape", ["ids"], ["length"], start=1, end=2),
            node("Squeeze", ["length"], ["count"]),
            node("Range", ["zero", "count", "one"], ["places"]),
            node("Gather", ["positions", "places"], ["placed"]),
            node("Add", ["embedded", "placed"], ["both"]),
            node("Cast", ["mask"], ["weight"], to=FP32),
            node("Unsqueeze", ["weight", "last"], ["weights"]),
            node("Mul", ["both", "weights"], ["masked"]),
            node("ReduceMax", ["masked", "middle"], ["y"], keepdims=0),
        ],
        [tensor("y", FP32, [BATCH, 4])],
        [
            weights("words", 50, 4),
            weights("positions", 20, 4),
            constant("zero", INT64, [0], []),
            constant("one", INT64, [1], []),
            constant("middle", INT64, [1]),
            constant("last", INT64, [2]),
        ],
    )


def quantized():
    """Embeddings of 100 tokens, an LSTM and a layer, quantized dynamically: the scale of what goes into a product is
    that of the whole batch. The tokens 0 and 1 are padding, as is usual, so that they show nothing of it."""
    words = numpy_helper.to_array(weights("words", 100, 8)).copy()
    words[:2] = 0
    exact = model(
        "quantized",
        [tensor("ids", INT64, [BATCH, TIME])],
        [
            node("Gather", ["words", "ids"], ["embedded"]),
            node("Transpose", ["embedded"], ["steps"], perm=[1, 0, 2]),
            node("LSTM", ["steps", "w", "r"], ["", "hn"], hidden_size=8),
            node("Squeeze", ["hn", "direction"], ["last"]),
            node("MatMul", ["last", "dense"], ["y"]),
        ],
        [tensor("y", FP32, [BATCH, 2])],
        [
            numpy_helper.from_array(words, "words"),
            weights("w", 1, 32, 8),
            weights("r", 1, 32, 8),
            weights("dense", 8, 2),
            constant("direction", INT64, [0]),
        ],
    )
    logging.getLogger().setLevel(logging.ERROR)  # it recommends steps that a larger model needs
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "before.onnx", Path(folder) / "after.onnx"
        onnx.save(exact, before)
        quantize_dynamic(before, after, weight_type=QuantType.QInt8, op_types_to_quantize=["LSTM", "MatMul"])
        small = onnx.load(after)
    small.graph.name = "quantized"
    return small


def models():
    yield from (targets(), target_sequence(), recognizer(), threshold(), offset(), labelled(), one_label(), shares())
    yield recurrent("recurrent", None, None)
    yield recurrent("recurrent_named", BATCH, TIME)
    yield fixed("fixed_rows", 1)
    yield fixed("fixed_columns", 0)
    yield from (no_inputs(), tokens(), quantized())


if __name__ == "__main__":
    main(__doc__, {TESTDATA / f"{m.graph.name}.onnx": encode(m) for m in models()})
