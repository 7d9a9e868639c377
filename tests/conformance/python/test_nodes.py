"""The ONNX standard's own tests, through the server: its outputs equal ONNX Runtime's, and it refuses with a reason what
ONNX Runtime or the protocol does not support."""

import collections
import time

import nodes
import numpy
import pytest
import reference
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException

# These draw random numbers: two runs of ONNX Runtime differ, so only the shape can be compared.
RANDOM_OPERATORS = {"Bernoulli", "Dropout", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}

CASES = nodes.cases()
counts = collections.Counter()


@pytest.fixture(scope="module")
def clients(server):
    with tritonclient.http.InferenceServerClient(server.http) as http, tritonclient.grpc.InferenceServerClient(server.grpc) as grpc:
        yield {tritonclient.http: http, tritonclient.grpc: grpc}


@pytest.fixture(scope="module")
def index(clients):
    """The entries of the repository index by model, after the last model is loaded."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        entries = clients[tritonclient.http].get_model_repository_index()
        if len(entries) == len(CASES) and all(entry["state"] != "LOADING" for entry in entries):
            return {entry["name"]: entry for entry in entries}
        time.sleep(0.2)
    pytest.exit(f"only {len(entries)} of {len(CASES)} models are in the repository index")


def infer(protocol, client, name, inputs, datatypes):
    sent = []
    for n, v in inputs.items():
        sent.append(protocol.InferInput(n, list(v.shape), datatypes[n]))
        sent[-1].set_data_from_numpy(v)
    return client.infer(name, sent)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_node(case, server, clients, index):
    entry = index[case.name]
    try:
        model = reference.Model(server.models / case.name / "1" / "model.onnx")
    except Exception as refused:
        counts["not loaded"] += 1
        assert entry["state"] == "UNAVAILABLE", f"ONNX Runtime does not load it: {refused}"
        assert entry["reason"]
        return
    if kinds := model.unserved():
        counts["not in the protocol"] += 1
        assert entry["state"] == "UNAVAILABLE", f"the protocol has no {kinds}"
        assert entry["reason"]
        return
    assert entry["state"] == "READY", entry.get("reason")
    inputs = dict(zip(model.inputs, case.inputs))
    try:
        want = model.run(inputs)
    except Exception as refused:
        counts["fails in ONNX Runtime"] += 1
        for protocol, client in clients.items():
            with pytest.raises(InferenceServerException):
                infer(protocol, client, case.name, inputs, model.inputs)
        return
    counts["succeeded"] += 1
    counts["meets the standard"] += meets_standard(case, want)
    for protocol, client in clients.items():
        got = infer(protocol, client, case.name, inputs, model.inputs)
        for output, value in want.items():
            if not RANDOM_OPERATORS.isdisjoint(node.op_type for node in case.model.graph.node):
                assert got.as_numpy(output).shape == value.shape
            else:
                reference.assert_same(got.as_numpy(output), value, ulps=16)


def meets_standard(case, got):
    """Whether ONNX Runtime's outputs are those that the standard expects."""
    try:
        for value, want in zip(got.values(), case.outputs):
            numpy.testing.assert_allclose(value, want, rtol=case.rtol, atol=case.atol)
    except (AssertionError, TypeError, ValueError):
        return False
    return True


def test_most_succeed(capsys):
    """The tests above would also pass if the server refused every model."""
    with capsys.disabled():
        print(f"\n{dict(counts)}")
    assert counts["succeeded"] >= 1550
    assert counts["meets the standard"] >= 0.95 * counts["succeeded"]
