"""Two engines on the same rows: planted differences are found, and slots and generate write the same."""

import json

import pytest

from common.artifacts import table_note, write_table
from common.errors import LabError
from learning_fixtures import asked, run, save_talker
from measuring.parity import compare, first_difference


def table(texts, answers="7"):
    rows = zip(texts, answers * len(texts), strict=False)
    return [
        {"id": str(i), "sample": 0, "family": "ab"[i % 2], "text": text, "finish": "stop", "answer": answer}
        for i, (text, answer) in enumerate(rows)
    ]


def right(row):
    return row["text"].endswith(row["answer"])


def test_what_differs_is_counted():
    one = table(["x7", "abc7", "q7", "same", "k7", "m7", "n7", "o7"])
    other = table(["x7", "abd7", "q8", "same", "k8", "m8", "n8", "o8"])
    found = compare(one, other, list, right)
    assert (found["n"], found["same"]) == (8, 2 / 8)
    assert found["first_differing_token"] == [None, 2, 1, None, 1, 1, 1, 1]
    assert (found["accuracy_one"], found["accuracy_other"]) == (7 / 8, 2 / 8)
    assert (found["only_one_right"], found["only_other_right"]) == (5, 0)
    assert found["mcnemar_p"] == pytest.approx(2 * 0.5**5)
    assert found["by_family"]["a"]["n"] == 4 and found["by_family"]["b"]["only_one_right"] == 2
    assert compare(one, one, list, right)["mcnemar_p"] == 1.0
    cut = [{**row, "finish": "length"} for row in one]
    assert compare(one, cut, list, right)["same"] == 0  # the same letters, but one was cut short
    with pytest.raises(LabError, match="the same rows"):
        compare(one, other[1:], list, right)


def test_a_text_that_goes_on_differs_where_the_other_ends():
    assert first_difference("abc", "abcd") == 3 and first_difference("abc", "abc") is None


@pytest.mark.slow
def test_slots_and_generate(tmp_path):
    save_talker(tmp_path / "backbone")
    write_table(tmp_path / "texts.parquet", asked(8, seed=4))
    words = ["--backbone", tmp_path / "backbone", "--texts", tmp_path / "texts.parquet", "--max-tokens", 24]
    words += ["--batch", 3, "--state", tmp_path / "state", "--out", tmp_path / "out"]
    done = run("parity", *words, "--engines", "slots", "generate")
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads((tmp_path / "out" / "parity.json").read_text())
    assert found["n"] == 8 and found["same"] == 1 and found["mcnemar_p"] == 1
    for name, place in (("slots", "one"), ("generate", "other")):
        note = table_note(tmp_path / "out" / f"{name}.parquet")["params"]
        assert note["engine"] == name == found[place]["engine"] and note["transformers"] and note["torch"]
