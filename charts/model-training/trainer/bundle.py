"""The bundle: what the server serves, with what it takes to trust it."""

import dataclasses
import hashlib
import inspect
import json
import shutil
from pathlib import Path

import numpy as np
import torch

from . import files
from .digits import CLASSES, LARGEST, PIXELS, Digits, Part
from .environment import Environment
from .hyperparameters import Hyperparameters
from .network import Network, Served

# How far ONNX Runtime's probabilities may be from PyTorch's.
TOLERANCE = {"absolute": 1e-5, "relative": 1e-4}


def make(given: Environment, wanted: Hyperparameters, digits: Digits, network: Network, metrics: dict, history: list[dict]) -> Path:
    """A repository with this one bundle in it, <model>/1. One that was made before is taken as it is, so that it's never
    published as two versions."""
    folder = given.folder / "bundle"
    if folder.is_dir():
        return folder
    part = given.folder / ".bundle"
    shutil.rmtree(part, ignore_errors=True)
    version = part / given.model / "1"
    version.mkdir(parents=True)
    served = Served(network)
    export(served, version / "model.onnx")
    golden(served, digits.held_out, version / "golden.ndjson")
    files.write_json(version / "baseline.json", baseline(digits.training))
    about = {
        "experiment": given.experiment,
        "run": given.run,
        "hyperparameters": dataclasses.asdict(wanted),
        "data": {"name": "UCI digits", "sha256": digits.sha256, "rows": len(digits.training.digits)},
        "metrics": metrics,
        "history": history,
        "workers": given.workers,
        "torch": torch.__version__,
    }
    files.write_json(version / "training.json", about)
    digest = {file.name: "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(version.iterdir())}
    about.pop("history")
    files.write_json(version / "MANIFEST.json", {"files": digest, **about})
    part.rename(folder)
    return folder


def export(served: Served, path: Path) -> None:
    # PyTorch 2's newer exporter wants packages that this image does without.
    older = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(
        served, torch.zeros(2, PIXELS), str(path), input_names=["pixels"], output_names=["label", "probabilities"],
        dynamic_axes={name: {0: "rows"} for name in ("pixels", "label", "probabilities")}, opset_version=13, **older,
    )  # fmt: skip


def golden(served: Served, part: Part, path: Path) -> None:
    """Of each digit the first row of the part, with PyTorch's answer."""
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
    """What the training data looked like: of each column of each input its moments, and a histogram."""
    edges = np.linspace(0, LARGEST, 9)
    columns = [
        {
            "mean": float(column.mean()), "variance": float(column.var()), "min": float(column.min()), "max": float(column.max()),
            "counts": np.histogram(column, edges)[0].tolist(),
        }
        for column in part.pixels.T.astype(np.float64)
    ]  # fmt: skip
    return {"rows": len(part.digits), "inputs": {"pixels": {"shape": [PIXELS], "edges": edges.tolist(), "columns": columns}}}
