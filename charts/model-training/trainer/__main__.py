"""What a pod runs.

    python3 -m trainer                       train, and publish what is good enough
    python3 -m trainer await --timeout 120   wait until the run has ended, and say how
"""

import argparse
import signal
import socket
import subprocess
import sys
import threading
import time

from . import environment, hyperparameters, outcome
from .environment import Environment
from .exits import DONE, INTERRUPTED, Ended, Misconfigured
from .reporting import say, tell_reason


def main() -> int:
    arguments = argparse.ArgumentParser(prog="trainer", description="Trains the digits model and publishes it.")
    commands = arguments.add_subparsers(dest="command")
    waiting = commands.add_parser("await", help="wait until the run has ended, and say how")
    waiting.add_argument("--timeout", type=float, default=120, metavar="SECONDS")
    wanted = arguments.parse_args()
    try:
        given = environment.read()
        if wanted.command == "await":
            return follow(given, wanted.timeout)
        check(given)
        return Launcher(given).run()
    except Ended as ended:
        tell_reason(str(ended))
        return ended.code


def check(given: Environment) -> None:
    """Raises Misconfigured before anyone waits for anyone. A trial that can't be tried doesn't keep its sweep from its end."""
    try:
        hyperparameters.read(given.hyperparameters)
    except Misconfigured as wrong:
        if given.sweep and given.worker == 0:
            from . import finish, sweep  # brings PyTorch, which takes seconds

            sweep.settle(given, outcome.Outcome("misconfigured", str(wrong), {}), finish.publish)
        raise


def follow(given: Environment, seconds: float) -> int:
    ended = outcome.wait(given, seconds)
    if ended is None:
        say(f"{given.run} has not ended within {seconds:.0f} s")
        return 1
    say(f"{ended.result}: {ended.reason} {ended.metrics}")
    return ended.code


class Launcher:
    """Starts torchrun, again when a peer was lost, and hands on SIGTERM."""

    def __init__(self, given: Environment):
        self.given = given
        self.stop = threading.Event()
        self.torchrun: subprocess.Popen | None = None
        signal.signal(signal.SIGTERM, self._stop)

    def run(self) -> int:
        while (ended := outcome.read(self.given.folder)) is None:
            late = self._meet()
            if self.stop.is_set():
                return INTERRUPTED
            if late:
                outcome.write(self.given.folder, late)
                continue
            code = self._torchrun()
            if self.stop.is_set():
                # Unless it was the end already.
                return code if outcome.read(self.given.folder) else INTERRUPTED
            if code not in (DONE, INTERRUPTED):
                return code
        return self._settle(ended)

    def _settle(self, ended: outcome.Outcome) -> int:
        if ended.code:
            tell_reason(ended.reason)
            return ended.code
        say(f"this run has ended: {ended.reason}")
        if self.given.stays:  # else Kubernetes would start the StatefulSet's pod again and again
            outcome.offer(self.given, ended, self.stop)
        return DONE

    def _torchrun(self) -> int:
        self.torchrun = subprocess.Popen([sys.executable, "-m", "trainer.torchrun"])
        if self.stop.is_set():  # in between
            self.torchrun.terminate()
        return self.torchrun.wait()

    def _stop(self, *_) -> None:
        self.stop.set()
        if self.torchrun:
            self.torchrun.terminate()

    def _meet(self) -> outcome.Outcome | None:
        """Waits until worker 0 answers, which may take until its pod is scheduled, or until worker 0 knows its own name.
        Returns the outcome if all is over. Raises Ended after a while.

        torchrun would wait too, but for the address that it has found first; a pod that is replaced gets another one."""
        if self.given.workers == 1:
            return None
        began, told = time.monotonic(), 0.0
        while not self.stop.is_set():
            if late := outcome.ask(self.given):
                return late
            try:
                self._reach_master()
                return None
            except OSError as problem:
                waited = time.monotonic() - began
                if waited > self.given.patience:
                    raise Ended(
                        f"worker 0 does not answer at {self.given.master}:{self.given.port} within {self.given.patience} s ({problem}): "
                        "see whether its pod runs, or raise rendezvous.timeoutSeconds"
                    ) from problem
            if waited - told >= 15:
                told = waited
                say(f"waiting for {self.given.master}, {waited:.0f} s")
            self.stop.wait(0.5)
        return None

    def _reach_master(self) -> None:
        if self.given.worker == 0:
            socket.getaddrinfo(self.given.master, None)
        else:
            socket.create_connection((self.given.master, self.given.port), timeout=2).close()


if __name__ == "__main__":
    sys.exit(main())
