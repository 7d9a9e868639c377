"""One run of the digits trainer under torchrun, with the arguments of the PET_ variables: python3 -m trainer.torchrun

torchrun itself exits with 1 for any failed worker; this program exits with the code of the worker that failed first.
"""

import functools
import logging
import sys

from torch.distributed.elastic.agent.server.local_elastic_agent import LocalElasticAgent
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher import api
from torch.distributed.run import config_from_args, parse_args

from . import environment
from .exits import INTERRUPTED, MISCONFIGURED
from .reporting import error, info


# After a worker's failure torchrun waits 300 s for every peer's torchrun to acknowledge it, also for those that are gone.
# Meanwhile a replaced worker would join the rendezvous of the failed attempt.
api.LocalElasticAgent = functools.partial(LocalElasticAgent, exit_barrier_timeout=1)


def main() -> int:
    if sys.argv[1:]:
        error(f"trainer.torchrun trains the digits and takes no arguments, got {sys.argv[1:]}: run a program of your own as [torchrun, {sys.argv[1]}]")
        return MISCONFIGURED
    # Silences torchrun's warnings and the traceback of a worker that ended on purpose.
    logging.disable(logging.ERROR)
    config, command, arguments = config_from_args(parse_args(["--monitor_interval", "1", "--module", "trainer.worker"]))
    try:
        api.elastic_launch(config, command)(*arguments)
    except ChildFailedError as failed:
        _, first = failed.get_first_failure()
        return first.exitcode if first.exitcode > 0 else 128 - first.exitcode
    except SignalException:
        return INTERRUPTED
    except (RuntimeError, ConnectionError, TimeoutError) as problem:
        return _rendezvous_failed(str(problem))
    return 0


def _rendezvous_failed(problem: str) -> int:
    env = environment.read()
    if "time" in problem.lower() and "out" in problem.lower():
        error(
            f"the rendezvous of {env.workers} workers at {env.master} timed out after {env.rendezvous_timeout} s: "
            f"check that all pods run, or raise rendezvous.timeoutSeconds ({problem.splitlines()[0]})"
        )
        return 1
    if "bind" in problem:
        error(f"worker 0 can't listen on port {env.port}: {problem.splitlines()[0]}")
        return 1
    info(f"lost worker 0: {problem.splitlines()[0]}")
    return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
