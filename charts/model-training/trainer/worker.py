"""One process of the training, started by torchrun: python3 -m trainer.worker"""

import os
import sys
from datetime import timedelta

import torch
import torch.distributed as dist

from . import digits, environment, finish, hyperparameters, outcome
from .exits import BelowGate, Ended, Interrupted
from .outcome import Outcome
from .reporting import Log, error, info
from .training import Training


def main() -> int:
    env = environment.read()
    try:
        return _train(env)
    except Ended as ended:
        error(str(ended))
        return ended.code
    except RuntimeError as problem:
        # Gloo has no exception type for a lost peer.
        if not any(word in str(problem).lower() for word in ("gloo", "nccl", "connection", "socket", "timed out", "timeout")):
            raise
        # The run has not ended: the launcher starts torchrun again.
        info(f"lost a peer: {str(problem).splitlines()[0]}")
        return Interrupted.code


def _train(env: environment.Environment) -> int:
    parameters = hyperparameters.read(env.hyperparameters)
    data = digits.load(env.data)
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if cuda else "gloo", timeout=timedelta(seconds=env.rendezvous_timeout))
    rank = dist.get_rank()
    log = Log(env, rank)
    training = Training(env, parameters, data, device, log)
    ended = None
    try:
        network = training.run()
        if rank == 0:
            ended = finish.run(env, parameters, data, network.cpu(), training.state.history)
    except BelowGate as problem:
        # All workers share the loss, so all of them raise this.
        if rank == 0:
            ended = finish.reject(env, str(problem), {})
    # Only worker 0 finishes the run; the others end with its outcome.
    broadcast = [ended]
    dist.broadcast_object_list(broadcast, device=device)
    return _end(env, broadcast[0], log)


def _end(env: environment.Environment, ended: Outcome, log: Log) -> int:
    if outcome.read(env.folder) is None:  # a worker with a volume of its own
        outcome.write(env.folder, ended)
    log.event("end", result=ended.result, reason=ended.reason, version=ended.version, **ended.metrics)
    if ended.code:
        error(ended.reason)
    elif dist.get_rank() == 0:
        info(ended.reason)
    return ended.code


if __name__ == "__main__":
    code = main()
    # Skips the interpreter's shutdown: there a remaining thread of PyTorch sometimes aborts the process, and a published
    # run would count as a failure.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
