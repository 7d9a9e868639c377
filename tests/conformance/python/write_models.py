"""Writes a repository of models for the server.

usage: write_models.py identities|nodes FOLDER
"""

import sys
from pathlib import Path

import nodes
from onnx import TensorProto, helper

ONNX = {
    "BOOL": TensorProto.BOOL,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "FP16": TensorProto.FLOAT16,
    "BF16": TensorProto.BFLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}


def identities():
    """y = x for every type and rank, with names such as FP32_2."""
    for datatype, element in ONNX.items():
        for rank in range(6):
            ends = [helper.make_tensor_value_info(name, element, [None] * rank) for name in "xy"]
            graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "identity", ends[:1], ends[1:])
            yield f"{datatype}_{rank}", helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def write(folder, name, model):
    version = Path(folder, name, "1")
    version.mkdir(parents=True)
    (version / "model.onnx").write_bytes(model.SerializeToString())


if __name__ == "__main__":
    kind, folder = sys.argv[1:]
    models = identities() if kind == "identities" else ((case.name, case.model) for case in nodes.cases())
    for name, model in models:
        write(folder, name, model)
