"""The output of a run: a bar on a terminal, lines in a pod's log, JSON lines for a log collector, and the reason of its end."""

import json
import os
import re
import sys
import time
from pathlib import Path

from tqdm import tqdm

from .environment import Environment

SECONDS = 5  # between two lines of progress

# Kubernetes reads the reason of a container's end from this file.
TERMINATION_LOG = Path(os.environ.get("SLIPWAY_TERMINATION_LOG", "/dev/termination-log"))


def info(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def error(reason: str) -> None:
    """Logs the reason of the end, and leaves it for Kubernetes."""
    print(f"{time.strftime('%H:%M:%S')} error: {reason}", file=sys.stderr, flush=True)
    try:
        if TERMINATION_LOG.exists():
            TERMINATION_LOG.write_text(reason[:4000])
    except OSError:
        pass  # the log has it too


class Log:
    """Events as JSON lines, in the file of SLIPWAY_LOG. Their keys are in snake_case."""

    def __init__(self, env: Environment, rank: int):
        self.common = {"experiment": env.experiment, "run": env.run, "worker": rank}
        self.file = open(env.log, "a") if env.log else None

    def event(self, event: str, **fields) -> None:
        if self.file:
            line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": event, **self.common}
            line.update((_snake_case(name), value) for name, value in fields.items())
            print(json.dumps(line), file=self.file, flush=True)


def _snake_case(name: str) -> str:
    """Metrics are in camelCase in the bundle's files, as all keys there."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


class Progress:
    """The progress of the steps: a bar on a terminal, else a line every few seconds."""

    def __init__(self, step: int, steps: int, batch: int, shown: bool):
        self.steps, self.batch, self.shown = steps, batch, shown
        self.bar = tqdm(total=steps, initial=step, unit="step") if shown and sys.stderr.isatty() else None
        self.first_step, self.started = step, time.monotonic()
        self.last_line = self.started

    def at(self, step: int, loss: float) -> None:
        if self.bar:
            self.bar.update(step - self.bar.n)
            self.bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
        elif self.shown and (time.monotonic() - self.last_line >= SECONDS or step == self.steps):
            self.last_line = time.monotonic()
            info(f"step {step} of {self.steps} ({100 * step // self.steps} %), loss {loss:.4f}, {self.rate(step):.0f} rows/s")

    def rate(self, step: int) -> float:
        """Rows a second over all workers, since this attempt began."""
        return (step - self.first_step) * self.batch / max(time.monotonic() - self.started, 1e-9)

    def close(self) -> None:
        if self.bar:
            self.bar.close()
