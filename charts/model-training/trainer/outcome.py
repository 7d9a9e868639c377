"""The mark that a run has ended for good, so that nothing of it is ever done twice."""

import json
import socket
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from . import exits, files
from .environment import Environment

# trained: a trial that isn't the last of its sweep; what is published is decided by the last one
# misconfigured: a trial that can't be tried; a run of its own leaves no mark of that
RESULTS = {"published": exits.DONE, "trained": exits.DONE, "rejected": exits.BELOW_GATE, "misconfigured": exits.MISCONFIGURED}


@dataclass(frozen=True)
class Outcome:
    result: str
    reason: str
    metrics: dict
    version: int | None = None

    @property
    def code(self) -> int:
        return RESULTS[self.result]


def read(folder: Path) -> Outcome | None:
    try:
        return Outcome(**files.read_json(folder / "outcome.json"))
    except FileNotFoundError:
        return None


def write(folder: Path, outcome: Outcome) -> None:
    files.write_json(folder / "outcome.json", asdict(outcome))


def wait(environment: Environment, seconds: float) -> Outcome | None:
    """What has become of the run, or of the sweep that it's part of. None when that takes longer."""
    folder = environment.folder
    if environment.sweep:
        folder = environment.workspace / "sweeps" / environment.sweep.id
    until = time.monotonic() + seconds
    while (found := read(folder)) is None and time.monotonic() < until:
        time.sleep(0.5)
    return found


# Workers with volumes of their own don't see worker 0's mark. One that comes when all is over, since the StatefulSet has
# grown, would wait for peers for ever; so a worker that has ended stays and says so, beside the rendezvous' port.


def offer(environment: Environment, ended: Outcome, stop: threading.Event) -> None:
    """Tells whoever connects, until stop is set."""
    with socket.create_server(("", environment.port + 1)) as server:
        server.settimeout(0.5)
        while not stop.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            with connection:
                try:
                    connection.sendall(json.dumps(asdict(ended)).encode())
                except OSError:
                    pass  # it has gone


def ask(environment: Environment) -> Outcome | None:
    """Worker 0's mark, if it has one."""
    if not environment.stays or environment.worker == 0:
        return None
    try:
        with socket.create_connection((environment.master, environment.port + 1), timeout=2) as connection:
            with connection.makefile() as answer:
                return Outcome(**json.load(answer))
    except (OSError, ValueError):
        return None
