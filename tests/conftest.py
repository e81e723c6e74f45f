"""Puts the library on the path; single-threaded maths, so that tests do not fight over cores; what trainings share."""

import os
import random
import sys
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("KILL_SEED", str(random.SystemRandom().randrange(10**6)))  # here: all workers have the same one
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow_scripts"))


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a backbone and a corpus to train it on."""
    from learning_fixtures import save_backbone, save_corpus

    folder = tmp_path_factory.mktemp("place")
    save_backbone(folder / "backbone")
    save_corpus(folder / "corpus.parquet")
    return folder
