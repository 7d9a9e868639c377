"""The bundle, with the real ONNX Runtime and server."""

import subprocess
import unittest

import torch
from folder import Folder

from trainer import bundle, digits, environment, files, hyperparameters, manifest
from trainer.network import Network, Served


class Bundle(Folder):
    def test_it_is_complete_and_made_once(self):
        env = environment.read({"SLIPWAY_WORKSPACE": str(self.folder)})
        data = digits.load(env.data)
        torch.manual_seed(1)
        network = Network(8).eval()
        made = bundle.make(env, hyperparameters.Hyperparameters(), data, network, {"heldOutAccuracy": 1.0}, [])
        version = made / "digits" / "1"
        self.assertEqual(
            sorted(path.name for path in version.iterdir()),
            ["MANIFEST.json", "baseline.json", "golden.ndjson", "model.onnx", "training.json"],
        )
        manifest = files.read_json(version / "MANIFEST.json")
        self.assertEqual(manifest["data"]["sha256"], data.sha256)
        self.assertEqual(manifest["hyperparameters"]["hidden"], 128)
        self.assertEqual(manifest["metrics"], {"heldOutAccuracy": 1.0})
        self.assertEqual(len((version / "golden.ndjson").read_text().splitlines()), 10)
        column = files.read_json(version / "baseline.json")["inputs"]["pixels"]["columns"][20]
        self.assertAlmostEqual(column["mean"], data.training.pixels[:, 20].mean(), places=4)
        self.assertEqual(sum(column["counts"]), 1257)
        validated = subprocess.run(["slipway", "validate", "--models", made], capture_output=True, text=True)
        self.assertEqual(validated.returncode, 0, validated.stderr)
        before = (version / "model.onnx").stat().st_mtime_ns
        bundle.make(env, hyperparameters.Hyperparameters(), data, network, {}, [])
        self.assertEqual((version / "model.onnx").stat().st_mtime_ns, before)

    def test_a_wrong_answer_of_onnx_runtime_is_refused(self):
        version = self.folder / "digits" / "1"
        version.mkdir(parents=True)
        data = digits.load(environment.read({}).data)
        torch.manual_seed(1)
        bundle.export(Served(Network(8)), version / "model.onnx")
        torch.manual_seed(2)
        bundle.golden(Served(Network(8)), data.held_out, version / "golden.ndjson")
        self.assertNotEqual(subprocess.run(["slipway", "validate", "--models", self.folder], capture_output=True).returncode, 0)


class Manifest(Folder):
    """The trainer writes manifests by the server's rules: those of `slipway publish`, which writes one itself where there is
    none, and of `slipway validate`."""

    def setUp(self):
        super().setUp()
        self.version = self.folder / "repository" / "digits" / "1"
        self.version.mkdir(parents=True)
        torch.manual_seed(1)
        served = Served(Network(8))
        bundle.export(served, self.version / "model.onnx")
        bundle.golden(served, digits.load(environment.read({}).data).held_out, self.version / "golden.ndjson")
        (self.version / "training.json").write_text("{}")

    def validate(self):
        return subprocess.run(["slipway", "validate", "--models", self.folder / "repository"], capture_output=True, text=True)

    def publish(self, destination):
        command = ["slipway", "publish", self.version, self.folder / destination, "--model", "digits"]
        return subprocess.run(command, capture_output=True, text=True)

    def published(self, destination):
        return files.read_json(self.folder / destination / "digits" / "1" / manifest.NAME)

    def test_it_has_the_digests_of_publish(self):
        self.assertEqual(self.publish("without").returncode, 0)
        manifest.write(self.version, {"run": "a"})
        self.assertEqual(self.publish("with").returncode, 0)
        self.assertEqual(self.published("with"), {"files": self.published("without")["files"], "run": "a"})

    def test_publish_and_validate_accept_it(self):
        manifest.write(self.version, {})
        for accepted in (self.validate(), self.publish("models")):
            self.assertEqual(accepted.returncode, 0, accepted.stderr)

    def test_publish_and_validate_refuse_what_it_does_not_describe(self):
        training = self.version / "training.json"
        for name, change in {
            "a changed file": lambda: training.write_text("[]"),
            "a missing file": training.unlink,
            "a file without a digest": lambda: (self.version / "baseline.json").write_text("{}"),
        }.items():
            with self.subTest(name):
                (self.version / "baseline.json").unlink(missing_ok=True)
                training.write_text("{}")
                manifest.write(self.version, {})
                change()
                self.assertNotEqual(self.validate().returncode, 0)
                self.assertNotEqual(self.publish("models").returncode, 0)
                self.assertFalse((self.folder / "models" / "digits").exists())


if __name__ == "__main__":
    unittest.main()
