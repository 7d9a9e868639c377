"""Files that are written completely or not at all."""

import json
import os
from pathlib import Path
from typing import Any, Callable


def write(path: Path, fill: Callable[[Any], None]) -> None:
    """Lets fill write a temporary file and renames it to path. After a failure the file from before is still there.

    Raises OSError, such as for a full disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The host and process are in the name: two workers may write the same file of a shared volume at once.
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
    """Makes the names in a folder survive a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
