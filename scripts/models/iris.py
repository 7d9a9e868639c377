"""Writes the bundled model, which classifies an iris by the sizes of its flower, and its golden answers.

Input X FP32 [-1,4]: sepal length, sepal width, petal length and petal width in
centimetres. Outputs: label INT64 [-1] (0 setosa, 1 versicolor, 2 virginica) and
probabilities FP32 [-1,3].
"""

import json

import numpy
import onnx
import onnxruntime
from files import OPSET, ROOT, encode, main
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def train(labels: numpy.ndarray | None = None) -> Pipeline:
    """Returns the classifier; labels are the names of the three classes, by default 0, 1 and 2."""
    data = load_iris()
    target = data.target if labels is None else labels[data.target]
    model = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-10, max_iter=1000, random_state=0))
    model.fit(data.data, target)
    # Processors sum in different orders, so the last digits differ. Four decimals
    # predict the same and are equal everywhere.
    scaler, regression = model[0], model[1]
    scaler.mean_, scaler.scale_ = scaler.mean_.round(4), scaler.scale_.round(4)
    regression.coef_, regression.intercept_ = regression.coef_.round(4), regression.intercept_.round(4)
    return model


def export(model: Pipeline, zipmap: bool) -> onnx.ModelProto:
    """Returns the classifier as ONNX. The probabilities are a sequence of maps with
    a zipmap, which is skl2onnx's default, and one tensor without it."""
    example = load_iris().data[:1].astype(numpy.float32)
    return to_onnx(model, example, name="iris", target_opset=OPSET, options={"zipmap": zipmap})


def golden(model: bytes) -> bytes:
    """Returns golden.ndjson with ONNX Runtime's outputs for a flower of each kind."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    lines = []
    for sizes in load_iris().data[[0, 60, 120]]:
        label, probabilities = session.run(None, {"X": sizes[None].astype(numpy.float32)})
        request = {"inputs": [oip("X", "FP32", sizes[None])]}
        response = {
            "model_name": "iris",
            "model_version": "1",
            # Six decimals, because processors sum in different orders.
            "outputs": [oip("label", "INT64", label), oip("probabilities", "FP32", probabilities.astype(float).round(6))],
        }
        line = {"request": request, "response": response, "tolerance": {"absolute": 1e-5, "relative": 1e-4}}
        lines.append(json.dumps(line, separators=(",", ":")) + "\n")
    return "".join(lines).encode()


def oip(name: str, datatype: str, values: numpy.ndarray) -> dict:
    """Returns a tensor of the Open Inference Protocol."""
    return {"name": name, "datatype": datatype, "shape": list(values.shape), "data": values.ravel().tolist()}


if __name__ == "__main__":
    classifier = train()
    iris = load_iris()
    print(f"iris: accuracy {classifier.score(iris.data, iris.target):.3f} on the {len(iris.target)} flowers it was trained on")
    model = encode(export(classifier, zipmap=False))
    version = ROOT / "server/models/iris/1"
    main(__doc__, {version / "model.onnx": model, version / "golden.ndjson": golden(model)})
