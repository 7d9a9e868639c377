"""Checkpoints: the saved state of a run, to resume from. Only worker 0 writes and reads them."""

import io
import re
from pathlib import Path
from typing import Any, Callable

import torch

from . import files
from .exits import Ended

KEPT = 2  # the newest, and one more in case it is unreadable


def save(folder: Path, state: dict[str, Any]) -> None:
    """Writes state under the name of its "step". On a full disk it raises Ended and keeps the older checkpoints."""
    path = folder / f"step-{state['step']:09d}.pt"
    # Through memory: PyTorch's own writer reports a full disk as an error without a cause.
    content = io.BytesIO()
    torch.save(state, content)
    try:
        files.write(path, lambda file: file.write(content.getbuffer()))
    except OSError as problem:
        raise Ended(f"write checkpoint {path}: {problem.strerror or problem}; the earlier checkpoints are complete") from problem
    for old in _all(folder)[:-KEPT]:
        old.unlink(missing_ok=True)


def newest(folder: Path, report: Callable[[str], None]) -> dict[str, Any] | None:
    """Returns the newest readable checkpoint, and reports each that is unreadable."""
    for path in reversed(_all(folder)):
        try:
            return torch.load(path, map_location="cpu")
        except Exception as problem:  # a broken file raises many kinds
            report(f"checkpoint {path.name} can't be read, trying the one before it: {problem}")
    return None


def _all(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if re.fullmatch(r"step-\d{9}\.pt", path.name))
