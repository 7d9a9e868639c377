"""Checkpoints: what a run has reached, to go on from. Worker 0 alone writes and reads them."""

import io
import re
from pathlib import Path
from typing import Any

import torch

from . import files
from .exits import Ended

KEPT = 2  # the newest, and one more should it turn out to be unreadable


def save(folder: Path, state: dict[str, Any]) -> None:
    """Writes state, whose "step" names it. On a full disk the older ones stay, and it's an error that says so."""
    path = folder / f"step-{state['step']:09d}.pt"
    # By way of memory: PyTorch's own writer turns a full disk into an error that names no cause.
    content = io.BytesIO()
    torch.save(state, content)
    try:
        files.write(path, lambda file: file.write(content.getbuffer()))
    except OSError as problem:
        raise Ended(f"write checkpoint {path}: {problem.strerror or problem}; the checkpoints before it are whole") from problem
    for old in _all(folder)[:-KEPT]:
        old.unlink(missing_ok=True)


def newest(folder: Path, say) -> dict[str, Any] | None:
    """The newest one that is whole."""
    for path in reversed(_all(folder)):
        try:
            return torch.load(path, map_location="cpu")
        except Exception as problem:  # a broken file shows itself in many ways
            say(f"checkpoint {path.name} can't be read, trying the one before it: {problem}")
    return None


def _all(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if re.fullmatch(r"step-\d{9}\.pt", path.name))

