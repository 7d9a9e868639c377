"""What a run tells: a bar on a terminal, lines in a pod's log, JSON lines for a log collector, and the reason of its end."""

import json
import os
import sys
import time
from pathlib import Path

from tqdm import tqdm

from .environment import Environment

SECONDS = 5  # between two lines of progress

# Where Kubernetes looks for the reason that a container ended.
TERMINATION_LOG = Path(os.environ.get("SLIPWAY_TERMINATION_LOG", "/dev/termination-log"))


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def tell_reason(reason: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} error: {reason}", file=sys.stderr, flush=True)
    try:
        if TERMINATION_LOG.exists():
            TERMINATION_LOG.write_text(reason[:4000])
    except OSError:
        pass  # it's in the log too


class Log:
    """Events as JSON lines, in the file that the environment names."""

    def __init__(self, environment: Environment, rank: int):
        self.always = {"experiment": environment.experiment, "run": environment.run, "worker": rank}
        self.file = open(environment.log, "a") if environment.log else None

    def event(self, event: str, **fields) -> None:
        if self.file:
            line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": event, **self.always, **fields}
            print(json.dumps(line), file=self.file, flush=True)


class Progress:
    """How far the steps are: a bar where someone watches, else a line every few seconds."""

    def __init__(self, step: int, steps: int, batch: int, shown: bool):
        self.steps, self.batch, self.shown = steps, batch, shown
        self.bar = tqdm(total=steps, initial=step, unit="step") if shown and sys.stderr.isatty() else None
        self.since, self.step_then, self.told = time.monotonic(), step, time.monotonic()

    def at(self, step: int, loss: float) -> None:
        if self.bar:
            self.bar.update(step - self.bar.n)
            self.bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
        elif self.shown and (time.monotonic() - self.told >= SECONDS or step == self.steps):
            self.told = time.monotonic()
            say(f"step {step} of {self.steps} ({100 * step // self.steps} %), loss {loss:.4f}, {self.rate(step):.0f} rows/s")

    def rate(self, step: int) -> float:
        """Rows a second over all workers, since this try began."""
        return (step - self.step_then) * self.batch / max(time.monotonic() - self.since, 1e-9)

    def close(self) -> None:
        if self.bar:
            self.bar.close()
