"""Where a run finds what: the environment variables that the chart sets."""

import os
from dataclasses import dataclass
from pathlib import Path

from .exits import Misconfigured


@dataclass(frozen=True)
class Sweep:
    """One of several runs that try different hyperparameters, of which the best is published."""

    id: str
    trial: int
    trials: int


@dataclass(frozen=True)
class Environment:
    experiment: str  # the release
    run: str  # the same for every try of the same training, another one for another training
    workers: int
    worker: int  # from 0
    stays: bool  # a StatefulSet's pod is started again when it ends, so a finished run has to stay
    hyperparameters: Path | None
    workspace: Path
    data: Path  # the digits
    model: str
    destination: str  # a repository: a folder or a URL
    master: str  # the host name of worker 0
    port: int  # where the workers meet; the next one is for outcome.offer
    patience: int  # seconds to wait for the peers
    log: Path | None  # one JSON line for each event
    sweep: Sweep | None

    @property
    def folder(self) -> Path:
        """What is kept of this run."""
        return self.workspace / "runs" / self.run

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"


def read(given=os.environ) -> Environment:
    """Raises Misconfigured with the variable's name. Without any variable it's one worker, in the current folder."""

    def number(name: str, default: int, least: int) -> int:
        text = given.get(name, str(default))
        if not text.isdecimal() or int(text) < least:
            raise Misconfigured(f"{name} is {text!r}; it has to be a whole number from {least} on")
        return int(text)

    def path(name: str) -> Path | None:
        return Path(given[name]) if given.get(name) else None

    sweep = None
    if given.get("SLIPWAY_SWEEP"):
        sweep = Sweep(given["SLIPWAY_SWEEP"], number("SLIPWAY_TRIAL", 0, 0), number("SLIPWAY_TRIALS", 1, 1))
    return Environment(
        experiment=given.get("SLIPWAY_EXPERIMENT", "local"),
        run=given.get("SLIPWAY_RUN", "local"),
        workers=number("PET_NNODES", 1, 1),
        worker=number("PET_NODE_RANK", 0, 0),
        stays=given.get("SLIPWAY_WORKLOAD") == "StatefulSet",
        hyperparameters=path("SLIPWAY_HYPERPARAMETERS"),
        workspace=path("SLIPWAY_WORKSPACE") or Path("workspace"),
        data=path("SLIPWAY_DIGITS") or Path("/usr/share/slipway/digits.csv"),
        model=given.get("SLIPWAY_MODEL", "digits"),
        destination=given.get("SLIPWAY_PUBLISH", "models"),
        master=given.get("PET_MASTER_ADDR", "localhost"),
        port=number("PET_MASTER_PORT", 29500, 1),
        patience=number("SLIPWAY_RENDEZVOUS_TIMEOUT", 300, 1),
        log=path("SLIPWAY_LOG"),
        sweep=sweep,
    )
