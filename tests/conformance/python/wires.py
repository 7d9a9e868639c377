"""The four encodings of a tensor, each with an infer(model, inputs, datatypes) that returns the outputs by name."""

import json
from urllib.parse import quote

import httpx
import numpy
import tritonclient.grpc
import tritonclient.http
from samples import NUMPY
from tritonclient.grpc import service_pb2, service_pb2_grpc

FIELDS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


class RESTJSON:
    """JSON in both directions. The package json does not round as numpy does, so no digit is lost."""

    def __init__(self, server):
        self.http = httpx.Client(base_url=f"http://{server.http}", trust_env=False)

    def infer(self, model, inputs, datatypes):
        body = {"inputs": [self.tensor(name, value, datatypes[name]) for name, value in inputs.items()]}
        response = self.http.post(f"/v2/models/{quote(model)}/infer", content=json.dumps(body))
        assert response.status_code == 200, response.text
        # Python would read -0 as an integer, which has no sign.
        result = response.json(parse_int=lambda digits: -0.0 if digits == "-0" else int(digits))
        return {output["name"]: self.array(output) for output in result["outputs"]}

    @staticmethod
    def tensor(name, value, datatype):
        data = [element.decode() if datatype == "BYTES" else element.item() for element in value.flatten()]
        if datatype in ("FP16", "BF16"):
            data = [float(element) for element in value.flatten()]
        return {"name": name, "datatype": datatype, "shape": value.shape, "data": data}

    @staticmethod
    def array(output):
        data = [element.encode() for element in output["data"]] if output["datatype"] == "BYTES" else output["data"]
        return numpy.array(data, dtype=NUMPY[output["datatype"]]).reshape(output["shape"])


class Client:
    """Triton's client, which sends raw bytes in both protocols: after the JSON in REST, in raw_input_contents in gRPC."""

    def __init__(self, protocol, address):
        self.protocol, self.client = protocol, protocol.InferenceServerClient(address)

    def infer(self, model, inputs, datatypes):
        sent = []
        for name, value in inputs.items():
            sent.append(self.protocol.InferInput(name, list(value.shape), datatypes[name]))
            sent[-1].set_data_from_numpy(value)
        result = self.client.infer(model, sent)
        outputs = result.get_response()["outputs"] if self.protocol is tritonclient.http else result.get_response().outputs
        names = [output["name"] if isinstance(output, dict) else output.name for output in outputs]
        return {name: result.as_numpy(name) for name in names}


class GRPCTyped:
    """Elements in the field of their type, in both directions: the response has the encoding of the request."""

    def __init__(self, server):
        self.stub = service_pb2_grpc.GRPCInferenceServiceStub(tritonclient.grpc.grpc.insecure_channel(server.grpc))

    def infer(self, model, inputs, datatypes):
        request = service_pb2.ModelInferRequest(model_name=model)
        for name, value in inputs.items():
            tensor = request.inputs.add(name=name, datatype=datatypes[name], shape=value.shape)
            getattr(tensor.contents, FIELDS[datatypes[name]]).extend(value.flatten().tolist())
        return self.outputs(self.stub.ModelInfer(request))

    @staticmethod
    def outputs(response):
        assert not response.raw_output_contents
        return {
            output.name: numpy.array(list(getattr(output.contents, FIELDS[output.datatype])), dtype=NUMPY[output.datatype]).reshape(output.shape)
            for output in response.outputs
        }


def all_of(server):
    return {
        "REST JSON": RESTJSON(server),
        "REST binary": Client(tritonclient.http, server.http),
        "gRPC typed": GRPCTyped(server),
        "gRPC raw": Client(tritonclient.grpc, server.grpc),
    }
