"""What a pod runs.

    python3 -m trainer                       train, and publish a model that passes the quality gate
    python3 -m trainer await --timeout 120   wait for the end of the run, and report its outcome
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from . import environment, hyperparameters, outcome
from .environment import Environment
from .exits import DONE, INTERRUPTED, Ended, Misconfigured
from .reporting import error, info


def main() -> int:
    parser = argparse.ArgumentParser(prog="trainer", description="Trains the digits model and publishes it.")
    commands = parser.add_subparsers(dest="command")
    waiting = commands.add_parser("await", help="wait for the end of the run, and report its outcome")
    waiting.add_argument("--timeout", type=float, default=120, metavar="SECONDS")
    arguments = parser.parse_args()
    try:
        env = environment.read()
        if arguments.command == "await":
            return report_outcome(env, arguments.timeout)
        check(env)
        return Launcher(env).run()
    except Ended as ended:
        error(str(ended))
        return ended.code


def check(env: Environment) -> None:
    """Raises Misconfigured before the workers wait for one another. A misconfigured trial still counts as ended, so that its
    sweep can end."""
    try:
        hyperparameters.read(env.hyperparameters)
    except Misconfigured as invalid:
        if env.sweep and env.worker == 0:
            from . import finish, sweep  # imports PyTorch, which takes seconds

            sweep.record(env, outcome.Outcome("misconfigured", str(invalid), {}), finish.publish)
        raise


def report_outcome(env: Environment, seconds: float) -> int:
    ended = outcome.wait(env, seconds)
    if ended is None:
        info(f"{env.run} has not ended within {seconds:.0f} s")
        return 1
    info(f"{ended.result}: {ended.reason} {ended.metrics}")
    return ended.code


class Launcher:
    """Runs torchrun, again after a lost peer, and forwards SIGTERM to it."""

    def __init__(self, env: Environment):
        self.env = env
        self.stop = threading.Event()
        self.torchrun: subprocess.Popen | None = None
        signal.signal(signal.SIGTERM, self._stop)

    def run(self) -> int:
        while (ended := outcome.read(self.env.folder)) is None:
            missed = self._wait_for_master()
            if self.stop.is_set():
                return INTERRUPTED
            if missed:
                outcome.write(self.env.folder, missed)
                continue
            code = self._torchrun()
            if self.stop.is_set():
                # The signal may have come after the end of the run.
                return code if outcome.read(self.env.folder) else INTERRUPTED
            if code not in (DONE, INTERRUPTED):
                return code
        return self._finish(ended)

    def _finish(self, ended: outcome.Outcome) -> int:
        if ended.code:
            error(ended.reason)
            return ended.code
        info(f"this run has ended: {ended.reason}")
        if self.env.stateful:  # else Kubernetes would restart the StatefulSet's pod again and again
            outcome.serve(self.env, ended, self.stop)
        return DONE

    def _torchrun(self) -> int:
        # PyTorch warns of each attempt to connect; what matters of that is logged here.
        quiet = {"TORCH_CPP_LOG_LEVEL": "ERROR", **os.environ}
        self.torchrun = subprocess.Popen([sys.executable, "-m", "trainer.torchrun"], env=quiet)
        if self.stop.is_set():  # before there was a process to forward it to
            self.torchrun.terminate()
        return self.torchrun.wait()

    def _stop(self, *_) -> None:
        self.stop.set()
        if self.torchrun:
            self.torchrun.terminate()

    def _wait_for_master(self) -> outcome.Outcome | None:
        """Waits until worker 0 listens, which may take until its pod is scheduled; worker 0 itself waits for its own name.
        Returns the outcome of a run that has ended without this worker. Raises Ended after the timeout.

        torchrun would wait too, but only for the first address that it resolves, and a replaced pod has another one."""
        if self.env.workers == 1:
            return None
        started, reported = time.monotonic(), 0.0
        while not self.stop.is_set():
            if missed := outcome.fetch(self.env):
                return missed
            try:
                self._reach_master()
                return None
            except OSError as problem:
                waited = time.monotonic() - started
                if waited > self.env.rendezvous_timeout:
                    raise Ended(
                        f"worker 0 does not respond at {self.env.master}:{self.env.port} within {self.env.rendezvous_timeout} s ({problem}): "
                        "check that its pod runs, or raise rendezvous.timeoutSeconds"
                    ) from problem
            if waited - reported >= 15:
                reported = waited
                info(f"waiting for {self.env.master}, {waited:.0f} s")
            self.stop.wait(0.5)
        return None

    def _reach_master(self) -> None:
        if self.env.worker == 0:
            socket.getaddrinfo(self.env.master, None)
        else:
            socket.create_connection((self.env.master, self.env.port), timeout=2).close()


if __name__ == "__main__":
    sys.exit(main())
