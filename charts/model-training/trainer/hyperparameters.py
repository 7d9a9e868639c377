"""The hyperparameters: one YAML file, checked before the training starts."""

import dataclasses
import difflib
import math
from dataclasses import dataclass
from pathlib import Path

import yaml

from .exits import Misconfigured


@dataclass(frozen=True)
class Hyperparameters:
    epochs: int = 40
    batchSize: int = 64  # rows of one step, over all workers
    learningRate: float = 0.05
    momentum: float = 0.9
    hidden: int = 128  # units of each of the two hidden layers
    seed: int = 1
    checkpointSteps: int = 50  # steps from one checkpoint to the next
    minAccuracy: float = 0.96  # the quality gate: least accuracy on the held-out rows for publishing


# The least and the most of each; math.inf for no upper limit.
RANGES = {
    "epochs": (1, 1_000_000),
    "batchSize": (1, 100_000),
    "learningRate": (1e-9, 1e6),
    "momentum": (0.0, 0.9999),
    "hidden": (1, 65_536),
    "seed": (0, 2**31 - 1),
    "checkpointSteps": (1, math.inf),
    "minAccuracy": (0.0, 1.0),
}


def read(path: Path | None) -> Hyperparameters:
    """Raises Misconfigured, which names every invalid hyperparameter."""
    if path is None:
        return Hyperparameters()
    try:
        given = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise Misconfigured(f"read the hyperparameters: {problem}") from problem
    return check({} if given is None else given)


def check(given) -> Hyperparameters:
    if not isinstance(given, dict):
        raise Misconfigured(f"the hyperparameters are {given!r}; they must be a mapping of names to values")
    kinds = {field.name: field.type for field in dataclasses.fields(Hyperparameters)}
    problems, values = [], {}
    for name, value in given.items():
        if name not in kinds:
            problems.append(f"{name} is unknown{_suggestion(name, kinds)}")
        elif problem := _problem(kinds[name], RANGES[name], value):
            problems.append(f"{name} is {value!r}; {problem}")
        else:
            values[name] = kinds[name](value)
    if problems:
        raise Misconfigured("hyperparameters: " + "; ".join(problems))
    return Hyperparameters(**values)


def _suggestion(name, kinds) -> str:
    folded = {kind.lower(): kind for kind in kinds}
    near = difflib.get_close_matches(str(name).lower(), folded, n=1)
    return f", did you mean {folded[near[0]]}?" if near else "; the known ones are " + ", ".join(kinds)


def _problem(kind, limits, value) -> str | None:
    valid = "a whole number" if kind is int else "a number"
    if isinstance(value, bool):  # Python counts it as a number
        return f"it must be {valid}"
    try:
        # YAML reads 1e-3, without a dot, as text.
        number = value if kind is int else float(value)
    except (TypeError, ValueError):
        return f"it must be {valid}"
    if not isinstance(number, kind):
        return f"it must be {valid}"
    least, most = limits
    if not least <= number <= most:
        return f"it must be {valid} from {least} " + ("up" if most == math.inf else f"to {most}")
    return None
