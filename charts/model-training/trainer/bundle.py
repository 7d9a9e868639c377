"""The bundle: the model, and the files by which the server verifies it."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import torch

from . import files, manifest
from .digits import CLASSES, LARGEST, PIXELS, Digits, Part
from .environment import Environment
from .hyperparameters import Hyperparameters
from .network import Network, Served

# How far ONNX Runtime's probabilities may differ from PyTorch's.
TOLERANCE = {"absolute": 1e-5, "relative": 1e-4}


def make(env: Environment, parameters: Hyperparameters, digits: Digits, network: Network, metrics: dict, history: list[dict]) -> Path:
    """Writes a repository with this one bundle, <model>/1. A bundle from an earlier attempt stays as it is: another one
    could differ, and would be published as a second version."""
    folder = env.folder / "bundle"
    if folder.is_dir():
        return folder
    part = env.folder / ".bundle"
    shutil.rmtree(part, ignore_errors=True)
    version = part / env.model / "1"
    version.mkdir(parents=True)
    served = Served(network)
    export(served, version / "model.onnx")
    golden(served, digits.held_out, version / "golden.ndjson")
    files.write_json(version / "baseline.json", baseline(digits.training))
    about = {
        "experiment": env.experiment,
        "run": env.run,
        "hyperparameters": dataclasses.asdict(parameters),
        "data": {"name": "UCI digits", "sha256": digits.sha256, "rows": len(digits.training.digits)},
        "metrics": metrics,
        "history": history,
        "workers": env.workers,
        "torch": torch.__version__,
    }
    files.write_json(version / "training.json", about)
    about.pop("history")
    manifest.write(version, about)
    part.rename(folder)
    return folder


def export(served: Served, path: Path) -> None:
    torch.onnx.export(
        served, (torch.zeros(2, PIXELS),), str(path), input_names=["pixels"], output_names=["label", "probabilities"],
        dynamic_axes={name: {0: "rows"} for name in ("pixels", "label", "probabilities")}, opset_version=13,
        dynamo=False,  # the newer exporter needs packages that the image does not have
    )  # fmt: skip


def golden(served: Served, part: Part, path: Path) -> None:
    """Writes the golden answers: of each digit the first row of the part, with PyTorch's response."""
    lines = []
    for digit in range(CLASSES):
        row = part.pixels[part.digits == digit][:1]
        with torch.no_grad():
            label, probabilities = served(torch.from_numpy(row))
        lines.append({
            "request": {"inputs": [_tensor("pixels", "FP32", row)]},
            "response": {"outputs": [_tensor("label", "INT64", label.numpy()), _tensor("probabilities", "FP32", probabilities.numpy())]},
            "tolerance": TOLERANCE,
        })  # fmt: skip
    content = "".join(json.dumps(line) + "\n" for line in lines)
    files.write(path, lambda file: file.write(content.encode()))


def _tensor(name: str, datatype: str, array: np.ndarray) -> dict:
    return {"name": name, "datatype": datatype, "shape": list(array.shape), "data": array.ravel().tolist()}


def baseline(part: Part) -> dict:
    """Statistics of the training data: the moments and a histogram of each column of each input."""
    edges = np.linspace(0, LARGEST, 9)
    columns = [
        {
            "mean": float(column.mean()), "variance": float(column.var()), "min": float(column.min()), "max": float(column.max()),
            "counts": np.histogram(column, edges)[0].tolist(),
        }
        for column in part.pixels.T.astype(np.float64)
    ]  # fmt: skip
    return {"rows": len(part.digits), "inputs": {"pixels": {"shape": [PIXELS], "edges": edges.tolist(), "columns": columns}}}
