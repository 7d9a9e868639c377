"""Hyperparameters and environment variables."""

import unittest

import yaml

from trainer import environment, hyperparameters
from trainer.exits import Misconfigured


class Hyperparameters(unittest.TestCase):
    def test_given_values_replace_the_defaults(self):
        self.assertEqual(hyperparameters.check({"epochs": 3, "learningRate": 1}).epochs, 3)
        self.assertEqual(hyperparameters.check({}).batchSize, 64)
        self.assertEqual(hyperparameters.check({"learningRate": "1e-3"}).learningRate, 0.001)

    def test_invalid_ones_are_named(self):
        for given, message in {
            "learningrate: 1": "learningrate is unknown, did you mean learningRate?",
            "depth: 1": "depth is unknown; the known ones are epochs",
            "epochs: many": "epochs is 'many'; it must be a whole number",
            "epochs: 1.5": "epochs is 1.5; it must be a whole number",
            "epochs: true": "epochs is True; it must be a whole number",
            "epochs: 0": "epochs is 0; it must be a whole number from 1 to 1000000",
            "momentum: 1": "momentum is 1; it must be a number from 0.0 to 0.9999",
            "learningRate: .nan": "learningRate is nan",
            "minAccuracy: 96": "minAccuracy is 96",
            "[1]": "the hyperparameters are [1]",
            "{epochs: 0, hidden: x}": "hidden is 'x'",
        }.items():
            with self.subTest(given), self.assertRaises(Misconfigured) as caught:
                hyperparameters.check(yaml.safe_load(given))
            self.assertIn(message, str(caught.exception))


class Environment(unittest.TestCase):
    def test_invalid_variables_are_named(self):
        with self.assertRaisesRegex(Misconfigured, "PET_NNODES is 'two'"):
            environment.read({"PET_NNODES": "two"})


if __name__ == "__main__":
    unittest.main()
