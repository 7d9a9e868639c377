"""The parts of the training loop: batches, data, checkpoints; and sweeps."""

import os
import unittest
from pathlib import Path

import torch
from folder import Folder

from trainer import checkpoint, digits, environment, outcome, sweep
from trainer.exits import Ended
from trainer.outcome import Outcome
from trainer.training import batch


class Batches(unittest.TestCase):
    def test_an_epoch_holds_each_row_once(self):
        rows = torch.cat([batch(1, step, 100, 32) for step in range(4)])
        self.assertEqual(sorted(rows.tolist()), list(range(100)))

    def test_every_attempt_has_the_same_batches_and_every_epoch_others(self):
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
    def test_the_newest_readable_one_is_loaded(self):
        for step in (1, 2, 3):
            checkpoint.save(self.folder, {"step": step})
        self.assertEqual([path.name for path in checkpoint._all(self.folder)], ["step-000000002.pt", "step-000000003.pt"])
        newest = self.folder / "step-000000003.pt"
        newest.write_bytes(newest.read_bytes()[:100])
        (self.folder / ".step-000000009.pt.host.1").write_bytes(b"unfinished")
        reports = []
        self.assertEqual(checkpoint.newest(self.folder, reports.append), {"step": 2})
        self.assertIn("step-000000003.pt can't be read", reports[0])

    def test_without_a_folder_there_is_none(self):
        self.assertIsNone(checkpoint.newest(self.folder / "absent", print))


@unittest.skipUnless(os.environ.get("SMALL_DISK"), "SMALL_DISK names no small file system")
class FullDisk(unittest.TestCase):
    def test_older_checkpoints_stay(self):
        folder = Path(os.environ["SMALL_DISK"])
        checkpoint.save(folder, {"step": 1, "weights": torch.zeros(1000)})
        with self.assertRaisesRegex(Ended, "step-000000002.pt: No space left on device"):
            checkpoint.save(folder, {"step": 2, "weights": torch.zeros(10_000_000)})
        self.assertEqual([path.name for path in folder.iterdir()], ["step-000000001.pt"])
        self.assertEqual(checkpoint.newest(folder, self.fail)["step"], 1)


class Sweeps(Folder):
    def record(self, trial, result, accuracy):
        env = environment.read({
            "SLIPWAY_WORKSPACE": str(self.folder), "SLIPWAY_RUN": f"run-{trial}",
            "SLIPWAY_SWEEP": "s", "SLIPWAY_TRIAL": str(trial), "SLIPWAY_TRIALS": "3",
        })  # fmt: skip
        sweep.record(env, Outcome(result, "", {"validationAccuracy": accuracy}), self.publish)
        return outcome.read(self.folder / "sweeps" / "s")

    def publish(self, _, folder):
        self.published.append(folder.parent.name)
        return 7

    def setUp(self):
        super().setUp()
        self.published = []

    def test_the_last_trial_publishes_the_best(self):
        self.assertIsNone(self.record(2, "trained", 0.97))
        self.assertIsNone(self.record(0, "trained", 0.98))
        self.assertEqual(self.published, [])
        ended = self.record(1, "rejected", 0.99)
        self.assertEqual((ended.result, ended.version, self.published), ("published", 7, ["run-0"]))
        self.record(1, "rejected", 0.99)
        self.assertEqual(self.published, ["run-0"])

    def test_without_a_trained_trial_the_sweep_is_rejected(self):
        for trial in range(3):
            ended = self.record(trial, "rejected", 0.5)
        self.assertEqual((ended.result, self.published), ("rejected", []))


if __name__ == "__main__":
    unittest.main()
