"""A training of your own: the workers meet, train, save their progress in the workspace, resume after a kill, and worker 0
publishes the model. Run it with `command: [torchrun, /code/train.py]`; the chart sets torchrun's arguments."""

import os
import subprocess
from pathlib import Path

import torch
import torch.distributed as dist
import yaml
from torch.nn import Linear, ReLU, Sequential
from torch.nn.functional import mse_loss
from torch.nn.parallel import DistributedDataParallel

parameters = yaml.safe_load(Path(os.environ["SLIPWAY_HYPERPARAMETERS"]).read_text())
folder = Path(os.environ["SLIPWAY_WORKSPACE"], "runs", os.environ["SLIPWAY_RUN"])
checkpoint = folder / "checkpoint.pt"

dist.init_process_group("gloo")
rank, workers = dist.get_rank(), dist.get_world_size()

# The data: what every worker can make for itself. With data.existingClaim yours lies in /data.
torch.manual_seed(parameters["seed"])
inputs = torch.rand(1024, 4)
targets = inputs.sum(dim=1, keepdim=True).sin()
network = Sequential(Linear(4, parameters["hidden"]), ReLU(), Linear(parameters["hidden"], 1))
optimizer = torch.optim.SGD(network.parameters(), lr=parameters["learningRate"], momentum=parameters["momentum"])

# All workers resume from worker 0's checkpoint, also those whose volume has none.
saved = [torch.load(checkpoint) if rank == 0 and checkpoint.exists() else None]
dist.broadcast_object_list(saved)
first = 0
if saved[0]:
    first = saved[0]["epoch"]
    network.load_state_dict(saved[0]["network"])
    optimizer.load_state_dict(saved[0]["optimizer"])
if rank == 0:
    print(f"{workers} workers, " + (f"resumed from epoch {first}" if first else "from the beginning"), flush=True)

model = DistributedDataParallel(network)
for epoch in range(first + 1, parameters["epochs"] + 1):
    optimizer.zero_grad()
    loss = mse_loss(model(inputs[rank::workers]), targets[rank::workers])
    loss.backward()
    optimizer.step()
    if rank == 0 and (epoch % parameters["checkpointSteps"] == 0 or epoch == parameters["epochs"]):
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / "checkpoint.part"
        torch.save({"epoch": epoch, "network": network.state_dict(), "optimizer": optimizer.state_dict()}, part)
        part.replace(checkpoint)  # whole or not at all, also when the pod is killed here
        print(f"epoch {epoch} of {parameters['epochs']}, loss {loss.item():.5f}", flush=True)

if rank == 0:
    bundle = folder / "bundle"
    bundle.mkdir(exist_ok=True)
    torch.onnx.export(
        network.eval(), (inputs[:2],), str(bundle / "model.onnx"),
        input_names=["inputs"], output_names=["sine"], dynamic_axes={"inputs": {0: "rows"}, "sine": {0: "rows"}}, dynamo=False,
    )  # fmt: skip
    # Publishing the same bundle again makes no second version.
    subprocess.run(["slipway", "publish", bundle, os.environ["SLIPWAY_PUBLISH"], "--model", os.environ["SLIPWAY_MODEL"]], check=True)
dist.barrier()
dist.destroy_process_group()
