"""The loop: every worker takes its share of each batch, and their gradients are averaged."""

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
from .reporting import Log, Progress, say


@dataclass
class State:
    """All that a run has reached: what is in a checkpoint."""

    step: int = 0
    history: list[dict] = field(default_factory=list)  # of each epoch: its mean loss and the validation accuracy
    loss_sum: float = 0.0  # of the epoch under way
    rows: int = 0  # of the epoch under way


class Stop:
    """Whether SIGTERM has come. Until there's something to save, it ends the process as it always does."""

    def __init__(self):
        self.told = False
        signal.signal(signal.SIGTERM, self._tell)

    def _tell(self, *_):
        self.told = True


def batch(seed: int, step: int, rows: int, size: int) -> torch.Tensor:
    """The rows of a step: those of its epoch's shuffle, the same for however many workers and however many tries."""
    per_epoch = math.ceil(rows / size)
    epoch, number = divmod(step, per_epoch)
    shuffle = torch.randperm(rows, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))
    return shuffle[number * size : (number + 1) * size]


class Training:
    def __init__(self, environment: Environment, given: Hyperparameters, digits: Digits, device: torch.device, log: Log):
        self.environment, self.given, self.device, self.log = environment, given, device, log
        self.rank, self.world = dist.get_rank(), dist.get_world_size()
        self.pixels, self.digits = (torch.from_numpy(a).to(device) for a in (digits.training.pixels, digits.training.digits))
        self.validation = [torch.from_numpy(a).to(device) for a in (digits.validation.pixels, digits.validation.digits)]
        self.per_epoch = math.ceil(len(self.pixels) / given.batchSize)
        self.steps = given.epochs * self.per_epoch
        torch.manual_seed(given.seed)
        self.network = Network(given.hidden).to(device)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=given.learningRate, momentum=given.momentum)
        self.state = State()

    def run(self) -> Network:
        """Trains to the end. Raises Interrupted, with all that was reached saved, and BelowGate for a loss that is no number."""
        self._resume()
        stop = Stop()
        # DDP gives all workers the weights of worker 0.
        model = DistributedDataParallel(self.network)
        progress = Progress(self.state.step, self.steps, self.given.batchSize, self.rank == 0)
        try:
            while self.state.step < self.steps:
                loss, told = self._step(model, stop)
                progress.at(self.state.step, loss)
                if not math.isfinite(loss):
                    raise BelowGate(f"the loss is {loss} at step {self.state.step}: lower learningRate, which is {self.given.learningRate}")
                if self.state.step % self.per_epoch == 0:
                    self._end_epoch(progress)
                if told:
                    self._save()
                    raise Interrupted(f"told to stop at step {self.state.step} of {self.steps}, which is saved")
                if self.state.step % self.given.checkpointSteps == 0 or self.state.step == self.steps:
                    self._save()
        finally:
            progress.close()
        return self.network

    def _step(self, model: nn.Module, stop: Stop) -> tuple[float, bool]:
        """One step. Returns the mean loss of the whole batch, and whether any worker was told to stop."""
        rows = batch(self.given.seed, self.state.step, len(self.pixels), self.given.batchSize)
        share = rows[self.rank :: self.world].to(self.device)
        self.optimizer.zero_grad()
        loss_sum = cross_entropy(model(self.pixels[share]), self.digits[share], reduction="sum")
        # DDP averages over the workers. Times their number and over all rows, that is the gradient of the batch's mean
        # loss, also where shares differ by a row.
        (loss_sum * (self.world / len(rows))).backward()
        self.optimizer.step()
        # All must leave the loop at the same step, so whether to is asked of all.
        shared = torch.tensor([loss_sum.item(), float(stop.told)], dtype=torch.float64, device=self.device)
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
        self.log.event("epoch", step=self.state.step, rowsPerSecond=round(progress.rate(self.state.step)), **epoch)

    def _save(self) -> None:
        if self.rank == 0:
            checkpoint.save(
                self.environment.checkpoints,
                {**vars(self.state), "network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()},
            )
            self.log.event("checkpoint", step=self.state.step)

    def _resume(self) -> None:
        """Goes on from worker 0's newest checkpoint, wherever the others have been."""
        box = [checkpoint.newest(self.environment.checkpoints, say) if self.rank == 0 else None]
        dist.broadcast_object_list(box, device=self.device)
        if saved := box[0]:
            self.network.load_state_dict(saved.pop("network"))
            self.optimizer.load_state_dict(saved.pop("optimizer"))
            self.state = State(**saved)
        if self.rank == 0:
            say(f"{self.world} workers, " + (f"going on from step {self.state.step}" if saved else "from the beginning"))
        self.log.event("start", step=self.state.step, workers=self.world)
