"""The base of tests that write files. The tests run in the trainer's image: scripts/trainer-tests."""

import tempfile
import unittest
from pathlib import Path


class Folder(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
