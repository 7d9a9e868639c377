"""The settings of a run, from the environment variables that the chart sets."""

import os
from dataclasses import dataclass
from pathlib import Path

from .exits import Misconfigured


@dataclass(frozen=True)
class Sweep:
    """The place of a run among the trials of a sweep, of which the best is published."""

    id: str
    trial: int
    trials: int


@dataclass(frozen=True)
class Environment:
    experiment: str  # the release
    run: str  # the same for every attempt at one training
    workers: int
    worker: int  # from 0
    stateful: bool  # a StatefulSet restarts a pod that exits, so a worker keeps running after its run
    hyperparameters: Path | None
    workspace: Path
    data: Path  # the digits
    model: str
    destination: str  # a repository: a folder or a URL
    master: str  # the host name of worker 0
    port: int  # of the rendezvous; outcome.serve uses the next one
    rendezvous_timeout: int  # seconds to wait for the peers
    log: Path | None  # one JSON line for each event
    sweep: Sweep | None

    @property
    def folder(self) -> Path:
        """The folder of this run."""
        return self.workspace / "runs" / self.run

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"


def read(variables=os.environ) -> Environment:
    """Raises Misconfigured with the variable's name. Without any variable: one worker, in the current folder."""

    def number(name: str, default: int, least: int) -> int:
        text = variables.get(name, str(default))
        if not text.isdecimal() or int(text) < least:
            raise Misconfigured(f"{name} is {text!r}; it must be a whole number of at least {least}")
        return int(text)

    def path(name: str) -> Path | None:
        return Path(variables[name]) if variables.get(name) else None

    sweep = None
    if variables.get("SLIPWAY_SWEEP"):
        sweep = Sweep(variables["SLIPWAY_SWEEP"], number("SLIPWAY_TRIAL", 0, 0), number("SLIPWAY_TRIALS", 1, 1))
    return Environment(
        experiment=variables.get("SLIPWAY_EXPERIMENT", "local"),
        run=variables.get("SLIPWAY_RUN", "local"),
        workers=number("PET_NNODES", 1, 1),
        worker=number("PET_NODE_RANK", 0, 0),
        stateful=variables.get("SLIPWAY_WORKLOAD") == "StatefulSet",
        hyperparameters=path("SLIPWAY_HYPERPARAMETERS"),
        workspace=path("SLIPWAY_WORKSPACE") or Path("workspace"),
        data=path("SLIPWAY_DIGITS") or Path("/usr/share/slipway/digits.csv"),
        model=variables.get("SLIPWAY_MODEL", "digits"),
        destination=variables.get("SLIPWAY_PUBLISH", "models"),
        master=variables.get("PET_MASTER_ADDR", "localhost"),
        port=number("PET_MASTER_PORT", 29500, 1),
        rendezvous_timeout=number("SLIPWAY_RENDEZVOUS_TIMEOUT", 300, 1),
        log=path("SLIPWAY_LOG"),
        sweep=sweep,
    )
