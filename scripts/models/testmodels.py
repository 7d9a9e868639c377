"""Writes the models of the tests, each the smallest that shows one property."""

import iris
import numpy
import onnx
from files import IR_VERSION, OPSET, ROOT, encode, main
from onnx import TensorProto, helper

TESTDATA = ROOT / "server/onnx/onnxtest/testdata"

# The keys are the Open Inference Protocol's names, in lower case.
DATATYPES = {
    "bool": TensorProto.BOOL,
    "int8": TensorProto.INT8,
    "int16": TensorProto.INT16,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "uint8": TensorProto.UINT8,
    "uint16": TensorProto.UINT16,
    "uint32": TensorProto.UINT32,
    "uint64": TensorProto.UINT64,
    "fp16": TensorProto.FLOAT16,
    "bf16": TensorProto.BFLOAT16,
    "fp32": TensorProto.FLOAT,
    "fp64": TensorProto.DOUBLE,
    "bytes": TensorProto.STRING,
}
FP32, INT64 = TensorProto.FLOAT, TensorProto.INT64

EXTERNAL_DATA = "external.data"

# The iterations of slow's loop that take about a millisecond.
ROUNDS_PER_N = 1000


def tensor(name, datatype, shape):
    """An input or output; None in the shape is a dimension of any size."""
    return helper.make_tensor_value_info(name, datatype, shape)


def constant(name, datatype, values, shape=None):
    return helper.make_tensor(name, datatype, [len(values)] if shape is None else shape, values)


def model(name, inputs, nodes, outputs, constants=()):
    graph = helper.make_graph(nodes, name, inputs, outputs, constants)
    opset = [helper.make_opsetid("", OPSET[""])]
    return helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, **attributes)


def identity(name, datatype, shape):
    """y = x."""
    return model(name, [tensor("x", datatype, shape)], [node("Identity", ["x"], ["y"])], [tensor("y", datatype, shape)])


def plus(name, shape, amount):
    """y = x + amount."""
    return model(
        name,
        [tensor("x", FP32, shape)],
        [node("Add", ["x", "amount"], ["y"])],
        [tensor("y", FP32, shape)],
        [constant("amount", FP32, [amount], [])],
    )


def scaled(name, shape):
    """y = x * scale + shift: two inputs have defaults, so a request need not give them."""
    defaults = [constant("scale", FP32, [10]), constant("shift", FP32, [0])]
    return model(
        name,
        [tensor("x", FP32, shape), tensor("scale", FP32, [1]), tensor("shift", FP32, [1])],
        [node("Mul", ["x", "scale"], ["product"]), node("Add", ["product", "shift"], ["y"])],
        [tensor("y", FP32, shape)],
        defaults,
    )


def add_sub():
    """Two inputs and two outputs, as in Triton's example "simple"."""

    def pair(name):
        return [tensor(f"{name}{i}", TensorProto.INT32, [None, 16]) for i in (0, 1)]

    return model(
        "add_sub",
        pair("INPUT"),
        [node("Add", ["INPUT0", "INPUT1"], ["OUTPUT0"]), node("Sub", ["INPUT0", "INPUT1"], ["OUTPUT1"])],
        pair("OUTPUT"),
    )


def names():
    """The sum and the difference, with names that are not ASCII words."""
    a, b, total, difference = "petal length", "длина лепестка", "合計", 'a "difference" \\ b'
    return model(
        "names",
        [tensor(a, FP32, [None]), tensor(b, FP32, [None])],
        [node("Add", [a, b], [total]), node("Sub", [a, b], [difference])],
        [tensor(total, FP32, [None]), tensor(difference, FP32, [None])],
    )


def sequence():
    """The rows of x in a sequence of tensors, two in each and the rest in the last."""
    piece = helper.make_tensor_type_proto(FP32, [None, 2])
    return model(
        "sequence",
        [tensor("x", FP32, [None, 2])],
        [node("SplitToSequence", ["x", "two"], ["y"], axis=0)],
        [helper.make_value_info("y", helper.make_sequence_type_proto(piece))],
        [constant("two", INT64, [2], [])],
    )


def gather():
    """Looks up an index in 10, 20, 30 and 40; the run fails for one outside [-4,3]."""
    return model(
        "gather",
        [tensor("index", INT64, [None])],
        [node("Gather", ["table", "index"], ["y"])],
        [tensor("y", FP32, [None])],
        [constant("table", FP32, [10, 20, 30, 40])],
    )


def slow():
    """y = n, after about n milliseconds on one core: it counts to ROUNDS_PER_N * n
    in steps of one and divides. A run can be stopped between the iterations."""
    body = helper.make_graph(
        [node("Identity", ["go_on"], ["still"]), node("Add", ["count", "one"], ["counted"])],
        "round",
        [tensor("round", INT64, []), tensor("go_on", TensorProto.BOOL, []), tensor("count", INT64, [1])],
        [tensor("still", TensorProto.BOOL, []), tensor("counted", INT64, [1])],
    )
    return model(
        "slow",
        [tensor("n", INT64, [1])],
        [
            node("Mul", ["n", "rounds"], ["trips"]),
            node("Squeeze", ["trips"], ["trip_count"]),
            node("Loop", ["trip_count", "", "zero"], ["total"], body=body),
            node("Div", ["total", "rounds"], ["y"]),
        ],
        [tensor("y", INT64, [1])],
        [constant("rounds", INT64, [ROUNDS_PER_N]), constant("zero", INT64, [0]), constant("one", INT64, [1])],
    )


def empty():
    """The indices where x is not zero; if all are zero, y is empty with shape [1,0]."""
    return model("empty", [tensor("x", FP32, [None])], [node("NonZero", ["x"], ["y"])], [tensor("y", INT64, [1, None])])


def unique():
    """The different numbers of x: fewer rows than x has when two are the same."""
    return model(
        "unique",
        [tensor("x", FP32, [None])],
        [node("Unique", ["x"], ["y"], sorted=0)],
        [tensor("y", FP32, [None])],
    )


def fill():
    """y has the shape that a request gives: 16 bytes may ask for gigabytes."""
    return model(
        "fill",
        [tensor("shape", INT64, [2])],
        [node("ConstantOfShape", ["shape"], ["y"])],
        [tensor("y", FP32, [None, None])],
    )


def deaf():
    """y is the sum of a product of two matrices of n rows and columns, all ones. The
    product is one kernel, which does not look whether the run is to end: for n = 1000
    it takes seconds."""
    one = helper.make_tensor("value", INT64, [1], [1])
    return model(
        "deaf",
        [tensor("n", INT64, [1])],
        [
            node("Concat", ["n", "n"], ["shape"], axis=0),
            node("ConstantOfShape", ["shape"], ["ones"], value=one),
            node("MatMul", ["ones", "ones"], ["product"]),
            node("ReduceSum", ["product"], ["sum"], keepdims=0),
            node("Reshape", ["sum", "vector"], ["y"]),
        ],
        [tensor("y", INT64, [1])],
        [constant("vector", INT64, [1])],
    )


def external():
    """y = x + w, with the four weights in a second file, as a model of more than
    2 GB needs."""
    weights = numpy.array([1, 2, 3, 4], dtype="<f4").tobytes()
    w = TensorProto(name="w", data_type=FP32, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": EXTERNAL_DATA, "offset": 0, "length": len(weights)}.items():
        w.external_data.add(key=key, value=str(value))
    shape = [None, 4]
    return model("external", [tensor("x", FP32, shape)], [node("Add", ["x", "w"], ["y"])], [tensor("y", FP32, shape)], [w]), weights


def fixed_image():
    """The mean of each channel of one image: a large input and a small output."""
    return model(
        "fixed_image",
        [tensor("image", FP32, [1, 3, 224, 224])],
        [node("ReduceMean", ["image", "axes"], ["mean"], keepdims=0)],
        [tensor("mean", FP32, [1, 3])],
        [constant("axes", INT64, [2, 3])],
    )


def models():
    for name, datatype in DATATYPES.items():
        yield identity(f"identity_{name}", datatype, [None, None])
    for name in ("fp32", "fp16", "int64", "bytes"):
        yield identity(f"scalar_{name}", DATATYPES[name], [])
    # Two versions of one model, which differ in their outputs.
    yield plus("constant_1", [None, 1], 1)
    yield plus("constant_2", [None, 1], 2)
    yield scaled("scaled", [None, 1])
    yield plus("static_batch", [1, 4], 1)
    yield from (add_sub(), names(), sequence(), gather(), slow(), empty(), unique(), fill(), deaf(), fixed_image())


def classifiers():
    """The iris classifier with skl2onnx's defaults, with numbers and with words as classes."""
    yield "zipmap", iris.export(iris.train(), zipmap=True)
    words = numpy.array(["setosa", "versicolor", "virginica"])
    yield "zipmap_strings", iris.export(iris.train(words), zipmap=True)


if __name__ == "__main__":
    made: dict[str, onnx.ModelProto] = {m.graph.name: m for m in models()} | dict(classifiers())
    files = {TESTDATA / f"{name}.onnx": encode(m) for name, m in made.items()}
    graph, weights = external()
    files[TESTDATA / "external.onnx"] = encode(graph, {EXTERNAL_DATA: weights})
    files[TESTDATA / EXTERNAL_DATA] = weights
    files[TESTDATA / "corrupt.onnx"] = b"This is no ONNX model.\n"
    main(__doc__, files)
