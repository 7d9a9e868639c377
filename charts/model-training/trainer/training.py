"""The training loop: every worker takes its share of each batch, and DDP averages their gradients."""

import math
import signal
from dataclasses import dataclass, field

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

from . import checkpoint
from .digits import Digits
from .environment import Environment
from .exits import BelowGate, Interrupted
from .hyperparameters import Hyperparameters
from .network import Network, accuracy
from .reporting import Log, Progress, info


@dataclass
class State:
    """The progress of a run, which a checkpoint holds."""

    step: int = 0
    history: list[dict] = field(default_factory=list)  # of each epoch: its mean loss and the validation accuracy
    loss_sum: float = 0.0  # of the current epoch
    rows: int = 0  # of the current epoch


class Stop:
    """Notes SIGTERM. Before its creation there is nothing to save, and the signal ends the process."""

    def __init__(self):
        self.requested = False
        signal.signal(signal.SIGTERM, self._request)

    def _request(self, *_):
        self.requested = True


def batch(seed: int, step: int, rows: int, size: int) -> torch.Tensor:
    """The rows of a step in the shuffle of its epoch: the same for any number of workers and attempts."""
    per_epoch = math.ceil(rows / size)
    epoch, number = divmod(step, per_epoch)
    shuffle = torch.randperm(rows, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))
    return shuffle[number * size : (number + 1) * size]


class Training:
    def __init__(self, env: Environment, parameters: Hyperparameters, digits: Digits, device: torch.device, log: Log):
        self.env, self.parameters, self.device, self.log = env, parameters, device, log
        self.rank, self.world = dist.get_rank(), dist.get_world_size()
        self.pixels, self.digits = (torch.from_numpy(a).to(device) for a in (digits.training.pixels, digits.training.digits))
        self.validation = [torch.from_numpy(a).to(device) for a in (digits.validation.pixels, digits.validation.digits)]
        self.per_epoch = math.ceil(len(self.pixels) / parameters.batchSize)
        self.steps = parameters.epochs * self.per_epoch
        torch.manual_seed(parameters.seed)
        self.network = Network(parameters.hidden).to(device)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=parameters.learningRate, momentum=parameters.momentum)
        self.state = State()

    def run(self) -> Network:
        """Trains to the end. Raises Interrupted after it has saved the progress, and BelowGate for a loss that is not a number."""
        self._resume()
        stop = Stop()
        # DDP gives all workers the weights of worker 0.
        model = DistributedDataParallel(self.network)
        progress = Progress(self.state.step, self.steps, self.parameters.batchSize, self.rank == 0)
        try:
            while self.state.step < self.steps:
                loss, stopped = self._step(model, stop)
                progress.at(self.state.step, loss)
                if not math.isfinite(loss):
                    raise BelowGate(f"the loss is {loss} at step {self.state.step}: lower learningRate, which is {self.parameters.learningRate}")
                if self.state.step % self.per_epoch == 0:
                    self._end_epoch(progress)
                if stopped:
                    self._save()
                    raise Interrupted(f"stopped at step {self.state.step} of {self.steps}, which is saved")
                if self.state.step % self.parameters.checkpointSteps == 0 or self.state.step == self.steps:
                    self._save()
        finally:
            progress.close()
        return self.network

    def _step(self, model: nn.Module, stop: Stop) -> tuple[float, bool]:
        """Runs one step. Returns the mean loss of the whole batch, and whether any worker received SIGTERM."""
        rows = batch(self.parameters.seed, self.state.step, len(self.pixels), self.parameters.batchSize)
        share = rows[self.rank :: self.world].to(self.device)
        self.optimizer.zero_grad()
        loss_sum = cross_entropy(model(self.pixels[share]), self.digits[share], reduction="sum")
        # DDP averages over the workers. Scaled by their number and divided by all rows, the result is the gradient of the
        # batch's mean loss, also when the shares differ by a row.
        (loss_sum * (self.world / len(rows))).backward()
        self.optimizer.step()
        # All workers must leave the loop at the same step, so they share whether any was stopped.
        shared = torch.tensor([loss_sum.item(), float(stop.requested)], dtype=torch.float64, device=self.device)
        dist.all_reduce(shared)
        self.state.step += 1
        self.state.loss_sum += shared[0].item()
        self.state.rows += len(rows)
        return shared[0].item() / len(rows), shared[1].item() > 0

    def _end_epoch(self, progress: Progress) -> None:
        epoch = {
            "epoch": self.state.step // self.per_epoch,
            "loss": self.state.loss_sum / self.state.rows,
            "validationAccuracy": accuracy(self.network, *self.validation),
        }
        self.state.history.append(epoch)
        self.state.loss_sum, self.state.rows = 0.0, 0
        self.log.event("epoch", step=self.state.step, rows_per_second=round(progress.rate(self.state.step)), **epoch)

    def _save(self) -> None:
        if self.rank == 0:
            checkpoint.save(
                self.env.checkpoints,
                {**vars(self.state), "network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()},
            )
            self.log.event("checkpoint", step=self.state.step)

    def _resume(self) -> None:
        """Resumes from worker 0's newest checkpoint, whatever the state of the other workers."""
        broadcast = [checkpoint.newest(self.env.checkpoints, info) if self.rank == 0 else None]
        dist.broadcast_object_list(broadcast, device=self.device)
        if saved := broadcast[0]:
            self.network.load_state_dict(saved.pop("network"))
            self.optimizer.load_state_dict(saved.pop("optimizer"))
            self.state = State(**saved)
        if self.rank == 0:
            info(f"{self.world} workers, " + (f"resumed from step {self.state.step}" if saved else "from the beginning"))
        self.log.event("start", step=self.state.step, workers=self.world)
