"""Several runs beside each other, of which the one that is best on the validation rows is published.

They share the workspace. Each leaves its result there; the one that finds all results there publishes.
"""

import fcntl
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Callable

from . import files, outcome
from .environment import Environment
from .outcome import Outcome


def settle(given: Environment, mine: Outcome, publish: Callable[[Environment, Path], int]) -> Outcome:
    """Leaves this trial's result, and publishes the best when it's the last. It can be done again."""
    folder = given.workspace / "sweeps" / given.sweep.id
    with _alone(folder):
        files.write_json(folder / f"trial-{given.sweep.trial}.json", {"run": given.run, "outcome": asdict(mine)})
        trials = _trials(given, folder)
        if len(trials) == given.sweep.trials and outcome.read(folder) is None:
            outcome.write(folder, _choose(given, trials, publish))
        # Last, or a trial that was interrupted here would never come back to publish.
        outcome.write(given.folder, mine)
    return mine


def _trials(given: Environment, folder: Path) -> list[tuple[int, Path, Outcome]]:
    """The trials that have ended, with the folders of their runs."""
    found = []
    for trial in range(given.sweep.trials):
        path = folder / f"trial-{trial}.json"
        if path.exists():
            result = files.read_json(path)
            found.append((trial, given.workspace / "runs" / result["run"], Outcome(**result["outcome"])))
    return found


def _choose(given: Environment, trials: list[tuple[int, Path, Outcome]], publish) -> Outcome:
    good = [trial for trial in trials if trial[2].result == "trained"]
    if not good:
        return Outcome("rejected", f"none of {len(trials)} trials is good enough: {trials[-1][2].reason}", {})
    number, run, best = max(good, key=lambda trial: (trial[2].metrics["validationAccuracy"], -trial[0]))
    version = publish(given, run / "bundle")
    reason = f"published version {version} of {given.model}: trial {number}, the best of {len(trials)}"
    return Outcome("published", reason, best.metrics, version)


@contextmanager
def _alone(folder: Path):
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
