"""No evaluation row is a training example."""

import pytest

from common.artifacts import write_table
from common.errors import LabError
from puzzles.leaks import check_no_leak


def test_a_leak_is_found_and_named(tmp_path):
    train, test = tmp_path / "train.parquet", tmp_path / "test.parquet"
    write_table(train, [{"id": f"t{i}", "canonical": f"c{i}"} for i in range(5)])
    write_table(test, [{"id": f"e{i}", "canonical": f"c{i + 4}"} for i in range(3)])
    assert check_no_leak(["t0", "t1"], [train], [test]) == 3
    with pytest.raises(LabError, match=r"row e0, field canonical: it is also the training row t4"):
        check_no_leak(["t0", "t4"], [train], [test])
    with pytest.raises(LabError, match="row t9"):
        check_no_leak(["t9"], [train], [test])
