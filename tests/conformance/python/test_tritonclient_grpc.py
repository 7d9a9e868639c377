"""Triton's Python client over gRPC."""

import asyncio
import queue

import ml_dtypes
import numpy
import pytest
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio
from add_sub import A, B, check
from tritonclient.utils import InferenceServerException


@pytest.fixture(scope="module")
def client(server):
    with triton.InferenceServerClient(server.grpc) as client:
        yield client


@pytest.fixture(scope="module")
def admin(server):
    with triton.InferenceServerClient(server.admin) as client:
        yield client


def tensor(name, value, datatype):
    sent = triton.InferInput(name, list(value.shape), datatype)
    sent.set_data_from_numpy(value)
    return sent


def pair():
    return [tensor("INPUT0", A, "INT32"), tensor("INPUT1", B, "INT32")]


def one():
    return [tensor("x", numpy.ones((1, 1), numpy.float32), "FP32")]


def refused(status, call, *args, **kwargs):
    """Asserts that the call fails with a status and a message, and returns the message."""
    with pytest.raises(InferenceServerException) as error:
        call(*args, **kwargs)
    assert error.value.status() == f"StatusCode.{status}", error.value
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
    metadata = client.get_server_metadata(as_json=True)
    assert metadata["name"] == "slipway"
    assert metadata["version"]
    assert {"model_configuration", "model_repository", "statistics"} <= set(metadata["extensions"])


def test_model_metadata(client):
    metadata = client.get_model_metadata("add_sub", as_json=True)
    assert metadata["versions"] == ["1"]
    assert metadata["platform"]
    assert metadata["inputs"] == [{"name": f"INPUT{i}", "datatype": "INT32", "shape": ["-1", "16"]} for i in (0, 1)]
    assert client.get_model_metadata("versions").versions == ["1", "2"]


def test_model_config(client):
    config = client.get_model_config("batched").config
    assert config.name == "batched"
    assert config.max_batch_size == 8
    assert config.input[0].data_type == triton.model_config_pb2.TYPE_FP32
    assert config.input[0].dims == [-1], "a model that batches does not list the batch dimension"
    assert client.get_model_config("add_sub", "1").config.input[0].dims == [-1, 16]


def test_statistics(client):
    def of_static():
        (entry,) = client.get_inference_statistics("static_batch").model_stats
        return entry

    before = of_static()
    for _ in range(3):
        client.infer("static_batch", [tensor("x", numpy.ones((1, 4), numpy.float32), "FP32")])
    after = of_static()
    assert after.inference_stats.success.count - before.inference_stats.success.count == 3
    assert after.inference_stats.compute_infer.ns > before.inference_stats.compute_infer.ns
    assert after.execution_count - before.execution_count == 3
    assert {"add_sub", "static_batch", "names"} <= {entry.name for entry in client.get_inference_statistics().model_stats}


def test_repository_index(client):
    entry = next(m for m in client.get_model_repository_index().models if m.name == "add_sub")
    assert (entry.version, entry.state, entry.reason) == ("1", "READY", "")


def test_load_and_unload(client, admin):
    assert client.infer("loadable_grpc", one()).as_numpy("y") == 2
    admin.unload_model("loadable_grpc")
    assert not client.is_model_ready("loadable_grpc")
    refused("UNAVAILABLE", client.infer, "loadable_grpc", one())
    entry = next(m for m in admin.get_model_repository_index().models if m.name == "loadable_grpc")
    assert entry.state == "UNAVAILABLE"
    assert entry.reason
    admin.load_model("loadable_grpc")
    assert client.is_model_ready("loadable_grpc")
    assert client.infer("loadable_grpc", one()).as_numpy("y") == 2
    refused("NOT_FOUND", admin.load_model, "nobody")
    assert "admin" in refused("PERMISSION_DENIED", client.load_model, "loadable_grpc")
    assert "admin" in refused("PERMISSION_DENIED", client.unload_model, "loadable_grpc")


@pytest.mark.parametrize("names", [["OUTPUT1"], ["OUTPUT0"], ["OUTPUT1", "OUTPUT0"]])
def test_requested_outputs(client, names):
    result = client.infer("add_sub", pair(), outputs=[triton.InferRequestedOutput(name) for name in names])
    check(result, names)
    assert [output.name for output in result.get_response().outputs] == names


@pytest.mark.parametrize("algorithm", [None, "gzip", "deflate"])
def test_compression(client, algorithm):
    check(client.infer("add_sub", pair(), compression_algorithm=algorithm))


def test_async(client):
    results = queue.Queue()
    for _ in range(32):
        client.async_infer("add_sub", pair(), callback=lambda result, error: results.put((result, error)))
    for _ in range(32):
        result, error = results.get(timeout=30)
        assert error is None
        check(result)
    client.async_infer("nobody", pair(), callback=lambda result, error: results.put((result, error)))
    result, error = results.get(timeout=30)
    assert result is None
    assert error.status() == "StatusCode.NOT_FOUND"


def test_batch_of_good_and_bad(client):
    """Each client of a model that batches gets its own rows, and a bad request fails alone."""
    results = queue.Queue()
    rows = {i: numpy.full((1 + i % 3, 4), i, numpy.float32) for i in range(64)}
    for i, value in rows.items():
        sent = tensor("x", value, "FP32") if i % 8 else tensor("x", value.astype(numpy.float64), "FP64")
        client.async_infer("batched", [sent], request_id=str(i), callback=lambda result, error, i=i: results.put((i, result, error)))
    for _ in rows:
        i, result, error = results.get(timeout=30)
        if i % 8:
            assert error is None
            numpy.testing.assert_array_equal(result.as_numpy("y"), rows[i])
        else:
            assert error.status() == "StatusCode.INVALID_ARGUMENT"


def test_asyncio(server):
    async def send():
        async with triton_aio.InferenceServerClient(server.grpc) as client:
            assert await client.is_server_ready()
            for result in await asyncio.gather(*(client.infer("add_sub", pair()) for _ in range(8))):
                check(result)

    asyncio.run(send())


def test_stream(server):
    """Responses arrive in the order of the requests, and one that fails does not end the stream."""
    results = queue.Queue()
    with triton.InferenceServerClient(server.grpc) as client:
        client.start_stream(callback=lambda result, error: results.put((result, error)))
        for i in range(20):
            client.async_stream_infer("nobody" if i == 10 else "add_sub", pair(), request_id=str(i))
        for i in range(20):
            result, error = results.get(timeout=30)
            if i == 10:
                assert "nobody" in str(error)
                continue
            assert error is None
            assert result.get_response().id == str(i)
            check(result)
        client.stop_stream()
    assert results.empty()


def test_identity_of_a_request(client):
    response = client.infer("add_sub", pair(), model_version="1", request_id="花 42", timeout=5_000_000).get_response()
    assert (response.id, response.model_name, response.model_version) == ("花 42", "add_sub", "1")


def test_parameters_and_headers(client):
    check(client.infer("add_sub", pair(), parameters={"tenant": "a", "try": 2, "dry": False}, headers={"x-request-id": "7"}))


@pytest.mark.parametrize("version, want", [("1", 2), ("2", 3), ("", 3)])
def test_versions(client, version, want):
    result = client.infer("versions", one(), model_version=version)
    assert result.as_numpy("y") == want
    assert result.get_response().model_version == (version or "2")


def test_words(client):
    words = numpy.array([["", "a"], ["花びら", "a longer one"]], dtype=object)
    got = client.infer("identity_bytes", [tensor("x", words, "BYTES")]).as_numpy("y")
    assert [[w.decode() for w in row] for row in got] == words.tolist()


def test_halves(client):
    for name, datatype, kind in [("identity_fp16", "FP16", numpy.float16), ("identity_bf16", "BF16", ml_dtypes.bfloat16)]:
        x = numpy.array([[0.1, -2, 65504]], dtype=kind)
        got = client.infer(name, [tensor("x", x, datatype)]).as_numpy("y")
        assert got.dtype == kind
        numpy.testing.assert_array_equal(got.view(numpy.uint16), x.view(numpy.uint16))


@pytest.mark.parametrize("value", [numpy.array([[True, False]]), numpy.empty((0, 3), bool), numpy.empty((2, 0), bool)], ids=["some", "no row", "no column"])
def test_bool_and_empty(client, value):
    got = client.infer("identity_bool", [tensor("x", value, "BOOL")]).as_numpy("y")
    assert got.shape == value.shape
    numpy.testing.assert_array_equal(got, value)


def test_scalar(client):
    got = client.infer("scalar_int64", [tensor("x", numpy.array(2**62), "INT64")]).as_numpy("y")
    assert got.shape == ()
    assert got == 2**62


def test_names(client):
    a, b = numpy.array([1, 2], numpy.float32), numpy.array([5, 7], numpy.float32)
    result = client.infer("names", [tensor("petal length", a, "FP32"), tensor("длина лепестка", b, "FP32")])
    numpy.testing.assert_array_equal(result.as_numpy("合計"), a + b)
    numpy.testing.assert_array_equal(result.as_numpy('a "difference" \\ b'), a - b)


def test_large(client):
    """Ten times gRPC's default limit of 4 MiB."""
    x = numpy.random.default_rng(1).random((1, 10 << 20), numpy.float32)
    numpy.testing.assert_array_equal(client.infer("identity_fp32", [tensor("x", x, "FP32")]).as_numpy("y"), x)


def test_errors(client):
    assert "nobody" in refused("NOT_FOUND", client.infer, "nobody", pair())
    assert "7" in refused("NOT_FOUND", client.infer, "add_sub", pair(), model_version="7")
    refused("NOT_FOUND", client.get_model_metadata, "nobody")
    refused("NOT_FOUND", client.get_model_config, "nobody")
    assert "INPUT1" in refused("INVALID_ARGUMENT", client.infer, "add_sub", pair()[:1])
    assert "OUTPUT9" in refused("INVALID_ARGUMENT", client.infer, "add_sub", pair(), outputs=[triton.InferRequestedOutput("OUTPUT9")])
    wrong = [tensor("INPUT0", A.astype(numpy.float32), "FP32"), pair()[1]]
    assert "INT32" in refused("INVALID_ARGUMENT", client.infer, "add_sub", wrong)
    short = [tensor("INPUT0", A[:, :5].copy(), "INT32"), pair()[1]]
    assert "INPUT0" in refused("INVALID_ARGUMENT", client.infer, "add_sub", short)
    assert "indices" in refused("INVALID_ARGUMENT", client.infer, "gather", [tensor("index", numpy.array([9]), "INT64")])


def test_not_served(client):
    """The server refuses what Triton has beyond the listed extensions, and does not ignore it."""
    refused("INVALID_ARGUMENT", client.infer, "add_sub", pair(), outputs=[triton.InferRequestedOutput("OUTPUT0", class_count=2)])
    shared = triton.InferInput("INPUT0", [1, 16], "INT32")
    shared.set_shared_memory("region", 64)
    refused("INVALID_ARGUMENT", client.infer, "add_sub", [shared, pair()[1]])


def test_deadline(client):
    slow = [tensor("n", numpy.array([2000]), "INT64")]
    with pytest.raises(InferenceServerException) as late:
        client.infer("slow", slow, client_timeout=0.05)
    # Both ends give up at the deadline. If the server resets the stream first, the client reports it as cancelled.
    assert late.value.status() in ("StatusCode.DEADLINE_EXCEEDED", "StatusCode.RESOURCE_EXHAUSTED", "StatusCode.CANCELLED")
    with pytest.raises(InferenceServerException) as late:
        client.infer("slow", slow, timeout=20_000)
    assert late.value.status() in ("StatusCode.DEADLINE_EXCEEDED", "StatusCode.RESOURCE_EXHAUSTED")
