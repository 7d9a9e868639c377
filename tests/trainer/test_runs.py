"""Whole runs, with the real PyTorch, gloo, ONNX Runtime and server."""

import json
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import numpy as np
import yaml
from folder import Folder

from trainer import files, outcome
from trainer.exits import BELOW_GATE, DONE, INTERRUPTED, MISCONFIGURED


def descendants(pid):
    for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        yield child
        yield from descendants(child)


class Runs(Folder):
    """Whole runs of one or two workers on this machine."""

    port = 29600

    def start(self, worker, workers, name="run", workload="Job", more=None, **given):
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump({"epochs": 20, "minAccuracy": 0.9, **given}))
        log = open(self.folder / f"{name}-{worker}.log", "a")
        timeout = os.environ.get("SLIPWAY_RENDEZVOUS_TIMEOUT", "60")
        process = subprocess.Popen(
            [sys.executable, "-m", "trainer"], stdout=log, stderr=subprocess.STDOUT, cwd=self.folder, start_new_session=True,
            env={
                **os.environ, "OMP_NUM_THREADS": "1", "PET_NNODES": str(workers), "PET_NODE_RANK": str(worker), "PET_RDZV_ID": f"{name}-{workers}",
                "PET_MASTER_ADDR": "localhost", "PET_MASTER_PORT": str(self.port), "PET_RDZV_CONF": f"timeout={timeout}", "SLIPWAY_RENDEZVOUS_TIMEOUT": timeout,
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
        """Kills the launcher and what it has started, as the end of a container does. torchrun gives its workers sessions
        of their own."""
        if process.poll() is None:
            for pid in [process.pid, *descendants(process.pid)]:
                os.kill(pid, signal.SIGKILL)
            process.wait()

    def reason(self, name, worker):
        path = self.folder / f"{name}-{worker}.reason"
        path.touch()
        return path

    def log(self, name, worker):
        return (self.folder / f"{name}-{worker}.log").read_text()

    def ends(self, process, code, name="run", worker=0):
        try:
            self.assertEqual(process.wait(timeout=300), code, self.log(name, worker))
        except subprocess.TimeoutExpired:
            self.fail("the worker did not end: " + self.log(name, worker))

    def until(self, condition):
        end = time.monotonic() + 180
        while not condition():
            self.assertLess(time.monotonic(), end, "the condition was not met within 180 s")
            time.sleep(0.05)

    def progresses(self, name):
        """Waits for a checkpoint newer than the present ones. The run may be further by then."""

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
        lines = [json.loads(line) for line in (self.folder / "two-0.jsonl").read_text().splitlines()]
        events = [line["event"] for line in lines]
        self.assertEqual((events[0], events.count("epoch"), events[-1]), ("start", 20, "end"))
        keys = {key for line in lines for key in line}
        self.assertEqual([key for key in keys if key != key.lower()], [], "log keys are in snake_case")
        self.assertLessEqual({"rows_per_second", "validation_accuracy", "held_out_accuracy"}, keys)

    def test_two_workers_resume_after_the_loss_of_one(self):
        self.ends(self.start(0, 1, name="whole", epochs=150), DONE, "whole")
        first, second = (self.start(worker, 2, name="lost", epochs=150) for worker in (0, 1))
        self.progresses("lost")
        second.terminate()
        self.ends(second, INTERRUPTED, "lost", 1)
        second = self.start(1, 2, name="lost", epochs=150)
        self.until(lambda: "resumed from step" in self.log("lost", 0))
        self.progresses("lost")
        self.end(second)
        second = self.start(1, 2, name="lost", epochs=150)
        self.ends(first, DONE, "lost", 0)
        self.ends(second, DONE, "lost", 1)
        self.assertEqual(self.log("lost", 0).count("resumed from step"), 2, self.log("lost", 0))
        np.testing.assert_allclose(*([epoch["loss"] for epoch in self.history(name)][-1] for name in ("whole", "lost")), rtol=1e-2)

    def test_a_stopped_run_loses_no_epoch(self):
        # Epochs of one step each, so that the stop comes at the end of an epoch.
        short = {"name": "stopped", "epochs": 400, "batchSize": 100_000, "checkpointSteps": 10, "minAccuracy": 0.5}
        first = self.start(0, 1, **short)
        self.progresses("stopped")
        first.terminate()
        self.ends(first, INTERRUPTED, "stopped")
        self.ends(self.start(0, 1, **short), DONE, "stopped")
        self.assertEqual([epoch["epoch"] for epoch in self.history("stopped")], list(range(1, 401)))

    def test_a_run_that_has_ended_does_not_run_again(self):
        self.ends(self.start(0, 1), DONE)
        self.ends(self.start(0, 1), DONE)
        self.assertIn("this run has ended: published version 1 of digits", self.log("run", 0))
        self.assertEqual(self.versions(), ["1"])
        stateful = self.start(0, 1, workload="StatefulSet")
        self.until(lambda: self.log("run", 0).count("this run has ended") == 3)
        self.assertIsNone(stateful.poll())
        stateful.terminate()
        self.ends(stateful, DONE)

    def test_below_the_gate_nothing_is_published(self):
        self.ends(self.start(0, 1, epochs=1, minAccuracy=1.0), BELOW_GATE)
        self.assertIn("is below minAccuracy 1.0: nothing is published", self.reason("run", 0).read_text())
        self.assertEqual(self.versions(), [])
        self.ends(self.start(0, 1, epochs=1, minAccuracy=1.0), BELOW_GATE)

    def test_a_loss_that_is_not_a_number_ends_the_run(self):
        self.ends(self.start(0, 1, learningRate=1e6, momentum=0.99), BELOW_GATE)
        self.assertIn("lower learningRate", self.reason("run", 0).read_text())

    def test_an_invalid_hyperparameter_ends_the_run_before_the_training(self):
        self.ends(self.start(1, 2, epochs=0), MISCONFIGURED, worker=1)
        self.assertIn("epochs is 0", self.reason("run", 1).read_text())

    def test_a_misconfigured_trial_does_not_block_its_sweep(self):
        def trial(number):
            return {"SLIPWAY_SWEEP": "s", "SLIPWAY_TRIAL": str(number), "SLIPWAY_TRIALS": "2"}

        self.ends(self.start(0, 1, name="good", more=trial(0)), DONE, "good")
        self.assertEqual(self.versions(), [])
        self.ends(self.start(0, 1, name="wrong", more=trial(1), momentum=2), MISCONFIGURED, "wrong")
        self.assertIn("momentum is 2", self.reason("wrong", 0).read_text())
        self.assertEqual(self.versions(), ["1"])
        self.assertEqual(outcome.read(self.folder / "workspace/sweeps/s").result, "published")

    def test_missing_peers_are_an_error(self):
        os.environ["SLIPWAY_RENDEZVOUS_TIMEOUT"] = "3"
        self.addCleanup(os.environ.pop, "SLIPWAY_RENDEZVOUS_TIMEOUT")
        self.ends(self.start(1, 2, name="missing"), 1, "missing", 1)
        self.assertRegex(self.reason("missing", 1).read_text(), r"worker 0 does not respond at localhost:\d+ within 3 s")


if __name__ == "__main__":
    unittest.main()
