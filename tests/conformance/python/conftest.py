"""The server under test. The Go test that starts it passes its addresses in the environment."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import reference


@pytest.fixture(scope="session")
def server():
    """The addresses as host:port, and the model repository."""
    return SimpleNamespace(
        http=os.environ["SLIPWAY_HTTP"],
        grpc=os.environ["SLIPWAY_GRPC"],
        admin=os.environ["SLIPWAY_ADMIN"],
        models=Path(os.environ["SLIPWAY_MODELS"]),
    )


@pytest.fixture(scope="session")
def reference_of(server):
    """Returns a function that loads a model of the repository into this process."""
    known = {}

    def model(name, version="1"):
        path = server.models / name / version / "model.onnx"
        if path not in known:
            known[path] = reference.Model(path)
        return known[path]

    return model
