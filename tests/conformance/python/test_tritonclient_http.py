"""Triton's Python client over HTTP."""

import asyncio

import httpx
import ml_dtypes
import numpy
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from add_sub import A, B, check
from tritonclient.utils import InferenceServerException


@pytest.fixture(scope="module")
def client(server):
    with triton.InferenceServerClient(server.http, concurrency=8) as client:
        yield client


@pytest.fixture(scope="module")
def admin(server):
    with triton.InferenceServerClient(server.admin) as client:
        yield client


def tensor(name, value, datatype, binary=True):
    sent = triton.InferInput(name, list(value.shape), datatype)
    return sent.set_data_from_numpy(value, binary_data=binary)


def pair(binary=(True, True)):
    return [tensor("INPUT0", A, "INT32", binary[0]), tensor("INPUT1", B, "INT32", binary[1])]


def refused(status, call, *args, **kwargs):
    """Asserts that the call fails with a status and a message, and returns the message."""
    with pytest.raises(InferenceServerException) as error:
        call(*args, **kwargs)
    assert error.value.status() == status, error.value
    assert error.value.message()
    return error.value.message()


def test_health(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("add_sub")
    assert client.is_model_ready("add_sub", "1")
    assert not client.is_model_ready("add_sub", "7")
    assert not client.is_model_ready("nobody")


def test_server_metadata(client):
    metadata = client.get_server_metadata()
    assert metadata["name"] == "slipway"
    assert metadata["version"]
    assert {"binary_tensor_data", "model_configuration", "model_repository", "statistics"} <= set(metadata["extensions"])


def test_model_metadata(client):
    metadata = client.get_model_metadata("add_sub")
    assert metadata["name"] == "add_sub"
    assert metadata["versions"] == ["1"]
    assert metadata["platform"]
    assert metadata["inputs"] == [{"name": f"INPUT{i}", "datatype": "INT32", "shape": [-1, 16]} for i in (0, 1)]
    assert [output["name"] for output in metadata["outputs"]] == ["OUTPUT0", "OUTPUT1"]
    assert client.get_model_metadata("versions")["versions"] == ["1", "2"]


def test_model_config(client):
    config = client.get_model_config("batched")
    assert config["name"] == "batched"
    assert config["max_batch_size"] == 8
    assert config["input"][0]["data_type"] == "TYPE_FP32"
    assert config["input"][0]["dims"] == [-1], "a model that batches does not list the batch dimension"
    plain = client.get_model_config("add_sub", "1")
    assert plain["max_batch_size"] == 0
    assert plain["input"][0]["dims"] == [-1, 16]


def test_statistics(client):
    def of_constant():
        (entry,) = client.get_inference_statistics("constant_2")["model_stats"]
        assert entry["name"] == "constant_2"
        assert entry["version"] == "1"
        return entry

    before = of_constant()
    for _ in range(3):
        client.infer("constant_2", [tensor("x", numpy.ones((2, 1), numpy.float32), "FP32")])
    after = of_constant()
    assert after["inference_stats"]["success"]["count"] - before["inference_stats"]["success"]["count"] == 3
    assert after["inference_stats"]["compute_infer"]["ns"] > before["inference_stats"]["compute_infer"]["ns"]
    assert after["execution_count"] - before["execution_count"] == 3
    everything = client.get_inference_statistics()["model_stats"]
    assert {"add_sub", "constant_2", "names"} <= {entry["name"] for entry in everything}


def test_repository_index(client):
    entry = next(e for e in client.get_model_repository_index() if e["name"] == "add_sub")
    assert (entry["version"], entry["state"], entry.get("reason", "")) == ("1", "READY", "")


def test_load_and_unload(client, admin):
    one = [tensor("x", numpy.ones((1, 1), numpy.float32), "FP32")]
    assert client.infer("loadable_http", one).as_numpy("y") == 2
    admin.unload_model("loadable_http")
    assert not client.is_model_ready("loadable_http")
    refused("503", client.infer, "loadable_http", one)
    state = next(e for e in admin.get_model_repository_index() if e["name"] == "loadable_http")
    assert state["state"] == "UNAVAILABLE"
    assert state["reason"]
    admin.load_model("loadable_http")
    assert client.is_model_ready("loadable_http")
    assert client.infer("loadable_http", one).as_numpy("y") == 2
    refused("404", admin.load_model, "nobody")
    assert "admin" in refused("403", client.load_model, "loadable_http")
    assert "admin" in refused("403", client.unload_model, "loadable_http")


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_inputs(client, first, second):
    check(client.infer("add_sub", pair((first, second))))


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("names", [["OUTPUT1"], ["OUTPUT0"], ["OUTPUT1", "OUTPUT0"]])
def test_requested_outputs(client, names, binary):
    result = client.infer("add_sub", pair(), outputs=[triton.InferRequestedOutput(name, binary_data=binary) for name in names])
    check(result, names)
    assert [output["name"] for output in result.get_response()["outputs"]] == names
    for output in result.get_response()["outputs"]:
        assert ("data" in output) != binary
        assert ("binary_data_size" in output.get("parameters", {})) == binary


def test_mixed_outputs(client):
    outputs = [triton.InferRequestedOutput("OUTPUT0", binary_data=False), triton.InferRequestedOutput("OUTPUT1", binary_data=True)]
    result = client.infer("add_sub", pair(), outputs=outputs)
    check(result)
    assert "data" in result.get_output("OUTPUT0")
    assert result.get_output("OUTPUT1")["parameters"]["binary_data_size"] == 64


@pytest.mark.parametrize("request_algorithm", [None, "gzip", "deflate"])
@pytest.mark.parametrize("response_algorithm", [None, "gzip", "deflate"])
def test_compression(client, request_algorithm, response_algorithm):
    result = client.infer(
        "add_sub", pair(), request_compression_algorithm=request_algorithm, response_compression_algorithm=response_algorithm
    )
    check(result)


def test_async(client):
    requests = [client.async_infer("add_sub", pair()) for _ in range(32)]
    for request in requests:
        check(request.get_result())
    with pytest.raises(InferenceServerException):
        client.async_infer("nobody", pair()).get_result()


def test_asyncio(server):
    async def send():
        async with triton_aio.InferenceServerClient(server.http) as client:
            assert await client.is_server_ready()
            for result in await asyncio.gather(*(client.infer("add_sub", pair()) for _ in range(8))):
                check(result)

    asyncio.run(send())


def test_request_body(server):
    """The client makes the body, and another client sends it."""
    body, header = triton.InferenceServerClient.generate_request_body(pair())
    response = httpx.post(
        f"http://{server.http}/v2/models/add_sub/infer", content=body, headers={"Inference-Header-Content-Length": str(header)}, trust_env=False
    )
    assert response.status_code == 200, response.text
    check(triton.InferenceServerClient.parse_response_body(response.content, header_length=int(response.headers["Inference-Header-Content-Length"])))


def test_raw_request(server):
    """With a JSON header of length 0, the body is the only input, and every output is raw."""
    x = numpy.array([[1, 2, 3, 4]], numpy.float32)
    response = httpx.post(
        f"http://{server.http}/v2/models/static_batch/infer", content=x.tobytes(), headers={"Inference-Header-Content-Length": "0"}, trust_env=False
    )
    assert response.status_code == 200, response.text
    header = int(response.headers["Inference-Header-Content-Length"])
    result = triton.InferenceServerClient.parse_response_body(response.content, header_length=header)
    numpy.testing.assert_array_equal(result.as_numpy("y"), x + 1)


def test_identity_of_a_request(client):
    result = client.infer("add_sub", pair(), model_version="1", request_id="花 42", priority=0, timeout=5_000_000)
    assert result.get_response()["id"] == "花 42"
    assert result.get_response()["model_name"] == "add_sub"
    assert result.get_response()["model_version"] == "1"


def test_parameters_and_headers(client):
    check(client.infer("add_sub", pair(), parameters={"tenant": "a", "try": 2, "dry": False}, headers={"X-Request-Id": "7"}, query_params={"a": "b"}))


@pytest.mark.parametrize("version, want", [("1", 2), ("2", 3), ("", 3)])
def test_versions(client, version, want):
    result = client.infer("versions", [tensor("x", numpy.ones((1, 1), numpy.float32), "FP32")], model_version=version)
    assert result.as_numpy("y") == want
    assert result.get_response()["model_version"] == (version or "2")


@pytest.mark.parametrize("binary", [True, False])
def test_words(client, binary):
    words = numpy.array([["", "a"], ["花びら", "a longer one"]], dtype=object)
    result = client.infer("identity_bytes", [tensor("x", words, "BYTES", binary)])
    assert [[w.decode() for w in row] for row in result.as_numpy("y")] == words.tolist()
    outputs = [triton.InferRequestedOutput("y", binary_data=False)]
    assert client.infer("identity_bytes", [tensor("x", words, "BYTES", binary)], outputs=outputs).as_numpy("y").tolist() == words.tolist()


def test_halves(client):
    for name, datatype, kind in [("identity_fp16", "FP16", numpy.float16), ("identity_bf16", "BF16", ml_dtypes.bfloat16)]:
        x = numpy.array([[0.1, -2, 65504]], dtype=kind)
        got = client.infer(name, [tensor("x", x, datatype)]).as_numpy("y")
        assert got.dtype == kind
        numpy.testing.assert_array_equal(got.view(numpy.uint16), x.view(numpy.uint16))


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("value", [numpy.array([[True, False]]), numpy.empty((0, 3), bool), numpy.empty((2, 0), bool)], ids=["some", "no row", "no column"])
def test_bool_and_empty(client, value, binary):
    got = client.infer("identity_bool", [tensor("x", value, "BOOL", binary)], outputs=[triton.InferRequestedOutput("y", binary_data=binary)]).as_numpy("y")
    assert got.shape == value.shape
    numpy.testing.assert_array_equal(got, value)


@pytest.mark.parametrize("binary", [True, False])
def test_scalar(client, binary):
    got = client.infer("scalar_int64", [tensor("x", numpy.array(2**62), "INT64", binary)]).as_numpy("y")
    assert got.shape == ()
    assert got == 2**62


def test_names(client):
    a, b = numpy.array([1, 2], numpy.float32), numpy.array([5, 7], numpy.float32)
    result = client.infer("names", [tensor("petal length", a, "FP32"), tensor("длина лепестка", b, "FP32")])
    numpy.testing.assert_array_equal(result.as_numpy("合計"), a + b)
    numpy.testing.assert_array_equal(result.as_numpy('a "difference" \\ b'), a - b)


def test_errors(client):
    assert "nobody" in refused("404", client.infer, "nobody", pair())
    assert "7" in refused("404", client.infer, "add_sub", pair(), model_version="7")
    refused("404", client.get_model_metadata, "nobody")
    refused("404", client.get_model_config, "nobody")
    assert "INPUT1" in refused("400", client.infer, "add_sub", pair()[:1])
    assert "OUTPUT9" in refused("400", client.infer, "add_sub", pair(), outputs=[triton.InferRequestedOutput("OUTPUT9")])
    wrong = [tensor("INPUT0", A.astype(numpy.float32), "FP32"), pair()[1]]
    assert "INT32" in refused("400", client.infer, "add_sub", wrong)
    short = [tensor("INPUT0", A[:, :5].copy(), "INT32"), pair()[1]]
    assert "INPUT0" in refused("400", client.infer, "add_sub", short)
    assert "indices" in refused("400", client.infer, "gather", [tensor("index", numpy.array([9]), "INT64")])


def test_not_served(client):
    """The server refuses what Triton has beyond the listed extensions, and does not ignore it."""
    refused("400", client.infer, "add_sub", pair(), outputs=[triton.InferRequestedOutput("OUTPUT0", class_count=2)])
    shared = triton.InferInput("INPUT0", [1, 16], "INT32").set_shared_memory("region", 64)
    refused("400", client.infer, "add_sub", [shared, pair()[1]])


def test_deadline(client):
    slow = [tensor("n", numpy.array([2000]), "INT64")]
    with pytest.raises(InferenceServerException) as late:
        client.infer("slow", slow, timeout=20_000)
    assert late.value.status() in ("504", "429")
