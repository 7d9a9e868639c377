"""The trainer's own tests, run in its image by scripts/trainer-tests: the real PyTorch, gloo, ONNX Runtime and server."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import numpy as np
import torch
import yaml

from trainer import bundle, checkpoint, digits, environment, files, hyperparameters, outcome, sweep
from trainer.exits import BELOW_GATE, DONE, INTERRUPTED, MISCONFIGURED, Ended, Misconfigured
from trainer.network import Network, Served
from trainer.outcome import Outcome
from trainer.training import batch


class Folder(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)


class Hyperparameters(unittest.TestCase):
    def test_given_ones_go_over_the_defaults(self):
        self.assertEqual(hyperparameters.check({"epochs": 3, "learningRate": 1}).epochs, 3)
        self.assertEqual(hyperparameters.check({}).batchSize, 64)
        self.assertEqual(hyperparameters.check({"learningRate": "1e-3"}).learningRate, 0.001)

    def test_wrong_ones_are_named(self):
        for given, message in {
            "learningrate: 1": "learningrate is none, is learningRate meant?",
            "depth: 1": "depth is none: there are epochs",
            "epochs: many": "epochs is 'many'; it has to be a whole number",
            "epochs: 1.5": "epochs is 1.5; it has to be a whole number",
            "epochs: true": "epochs is True; it has to be a whole number",
            "epochs: 0": "epochs is 0; it has to be a whole number from 1 to 1000000",
            "momentum: 1": "momentum is 1; it has to be a number from 0.0 to 0.9999",
            "learningRate: .nan": "learningRate is nan",
            "minAccuracy: 96": "minAccuracy is 96",
            "[1]": "the hyperparameters are [1]",
            "{epochs: 0, hidden: x}": "hidden is 'x'",
        }.items():
            with self.subTest(given), self.assertRaises(Misconfigured) as caught:
                hyperparameters.check(yaml.safe_load(given))
            self.assertIn(message, str(caught.exception))


class Environment(unittest.TestCase):
    def test_wrong_ones_are_named(self):
        with self.assertRaisesRegex(Misconfigured, "PET_NNODES is 'two'"):
            environment.read({"PET_NNODES": "two"})


class Batches(unittest.TestCase):
    def test_an_epoch_holds_each_row_once(self):
        rows = torch.cat([batch(1, step, 100, 32) for step in range(4)])
        self.assertEqual(sorted(rows.tolist()), list(range(100)))

    def test_they_are_the_same_in_every_try_and_others_in_another_epoch(self):
        self.assertEqual(batch(1, 5, 100, 32).tolist(), batch(1, 5, 100, 32).tolist())
        self.assertNotEqual(batch(1, 0, 100, 32).tolist(), batch(1, 4, 100, 32).tolist())
        self.assertNotEqual(batch(1, 0, 100, 32).tolist(), batch(2, 0, 100, 32).tolist())


class Data(unittest.TestCase):
    def test_no_row_is_in_two_parts(self):
        data = digits.load(environment.read({}).data)
        counts = [len(part.digits) for part in (data.training, data.validation, data.held_out)]
        self.assertEqual(counts, [1257, 270, 270])
        self.assertEqual(set(data.held_out.digits), set(range(10)))


class Checkpoints(Folder):
    def test_the_newest_whole_one_counts(self):
        for step in (1, 2, 3):
            checkpoint.save(self.folder, {"step": step})
        self.assertEqual([path.name for path in checkpoint._all(self.folder)], ["step-000000002.pt", "step-000000003.pt"])
        newest = self.folder / "step-000000003.pt"
        newest.write_bytes(newest.read_bytes()[:100])
        (self.folder / ".step-000000009.pt.host.1").write_bytes(b"under way")
        said = []
        self.assertEqual(checkpoint.newest(self.folder, said.append), {"step": 2})
        self.assertIn("step-000000003.pt can't be read", said[0])

    def test_none_is_none(self):
        self.assertIsNone(checkpoint.newest(self.folder / "absent", print))


@unittest.skipUnless(os.environ.get("SMALL_DISK"), "SMALL_DISK names no small file system")
class FullDisk(unittest.TestCase):
    def test_what_was_whole_stays(self):
        folder = Path(os.environ["SMALL_DISK"])
        checkpoint.save(folder, {"step": 1, "weights": torch.zeros(1000)})
        with self.assertRaisesRegex(Ended, "step-000000002.pt: No space left on device"):
            checkpoint.save(folder, {"step": 2, "weights": torch.zeros(10_000_000)})
        self.assertEqual([path.name for path in folder.iterdir()], ["step-000000001.pt"])
        self.assertEqual(checkpoint.newest(folder, self.fail)["step"], 1)


class Bundle(Folder):
    def test_it_is_whole_and_made_once(self):
        given = environment.read({"SLIPWAY_WORKSPACE": str(self.folder)})
        data = digits.load(given.data)
        torch.manual_seed(1)
        network = Network(8).eval()
        made = bundle.make(given, hyperparameters.Hyperparameters(), data, network, {"heldOutAccuracy": 1.0}, [])
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
        checked = subprocess.run(["slipway", "validate", "--models", made], capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        before = (version / "model.onnx").stat().st_mtime_ns
        bundle.make(given, hyperparameters.Hyperparameters(), data, network, {}, [])
        self.assertEqual((version / "model.onnx").stat().st_mtime_ns, before)

    def test_another_answer_of_onnx_runtime_is_seen(self):
        version = self.folder / "digits" / "1"
        version.mkdir(parents=True)
        data = digits.load(environment.read({}).data)
        torch.manual_seed(1)
        bundle.export(Served(Network(8)), version / "model.onnx")
        torch.manual_seed(2)
        bundle.golden(Served(Network(8)), data.held_out, version / "golden.ndjson")
        self.assertNotEqual(subprocess.run(["slipway", "validate", "--models", self.folder], capture_output=True).returncode, 0)


class Sweeps(Folder):
    def settle(self, trial, result, accuracy):
        given = environment.read({
            "SLIPWAY_WORKSPACE": str(self.folder), "SLIPWAY_RUN": f"run-{trial}",
            "SLIPWAY_SWEEP": "s", "SLIPWAY_TRIAL": str(trial), "SLIPWAY_TRIALS": "3",
        })  # fmt: skip
        sweep.settle(given, Outcome(result, "", {"validationAccuracy": accuracy}), self.publish)
        return outcome.read(self.folder / "sweeps" / "s")

    def publish(self, _, folder):
        self.published.append(folder.parent.name)
        return 7

    def setUp(self):
        super().setUp()
        self.published = []

    def test_the_last_publishes_the_best(self):
        self.assertIsNone(self.settle(2, "trained", 0.97))
        self.assertIsNone(self.settle(0, "trained", 0.98))
        self.assertEqual(self.published, [])
        ended = self.settle(1, "rejected", 0.99)
        self.assertEqual((ended.result, ended.version, self.published), ("published", 7, ["run-0"]))
        self.settle(1, "rejected", 0.99)
        self.assertEqual(self.published, ["run-0"])

    def test_none_is_good_enough(self):
        for trial in range(3):
            ended = self.settle(trial, "rejected", 0.5)
        self.assertEqual((ended.result, self.published), ("rejected", []))


class Runs(Folder):
    """Whole runs, of one or two workers beside each other."""

    port = 29600

    def start(self, worker, workers, name="run", workload="Job", more=None, **given):
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump({"epochs": 20, "minAccuracy": 0.9, **given}))
        log = open(self.folder / f"{name}-{worker}.log", "a")
        patience = os.environ.get("SLIPWAY_RENDEZVOUS_TIMEOUT", "60")
        process = subprocess.Popen(
            [sys.executable, "-m", "trainer"], stdout=log, stderr=subprocess.STDOUT, cwd=self.folder, start_new_session=True,
            env={
                **os.environ, "OMP_NUM_THREADS": "1", "PET_NNODES": str(workers), "PET_NODE_RANK": str(worker), "PET_RDZV_ID": f"{name}-{workers}",
                "PET_MASTER_ADDR": "localhost", "PET_MASTER_PORT": str(self.port), "PET_RDZV_CONF": f"timeout={patience}", "SLIPWAY_RENDEZVOUS_TIMEOUT": patience,
                "SLIPWAY_WORKSPACE": str(self.folder / "workspace"), "SLIPWAY_PUBLISH": str(self.folder / "models"), "SLIPWAY_RUN": name,
                "SLIPWAY_HYPERPARAMETERS": str(file), "SLIPWAY_TERMINATION_LOG": str(self.reason(name, worker)), "SLIPWAY_WORKLOAD": workload,
                "SLIPWAY_LOG": str(self.folder / f"{name}-{worker}.jsonl"), **(more or {}),
            },
        )  # fmt: skip
        self.addCleanup(log.close)
        self.addCleanup(self.end, process)
        return process

    def setUp(self):
        super().setUp()
        Runs.port += 2

    def end(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def reason(self, name, worker):
        path = self.folder / f"{name}-{worker}.reason"
        path.touch()
        return path

    def log(self, name, worker):
        return (self.folder / f"{name}-{worker}.log").read_text()

    def ends(self, process, code, name="run", worker=0):
        try:
            self.assertEqual(process.wait(timeout=120), code, self.log(name, worker))
        except subprocess.TimeoutExpired:
            self.fail("it did not end: " + self.log(name, worker))

    def until(self, condition):
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end, "it did not come to that")
            time.sleep(0.05)

    def gets_on(self, name):
        """Waits for a checkpoint that is newer than those there are. Where the run is by then, no test can know."""

        def newest():
            return max((path.name for path in (self.folder / "workspace/runs" / name / "checkpoints").glob("step-*.pt")), default="")

        before = newest()
        self.until(lambda: newest() > before)

    def versions(self):
        models = self.folder / "models" / "digits"
        return sorted(path.name for path in models.iterdir()) if models.is_dir() else []

    def history(self, name):
        return files.read_json(self.folder / "workspace/runs" / name / "bundle/digits/1/training.json")["history"]

    def test_one_worker_and_two_learn_the_same(self):
        self.ends(self.start(0, 1, name="one"), DONE, "one")
        both = [self.start(worker, 2, name="two") for worker in (0, 1)]
        for worker, process in enumerate(both):
            self.ends(process, DONE, "two", worker)
        losses = [[epoch["loss"] for epoch in self.history(name)] for name in ("one", "two")]
        np.testing.assert_allclose(*losses, rtol=1e-3)
        self.assertEqual(self.versions(), ["1", "2"])
        events = [json.loads(line)["event"] for line in (self.folder / "two-0.jsonl").read_text().splitlines()]
        self.assertEqual((events[0], events.count("epoch"), events[-1]), ("start", 20, "end"))

    def test_two_workers_of_which_one_is_lost(self):
        self.ends(self.start(0, 1, name="whole", epochs=150), DONE, "whole")
        first, second = (self.start(worker, 2, name="lost", epochs=150) for worker in (0, 1))
        self.gets_on("lost")
        second.terminate()
        self.ends(second, INTERRUPTED, "lost", 1)
        second = self.start(1, 2, name="lost", epochs=150)
        self.until(lambda: "going on from step" in self.log("lost", 0))
        self.gets_on("lost")
        self.end(second)
        second = self.start(1, 2, name="lost", epochs=150)
        self.ends(first, DONE, "lost", 0)
        self.ends(second, DONE, "lost", 1)
        self.assertEqual(self.log("lost", 0).count("going on from step"), 2, self.log("lost", 0))
        np.testing.assert_allclose(*([epoch["loss"] for epoch in self.history(name)][-1] for name in ("whole", "lost")), rtol=1e-2)

    def test_a_run_that_is_stopped_loses_no_epoch(self):
        # Of one step each, so that the stop comes at the end of one.
        short = {"name": "stopped", "epochs": 400, "batchSize": 100_000, "checkpointSteps": 10, "minAccuracy": 0.5}
        first = self.start(0, 1, **short)
        self.gets_on("stopped")
        first.terminate()
        self.ends(first, INTERRUPTED, "stopped")
        self.ends(self.start(0, 1, **short), DONE, "stopped")
        self.assertEqual([epoch["epoch"] for epoch in self.history("stopped")], list(range(1, 401)))

    def test_a_run_that_has_ended_is_not_run_again(self):
        self.ends(self.start(0, 1), DONE)
        self.ends(self.start(0, 1), DONE)
        self.assertIn("this run has ended: published version 1 of digits", self.log("run", 0))
        self.assertEqual(self.versions(), ["1"])
        stays = self.start(0, 1, workload="StatefulSet")
        self.until(lambda: self.log("run", 0).count("this run has ended") == 3)
        self.assertIsNone(stays.poll())
        stays.terminate()
        self.ends(stays, DONE)

    def test_below_the_gate_nothing_is_published(self):
        self.ends(self.start(0, 1, epochs=1, minAccuracy=1.0), BELOW_GATE)
        self.assertIn("is below minAccuracy 1.0: nothing is published", self.reason("run", 0).read_text())
        self.assertEqual(self.versions(), [])
        self.ends(self.start(0, 1, epochs=1, minAccuracy=1.0), BELOW_GATE)

    def test_a_loss_that_is_no_number_ends_the_run(self):
        self.ends(self.start(0, 1, learningRate=1e6, momentum=0.99), BELOW_GATE)
        self.assertIn("lower learningRate", self.reason("run", 0).read_text())

    def test_a_wrong_hyperparameter_ends_it_before_anything_is_started(self):
        self.ends(self.start(1, 2, epochs=0), MISCONFIGURED, worker=1)
        self.assertIn("epochs is 0", self.reason("run", 1).read_text())

    def test_a_trial_that_can_not_be_tried_leaves_the_others_their_sweep(self):
        def trial(number):
            return {"SLIPWAY_SWEEP": "s", "SLIPWAY_TRIAL": str(number), "SLIPWAY_TRIALS": "2"}

        self.ends(self.start(0, 1, name="good", more=trial(0)), DONE, "good")
        self.assertEqual(self.versions(), [])
        self.ends(self.start(0, 1, name="wrong", more=trial(1), momentum=2), MISCONFIGURED, "wrong")
        self.assertIn("momentum is 2", self.reason("wrong", 0).read_text())
        self.assertEqual(self.versions(), ["1"])
        self.assertEqual(outcome.read(self.folder / "workspace/sweeps/s").result, "published")

    def test_peers_that_do_not_come_are_an_error(self):
        os.environ["SLIPWAY_RENDEZVOUS_TIMEOUT"] = "3"
        self.addCleanup(os.environ.pop, "SLIPWAY_RENDEZVOUS_TIMEOUT")
        self.ends(self.start(1, 2, name="alone"), 1, "alone", 1)
        self.assertRegex(self.reason("alone", 1).read_text(), r"worker 0 does not answer at localhost:\d+ within 3 s")


if __name__ == "__main__":
    unittest.main()
