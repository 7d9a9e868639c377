"""What comes after the last step, in worker 0 alone: evaluate, pass the gate or not, bundle, publish."""

import json
import shutil
import subprocess
from pathlib import Path

import torch

from . import bundle, outcome, sweep
from .digits import Digits
from .environment import Environment
from .exits import Ended
from .hyperparameters import Hyperparameters
from .network import Network, accuracy
from .outcome import Outcome
from .reporting import say


def run(given: Environment, wanted: Hyperparameters, digits: Digits, network: Network, history: list[dict]) -> Outcome:
    """Every step of it can be done again, so that a run that was interrupted here goes on from its last checkpoint."""
    network.eval()
    held_out = accuracy(network, torch.from_numpy(digits.held_out.pixels), torch.from_numpy(digits.held_out.digits))
    metrics = {"heldOutAccuracy": held_out, "validationAccuracy": history[-1]["validationAccuracy"], "loss": history[-1]["loss"]}
    say(f"{100 * held_out:.2f} % of {len(digits.held_out.digits)} held-out rows are right")
    if held_out < wanted.minAccuracy:
        return reject(given, f"held-out accuracy {held_out:.4f} is below minAccuracy {wanted.minAccuracy}: nothing is published", metrics)
    folder = bundle.make(given, wanted, digits, network, metrics, history)
    prove(folder)
    if given.sweep:
        return sweep.settle(given, Outcome("trained", "the bundle is made", metrics), publish)
    version = publish(given, folder)
    return mark(given, Outcome("published", f"published version {version} of {given.model}", metrics, version))


def reject(given: Environment, reason: str, metrics: dict) -> Outcome:
    rejected = Outcome("rejected", reason, metrics)
    return sweep.settle(given, rejected, publish) if given.sweep else mark(given, rejected)


def mark(given: Environment, ended: Outcome) -> Outcome:
    outcome.write(given.folder, ended)
    return ended


def prove(folder: Path) -> None:
    """Has the server itself load the bundle: ONNX Runtime must give the answers that PyTorch gave."""
    checked = subprocess.run(["slipway", "validate", "--models", folder], capture_output=True, text=True)
    if checked.returncode:
        # Made anew by the next try.
        shutil.rmtree(folder)
        raise Ended(f"the server refuses the bundle: {checked.stderr.strip() or checked.stdout.strip()}")
    say("the server has loaded the bundle, and ONNX Runtime answers as PyTorch does")


def publish(given: Environment, folder: Path) -> int:
    """The bundle's version in the repository, which is a new one unless this very bundle is there already."""
    published = subprocess.run(
        ["slipway", "publish", folder / given.model / "1", given.destination, "--model", given.model],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    if published.returncode:
        raise Ended(f"publish to {given.destination}: {published.stderr.strip().splitlines()[-1]}; the bundle is in {folder}")
    return json.loads(published.stdout)["version"]
