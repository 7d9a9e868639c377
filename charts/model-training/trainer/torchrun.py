"""One torchrun, as the PET_ variables tell it: python3 -m trainer.torchrun

torchrun itself ends with 1 whatever its workers ended with; this ends with the code of the one that failed first.
"""

import functools
import logging
import sys

from torch.distributed.elastic.agent.server.local_elastic_agent import LocalElasticAgent
from torch.distributed.elastic.multiprocessing import Std
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher import api
from torch.distributed.run import config_from_args, parse_args

from . import environment
from .exits import INTERRUPTED
from .reporting import say, tell_reason


# When a worker has failed, torchrun waits 300 s for the peers' torchruns to say that they have seen it, also for those that
# are gone. Meanwhile a new one would join what is over.
api.LocalElasticAgent = functools.partial(LocalElasticAgent, exit_barrier_timeout=1)


def main() -> int:
    # Its warnings and the traceback of a worker that was meant to end are no news.
    logging.disable(logging.ERROR)
    config, command, arguments = config_from_args(parse_args(["--monitor_interval", "1", "--module", "trainer.worker"]))
    for stream in ("redirects", "tee"):
        if getattr(config, stream, Std.NONE) is None:  # PyTorch 1 under Python 3.11 loses its own default
            setattr(config, stream, Std.NONE)
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
    given = environment.read()
    if "time" in problem.lower() and "out" in problem.lower():
        tell_reason(
            f"the {given.workers} workers did not meet at {given.master} within {given.patience} s: "
            f"see whether all pods run, or raise rendezvous.timeoutSeconds ({problem.splitlines()[0]})"
        )
        return 1
    if "bind" in problem:
        tell_reason(f"worker 0 can't listen on port {given.port}: {problem.splitlines()[0]}")
        return 1
    say(f"worker 0 was lost: {problem.splitlines()[0]}")
    return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
