"""Files that are there whole or not at all."""

import json
import os
from pathlib import Path
from typing import Any, Callable


def write(path: Path, fill: Callable[[Any], None]) -> None:
    """Has fill write a file and gives it its name at the end. When that fails, what was there before is there still.

    Raises OSError, such as for a full disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The process is in the name: on a volume that workers share, two may write the same at once.
    part = path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid()}")
    try:
        with open(part, "wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync(path.parent)


def write_json(path: Path, value: Any) -> None:
    write(path, lambda file: file.write((json.dumps(value, indent=2) + "\n").encode()))


def read_json(path: Path) -> Any:
    return json.loads(path.read_text())


def sync(folder: Path) -> None:
    """Makes the names in a folder outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
