"""One process of the training, started by torchrun: python3 -m trainer.worker"""

import os
import sys
from datetime import timedelta

import torch
import torch.distributed as dist

from . import digits, environment, finish, hyperparameters, outcome
from .exits import BelowGate, Ended, Interrupted
from .outcome import Outcome
from .reporting import Log, say, tell_reason
from .training import Training


def main() -> int:
    given = environment.read()
    try:
        return _train(given)
    except Ended as ended:
        tell_reason(str(ended))
        return ended.code
    except RuntimeError as problem:
        # PyTorch 1 has no type for it.
        if not any(word in str(problem).lower() for word in ("gloo", "nccl", "connection", "socket", "timed out", "timeout")):
            raise
        # Not a reason to end: the launcher starts again.
        say(f"a peer was lost: {str(problem).splitlines()[0]}")
        return Interrupted.code


def _train(given: environment.Environment) -> int:
    wanted = hyperparameters.read(given.hyperparameters)
    data = digits.load(given.data)
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if cuda else "gloo", timeout=timedelta(seconds=given.patience))
    rank = dist.get_rank()
    log = Log(given, rank)
    training = Training(given, wanted, data, device, log)
    ended = None
    try:
        network = training.run()
        if rank == 0:
            ended = finish.run(given, wanted, data, network.cpu(), training.state.history)
    except BelowGate as problem:
        # The loss is that of all workers, so all are here.
        if rank == 0:
            ended = finish.reject(given, str(problem), {})
    # What comes after the last step is worker 0's; the others end as it does.
    box = [ended]
    dist.broadcast_object_list(box, device=device)
    return _end(given, box[0], log)


def _end(given: environment.Environment, ended: Outcome, log: Log) -> int:
    if outcome.read(given.folder) is None:  # of its own, where the workers share no volume
        outcome.write(given.folder, ended)
    log.event("end", result=ended.result, reason=ended.reason, version=ended.version, **ended.metrics)
    if ended.code:
        tell_reason(ended.reason)
    elif dist.get_rank() == 0:
        say(ended.reason)
    return ended.code


if __name__ == "__main__":
    code = main()
    # Without the interpreter's own end: a thread of PyTorch 1 that is still there then aborts the process now and then, and
    # what has been published would count as a failure.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
