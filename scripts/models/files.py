"""Writes models and their further files, with the same bytes on every run."""

import argparse
import sys
import tempfile
from pathlib import Path

import onnx
import onnxruntime
from onnx import helper

ROOT = Path(__file__).resolve().parents[2]

# Old enough for every runtime of the last two years, new enough for every type
# that the server knows.
OPSET = {"": 21, "ai.onnx.ml": 3}
IR_VERSION = 10


def encode(model: onnx.ModelProto, external: dict[str, bytes] | None = None) -> bytes:
    """Returns the bytes of a model, after a check that it is valid and that ONNX
    Runtime loads it; external are the files of its external data."""
    model.ir_version = IR_VERSION
    # The producer is not part of the model: with the packages' versions in the
    # file, each upgrade of a package would change it.
    model.ClearField("producer_name")
    model.ClearField("producer_version")
    model.ClearField("domain")
    # skl2onnx lists an operator set twice.
    opsets = {(o.domain, o.version) for o in model.opset_import}
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(*o) for o in sorted(opsets))
    data = model.SerializeToString(deterministic=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        for name, content in {path.name: data, **(external or {})}.items():
            (Path(folder) / name).write_bytes(content)
        onnx.checker.check_model(path, full_check=True)
        onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return data


def main(description: str, files: dict[Path, bytes]) -> None:
    """Writes the files, or compares them with the existing ones if --check is set."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file differs from what would be written")
    check = parser.parse_args().check

    stale = [path for path, data in files.items() if not path.is_file() or path.read_bytes() != data]
    for path in stale:
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[path])
        print(f"{path.relative_to(ROOT)}: {'differs' if check else f'{len(files[path])} bytes'}")
    if check and stale:
        sys.exit("Run scripts/models/generate and commit what it writes.")
