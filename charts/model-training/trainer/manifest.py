"""The manifest of a bundle: the digest of each of its files, and further facts about the version.

The server's package bundle holds the rules. Those that a writer needs are here and nowhere else in the trainer; its tests
compare them with `slipway publish` and `slipway validate`.
"""

import hashlib
from pathlib import Path

from . import files

NAME = "MANIFEST.json"


def write(version: Path, about: dict) -> None:
    """Writes the manifest of a version's folder, which is flat, with the digests and about."""
    files.write_json(version / NAME, {"files": digests(version), **about})


def digests(version: Path) -> dict[str, str]:
    """Every file of the version but the manifest, and its SHA-256."""
    return {
        file.name: "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(version.iterdir())
        if file.name != NAME
    }
