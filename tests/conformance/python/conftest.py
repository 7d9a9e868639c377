"""Where the server is: the Go test that starts it says so in the environment."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import reference


@pytest.fixture(scope="session")
def server():
    """Addresses as host:port, and the folder of the models that are served."""
    return SimpleNamespace(
        http=os.environ["SLIPWAY_HTTP"],
        grpc=os.environ["SLIPWAY_GRPC"],
        admin=os.environ["SLIPWAY_ADMIN"],
        models=Path(os.environ["SLIPWAY_MODELS"]),
    )


@pytest.fixture(scope="session")
def reference_of(server):
    """The model of a name as ONNX Runtime has it in this process."""
    known = {}

    def model(name, version="1"):
        path = server.models / name / version / "model.onnx"
        if path not in known:
            known[path] = reference.Model(path)
        return known[path]

    return model
