"""KServe's Python clients: REST under V1 and V2, and gRPC."""

import asyncio

import grpc
import httpx
import numpy
import pytest
from add_sub import A, B
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput


class V1:
    """The REST client under V1. Each of its calls takes the address, which this class and the next ones keep."""

    protocol = "v1"

    def __init__(self, server):
        self.client, self.address = InferenceRESTClient(RESTConfig(protocol=self.protocol, retries=0)), f"http://{server.http}"

    def call(self, method, *args, **kwargs):
        async def once():
            async with httpx.AsyncClient(trust_env=False) as connections:  # one loop, one client
                self.client._client = connections
                return await getattr(self.client, method)(self.address, *args, **kwargs)

        return asyncio.run(once())


class V2(V1):
    protocol = "v2"


class GRPC:
    def __init__(self, server):
        self.address = server.grpc

    def call(self, method, *args, **kwargs):
        async def once():
            async with InferenceGRPCClient(self.address, retries=0) as client:
                return await getattr(client, method)(*args, **kwargs)

        return asyncio.run(once())


@pytest.fixture
def v1(server):
    return V1(server)


@pytest.fixture
def v2(server):
    return V2(server)


@pytest.fixture
def rpc(server):
    return GRPC(server)


def pair(binary):
    inputs = []
    for name, value in [("INPUT0", A), ("INPUT1", B)]:
        inputs.append(InferInput(name, list(value.shape), "INT32"))
        inputs[-1].set_data_from_numpy(value, binary_data=binary)
    return inputs


def request(binary, **more):
    return InferRequest("add_sub", pair(binary), **more)


def check(response):
    got = {output.name: output.as_numpy() for output in response.outputs}
    numpy.testing.assert_array_equal(got["OUTPUT0"], A + B)
    numpy.testing.assert_array_equal(got["OUTPUT1"], A - B)


def test_v1(v1):
    assert v1.call("is_model_ready", "constant_1") is True
    assert v1.call("infer", {"instances": [[1], [2]]}, model_name="constant_1") == {"predictions": [[2], [3]]}
    assert v1.call("infer", {"inputs": {"x": [[1], [2]]}}, model_name="constant_1") == {"outputs": {"y": [[2], [3]]}}
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        v1.call("infer", {"instances": [[1]]}, model_name="nobody")
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        v1.call("is_model_ready", "nobody")


def test_v2_health(v2):
    assert v2.call("is_server_live") is True
    assert v2.call("is_server_ready") is True
    assert v2.call("is_model_ready", "add_sub") is True
    assert v2.call("is_model_ready", "nobody") is False


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("binary_output", [True, False])
def test_v2_infer(v2, binary, binary_output):
    headers = {}
    check(v2.call("infer", request(binary, parameters={"binary_data_output": binary_output}), model_name="add_sub", response_headers=headers))
    assert ("inference-header-content-length" in headers) == binary_output


def test_v2_outputs(v2):
    outputs = [RequestedOutput("OUTPUT1", {"binary_data": True}), RequestedOutput("OUTPUT0", {"binary_data": False})]
    response = v2.call("infer", request(True, request_id="42", request_outputs=outputs), model_name="add_sub")
    assert [output.name for output in response.outputs] == ["OUTPUT1", "OUTPUT0"]
    assert response.id == "42"
    check(response)


def test_v2_dictionary(v2):
    body = {"inputs": [{"name": "x", "shape": [2, 1], "datatype": "FP32", "data": [[1], [2]]}]}
    assert v2.call("infer", body, model_name="constant_1").outputs[0].data == [2, 3]


def test_v2_halves(v2):
    x = numpy.array([[0.1, -2, 65504]], numpy.float16)
    sent = InferInput("x", [1, 3], "FP16")
    sent.set_data_from_numpy(x, binary_data=True)
    response = v2.call("infer", InferRequest("identity_fp16", [sent], parameters={"binary_data_output": True}), model_name="identity_fp16")
    numpy.testing.assert_array_equal(response.outputs[0].as_numpy(), x)


@pytest.mark.parametrize("binary", [True, False])
def test_v2_words(v2, binary):
    words = numpy.array([["", "a"], ["花びら", "a longer one"]], dtype=object)
    sent = InferInput("x", [2, 2], "BYTES")
    sent.set_data_from_numpy(words, binary_data=binary)
    response = v2.call("infer", InferRequest("identity_bytes", [sent], parameters={"binary_data_output": binary}), model_name="identity_bytes")
    got = response.outputs[0].as_numpy()
    assert got.tolist() == words.tolist()


def test_v2_errors(v2):
    with pytest.raises(httpx.HTTPStatusError, match="nobody.*404"):
        v2.call("infer", request(True), model_name="nobody")
    with pytest.raises(httpx.HTTPStatusError, match="INPUT1.*400"):
        v2.call("infer", InferRequest("add_sub", pair(True)[:1]), model_name="add_sub")


def test_grpc_health(rpc):
    assert rpc.call("is_server_live") is True
    assert rpc.call("is_server_ready") is True
    assert rpc.call("is_model_ready", "add_sub") is True
    assert rpc.call("is_model_ready", "nobody") is False


def test_grpc_infer(rpc):
    check(rpc.call("infer", request(True, request_id="42")))


def test_grpc_typed(rpc):
    inputs = [InferInput(name, [1, 16], "INT32", data=value.flatten().tolist()) for name, value in [("INPUT0", A), ("INPUT1", B)]]
    response = rpc.call("infer", InferRequest("add_sub", inputs, request_id="42", model_version="1"))
    assert response.id == "42"
    check(response)


def test_grpc_errors(rpc):
    with pytest.raises(grpc.RpcError) as error:
        rpc.call("infer", InferRequest("nobody", pair(True)))
    assert error.value.code() == grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.RpcError) as error:
        rpc.call("infer", InferRequest("add_sub", pair(True)[:1]))
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "INPUT1" in error.value.details()
