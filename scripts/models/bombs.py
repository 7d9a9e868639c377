"""Writes models that crash, exhaust or never end what opens them. Nothing here opens
one: a trial must."""

from files import IR_VERSION, OPSET, ROOT, main
from onnx import TensorProto, helper

BOMBS = ROOT / "server/trial/testdata"
FP32 = TensorProto.FLOAT


def tensor(name, shape):
    return helper.make_tensor_value_info(name, FP32, shape)


def model(inputs, nodes, outputs, constants=(), functions=()):
    graph = helper.make_graph(nodes, "bomb", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", OPSET[""]), *([helper.make_opsetid("f", 1)] if functions else [])]
    made = helper.make_model(graph, opset_imports=opsets, functions=functions, ir_version=IR_VERSION)
    made.ClearField("producer_name")
    return made.SerializeToString(deterministic=True)


def functions():
    """Functions that each call the one before twice: 2^32 nodes when they are inlined."""
    imports = [helper.make_opsetid("", OPSET[""]), helper.make_opsetid("f", 1)]
    levels = [helper.make_function("f", "0", ["x"], ["y"], [helper.make_node("Neg", ["x"], ["y"])], imports)]
    for level in range(1, 33):
        before = str(level - 1)
        nodes = [helper.make_node(before, ["x"], ["z"], domain="f"), helper.make_node(before, ["z"], ["y"], domain="f")]
        levels.append(helper.make_function("f", str(level), ["x"], ["y"], nodes, imports))
    return model([tensor("x", [1])], [helper.make_node("32", ["x"], ["y"], domain="f")], [tensor("y", [1])], functions=levels)


def folding():
    """A constant whose computation takes days and 64 MB."""
    shape = helper.make_tensor("shape", TensorProto.INT64, [4], [1, 1, 4000, 4000])
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("AveragePool", ["zeros"], ["mean"], kernel_shape=[2000, 2000]),
        helper.make_node("Add", ["x", "mean"], ["y"]),
    ]
    return model([tensor("x", [1])], nodes, [tensor("y", [1, 1, 2001, 2001])], [shape])


def huge_input():
    """An input of 2^46 elements, which a warm-up run makes."""
    return model([tensor("x", [2**46])], [helper.make_node("Neg", ["x"], ["y"])], [tensor("y", [2**46])])


def greedy():
    """A run that takes 64 GiB."""
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [2**17, 2**17])
    return model([tensor("x", [1])], [helper.make_node("Expand", ["x", "shape"], ["y"])], [tensor("y", [2**17, 2**17])], [shape])


if __name__ == "__main__":
    main(__doc__, {BOMBS / f"{bomb.__name__}.onnx": bomb() for bomb in (functions, folding, huge_input, greedy)})
