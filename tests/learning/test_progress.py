"""What a long job says of itself in a log."""

import re

import pytest

from common import progress as module
from learning.backbone.pretrain import Make, pretrain
from learning_fixtures import PHRASES


@pytest.fixture
def no_wait(monkeypatch):
    monkeypatch.setattr(module, "LOG_SECONDS", 0)


def test_a_log_has_lines(no_wait, capsys):
    assert sum(module.progress(range(3), desc="solve cipher")) == 3
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"solve cipher: 3/3 row, .*row/s, 00:00 gone, 00:00 left", lines[-1])
    assert not any("\r" in line for line in lines)


def test_a_short_job_says_nothing(capsys):
    list(module.progress(range(3), desc="solve cipher"))
    assert capsys.readouterr().err == ""


def test_a_training_says_steps_loss_pace_and_time_left(no_wait, capsys, tmp_path):
    make = Make(width=128, layers=2, batch=192, lengths=(192,), context=256, steps=3, table=1)
    pretrain(make, list(PHRASES), tmp_path / "out", tmp_path / "state", tmp_path / "skills.json")
    shown = capsys.readouterr()
    lines = [line for line in shown.err.splitlines() if line.startswith("pretrain: ")]
    assert re.fullmatch(
        r"pretrain: 576/576 token, .*token/s, step 3/3, loss [\d.]+, \d\d:\d\d gone, 00:00 left", lines[-1]
    )
    assert "loss" not in shown.out
