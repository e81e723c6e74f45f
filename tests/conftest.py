"""Puts the library on the path; single-threaded maths, so that tests do not fight over cores; what trainings share."""

import os
import random
import sys
from collections import Counter
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("KILL_SEED", str(random.SystemRandom().randrange(10**6)))  # here: all workers have the same one
# The Slurm plugin asks the cluster each time that Snakemake starts, and without one waits ten seconds for an answer.
os.environ.setdefault("SLURM_CONF", "/dev/null")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow_scripts"))

from common.gpus import present  # noqa: E402

LONGEST = ("test_slurm.py", "test_smoke.py", "test_self_training.py", "test_learning_train.py", "test_figures.py")
LONGEST += ("test_workflow.py", "test_methods.py", "test_planted_models.py")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: much is waited for, of the cluster, of servers, of a rank that starts."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items):
    """The longest files first, then the others with long tests, the fewer in a file the longer each; the short files
    last, so that all workers end at about the same time."""
    if not present():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="no GPU here"))
    tests = Counter(item.path for item in items)
    long = {item.path for item in items if item.get_closest_marker("slow")}

    def turn(item) -> int:
        name = item.path.name
        if name in LONGEST:
            return LONGEST.index(name) - len(LONGEST)
        return tests[item.path] if item.path in long else len(items)

    items.sort(key=turn)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a backbone and a corpus to train it on."""
    from learning_fixtures import save_backbone, save_corpus

    folder = tmp_path_factory.mktemp("place")
    save_backbone(folder / "backbone")
    save_corpus(folder / "corpus.parquet")
    return folder
