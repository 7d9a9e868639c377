"""One torchrun, as the PET_ variables tell it: python3 -m trainer.torchrun

torchrun itself ends with 1 whatever its workers ended with; this ends with the code of the one that failed first.
"""

import logging
import sys

from torch.distributed.elastic.multiprocessing import Std
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import elastic_launch
from torch.distributed.run import config_from_args, parse_args

from . import environment
from .exits import INTERRUPTED
from .reporting import say, tell_reason


def main() -> int:
    # Its warnings and the traceback of a worker that was meant to end are no news.
    logging.disable(logging.ERROR)
    config, command, arguments = config_from_args(parse_args(["--module", "trainer.worker"]))
    for stream in ("redirects", "tee"):
        if getattr(config, stream, Std.NONE) is None:  # PyTorch 1 under Python 3.11 loses its own default
            setattr(config, stream, Std.NONE)
    try:
        elastic_launch(config, command)(*arguments)
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
    say(f"worker 0 was lost: {problem.splitlines()[0]}")
    return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
