"""The outcome of a run: the record that it has ended for good, so that no part of it is done twice."""

import json
import socket
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from . import exits, files
from .environment import Environment

# trained: a trial before the last of its sweep; the last one decides what is published
# misconfigured: a trial that can't run; a run outside a sweep records no such outcome
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


def wait(env: Environment, seconds: float) -> Outcome | None:
    """Waits for the outcome of the run, or of its sweep. Returns None after the given time."""
    folder = env.folder
    if env.sweep:
        folder = env.workspace / "sweeps" / env.sweep.id
    deadline = time.monotonic() + seconds
    while (found := read(folder)) is None and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


# Workers with volumes of their own don't see worker 0's outcome. A worker that a StatefulSet adds after the end of the run
# would wait for its peers forever. So worker 0 keeps running after the end and serves its outcome, on the port after the
# rendezvous.


def serve(env: Environment, ended: Outcome, stop: threading.Event) -> None:
    """Sends the outcome to every peer that connects, until stop is set."""
    with socket.create_server(("", env.port + 1)) as server:
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
                    pass  # the peer has closed the connection


def fetch(env: Environment) -> Outcome | None:
    """Returns the outcome that worker 0 serves, or None while there is none."""
    if not env.stateful or env.worker == 0:
        return None
    try:
        with socket.create_connection((env.master, env.port + 1), timeout=2) as connection:
            with connection.makefile() as response:
                return Outcome(**json.load(response))
    except (OSError, ValueError):
        return None
