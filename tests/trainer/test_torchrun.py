"""Programs that are not the chart's own trainer, in its image."""

import json
import os
import subprocess
import sys
import unittest

import yaml
from folder import Folder

from trainer.exits import MISCONFIGURED

EXAMPLE = "/examples/train.py"


class Torchrun(Folder):
    port = 29700

    def torchrun(self, epochs):
        """Runs the example with two workers, and returns the output of the first."""
        Torchrun.port += 1
        parameters = self.folder / "hyperparameters.yaml"
        parameters.write_text(yaml.safe_dump({"epochs": epochs, "hidden": 8, "learningRate": 0.05, "momentum": 0.9, "seed": 1, "checkpointSteps": 20}))
        environment = {
            **os.environ, "OMP_NUM_THREADS": "1", "PET_NNODES": "2", "PET_NPROC_PER_NODE": "1", "PET_MASTER_ADDR": "localhost",
            "PET_MASTER_PORT": str(self.port), "SLIPWAY_WORKSPACE": str(self.folder), "SLIPWAY_RUN": "sine", "SLIPWAY_MODEL": "sine",
            "SLIPWAY_PUBLISH": str(self.folder / "models"), "SLIPWAY_HYPERPARAMETERS": str(parameters),
        }  # fmt: skip
        workers = [
            subprocess.Popen(
                ["torchrun", EXAMPLE], env={**environment, "PET_NODE_RANK": str(rank)}, cwd=self.folder,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for rank in (0, 1)
        ]  # fmt: skip
        outputs = [worker.communicate(timeout=120) for worker in workers]
        self.assertEqual([worker.returncode for worker in workers], [0, 0], outputs)
        return outputs[0][0]

    def test_the_example_trains_resumes_and_publishes(self):
        self.assertIn("2 workers, from the beginning", self.torchrun(epochs=40))
        output = self.torchrun(epochs=60)
        self.assertIn("2 workers, resumed from epoch 40", output)
        self.assertEqual(json.loads(output.splitlines()[-1]), {"model": "sine", "version": 2, "already": False})
        self.assertTrue(json.loads(self.torchrun(epochs=60).splitlines()[-1])["already"])
        subprocess.run(["slipway", "validate", "--models", self.folder / "models"], check=True)

    def test_arguments_that_nobody_reads_are_refused(self):
        refused = subprocess.run([sys.executable, "-m", "trainer.torchrun", "/code/train.py"], capture_output=True, text=True)
        self.assertEqual(refused.returncode, MISCONFIGURED)
        self.assertIn("[torchrun, /code/train.py]", refused.stderr + refused.stdout)


if __name__ == "__main__":
    unittest.main()
