"""A sweep: several runs beside each other, of which the best on the validation rows is published.

The runs share the workspace. Each writes its result there, and the run that completes the results publishes the best.
"""

import fcntl
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Callable

from . import files, outcome
from .environment import Environment
from .outcome import Outcome

Publish = Callable[[Environment, Path], int]


def record(env: Environment, ended: Outcome, publish: Publish) -> Outcome:
    """Writes this trial's outcome, and publishes the best trial after the last. It may run again after an interruption."""
    folder = env.workspace / "sweeps" / env.sweep.id
    with _locked(folder):
        files.write_json(folder / f"trial-{env.sweep.trial}.json", {"run": env.run, "outcome": asdict(ended)})
        trials = _trials(env, folder)
        if len(trials) == env.sweep.trials and outcome.read(folder) is None:
            outcome.write(folder, _publish_best(env, trials, publish))
        # The trial's own outcome comes last: a trial that has one never runs again, so one that was interrupted above
        # would never publish.
        outcome.write(env.folder, ended)
    return ended


def _trials(env: Environment, folder: Path) -> list[tuple[int, Path, Outcome]]:
    """The trials that have ended: number, folder of the run, outcome."""
    found = []
    for trial in range(env.sweep.trials):
        path = folder / f"trial-{trial}.json"
        if path.exists():
            result = files.read_json(path)
            found.append((trial, env.workspace / "runs" / result["run"], Outcome(**result["outcome"])))
    return found


def _publish_best(env: Environment, trials: list[tuple[int, Path, Outcome]], publish: Publish) -> Outcome:
    trained = [trial for trial in trials if trial[2].result == "trained"]
    if not trained:
        return Outcome("rejected", f"none of {len(trials)} trials is good enough: {trials[-1][2].reason}", {})
    number, run, best = max(trained, key=lambda trial: (trial[2].metrics["validationAccuracy"], -trial[0]))
    version = publish(env, run / "bundle")
    reason = f"published version {version} of {env.model}: trial {number}, the best of {len(trials)}"
    return Outcome("published", reason, best.metrics, version)


@contextmanager
def _locked(folder: Path):
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
