"""The data: scans of 1,797 handwritten digits, 8 x 8 pixels from 0 to 16, from the UCI machine learning repository.

The file is scikit-learn's copy: 64 pixels and the digit in each line.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CLASSES, PIXELS, LARGEST = 10, 64, 16.0


@dataclass(frozen=True)
class Part:
    pixels: np.ndarray  # float32 [rows, 64]
    digits: np.ndarray  # int64 [rows]


@dataclass(frozen=True)
class Digits:
    training: Part
    validation: Part  # compares the trials of a sweep
    held_out: Part  # decides about publishing, and chooses nothing
    sha256: str


def load(path: Path) -> Digits:
    rows = np.loadtxt(path, delimiter=",", dtype=np.float32)
    # The same shuffle for every run and seed, so that no run trains on the held-out rows.
    rows = rows[np.random.RandomState(20).permutation(len(rows))]
    parts = np.split(rows, [len(rows) * 70 // 100, len(rows) * 85 // 100])
    training, validation, held_out = (Part(part[:, :PIXELS], part[:, PIXELS].astype(np.int64)) for part in parts)
    return Digits(training, validation, held_out, hashlib.sha256(path.read_bytes()).hexdigest())
