"""The steps after the last training step, only in worker 0: evaluate, gate, bundle, publish."""

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
from .reporting import info


def run(env: Environment, parameters: Hyperparameters, digits: Digits, network: Network, history: list[dict]) -> Outcome:
    """Each step may run again, so a run that is interrupted here resumes from its last checkpoint."""
    network.eval()
    held_out = accuracy(network, torch.from_numpy(digits.held_out.pixels), torch.from_numpy(digits.held_out.digits))
    metrics = {"heldOutAccuracy": held_out, "validationAccuracy": history[-1]["validationAccuracy"], "loss": history[-1]["loss"]}
    info(f"accuracy {100 * held_out:.2f} % on {len(digits.held_out.digits)} held-out rows")
    if held_out < parameters.minAccuracy:
        return reject(env, f"held-out accuracy {held_out:.4f} is below minAccuracy {parameters.minAccuracy}: nothing is published", metrics)
    folder = bundle.make(env, parameters, digits, network, metrics, history)
    validate(folder)
    if env.sweep:
        return sweep.record(env, Outcome("trained", "the bundle is ready", metrics), publish)
    version = publish(env, folder)
    return record(env, Outcome("published", f"published version {version} of {env.model}", metrics, version))


def reject(env: Environment, reason: str, metrics: dict) -> Outcome:
    rejected = Outcome("rejected", reason, metrics)
    return sweep.record(env, rejected, publish) if env.sweep else record(env, rejected)


def record(env: Environment, ended: Outcome) -> Outcome:
    outcome.write(env.folder, ended)
    return ended


def validate(folder: Path) -> None:
    """Lets the server itself load the bundle: ONNX Runtime must reproduce PyTorch's outputs."""
    validated = subprocess.run(["slipway", "validate", "--models", folder], capture_output=True, text=True)
    if validated.returncode:
        # The next attempt makes it again.
        shutil.rmtree(folder)
        raise Ended(f"the server refuses the bundle: {validated.stderr.strip() or validated.stdout.strip()}")
    info("the server has loaded the bundle, and ONNX Runtime reproduces PyTorch's outputs")


def publish(env: Environment, folder: Path) -> int:
    """Returns the bundle's version in the repository. `slipway publish` makes none for a bundle that is published already."""
    published = subprocess.run(
        ["slipway", "publish", folder / env.model / "1", env.destination, "--model", env.model],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    if published.returncode:
        raise Ended(f"publish to {env.destination}: {published.stderr.strip().splitlines()[-1]}; the bundle is in {folder}")
    return json.loads(published.stdout)["version"]
