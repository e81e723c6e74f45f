"""Puts the library on the path; single-threaded maths, so that tests do not fight over cores; what trainings share."""

import os
import random
import sys
from collections import Counter
from math import inf
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("KILL_SEED", str(random.SystemRandom().randrange(10**6)))  # here: all workers have the same one
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow_scripts"))


def pytest_collection_modifyitems(items):
    """Files with long tests first, those of few and so the longest before all: a run does not end waiting for one."""
    tests = Counter(item.path for item in items)
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: tests[item.path] if item.path in long else inf)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a backbone and a corpus to train it on."""
    from learning_fixtures import save_backbone, save_corpus

    folder = tmp_path_factory.mktemp("place")
    save_backbone(folder / "backbone")
    save_corpus(folder / "corpus.parquet")
    return folder
