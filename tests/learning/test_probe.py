"""The teacher-forced probe: what it says of a text is what the model itself would write and say."""

import math
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

import probe
from common.artifacts import write_table
from common.errors import LabError
from learning import adapters
from learning.backbones import load_model
from learning.engines import Opening, Question, Request, open_engine
from learning.probing import probed
from learning.settings import BackboneOptions
from learning_fixtures import recipe, rows, save_talker

PROMPT = "Add the two numbers of this line: 1 2"


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    folder = save_talker(tmp_path_factory.mktemp("probe") / "backbone")
    return open_engine(Opening(str(folder), None, BackboneOptions(), 4))


def own_text(engine) -> tuple[str, list[float]]:
    """What greedy decoding writes, its line breaks among it, and the log-probabilities of its tokens."""
    prompt = engine.begin(Question("a", "sums", PROMPT))
    (made,) = engine.extend([Request(prompt, 60)])
    return engine.text(made.tokens), made.logprobs


def test_nothing_leaves_what_greedy_decoding_wrote(engine):
    text, logprobs = own_text(engine)
    found = probed(engine, Question("a", "sums", PROMPT, text))
    n = len(engine.tokenizer.encode(text))
    assert sum(each.n_tokens for each in found) == n + 1
    told = found[:-1]  # the last is the end of the turn, which a text that was cut short lacks
    assert all(each.n_first == each.n_tokens and each.choice == "" for each in told)
    assert math.isclose(sum(each.logprob for each in told), sum(logprobs[:n]), abs_tol=1e-3)
    assert [each.line for each in found] == [*range(text.count("\n") + 1), text.count("\n") + 1]


def test_where_greedy_decoding_would_leave_a_text(engine):
    """A character of the middle is changed: the line that holds it is the first to be left, at that character."""
    text, _ = own_text(engine)
    at = 20
    wanted = next(c for c in "AB" if c != text[at] and len(engine.tokenizer.encode(text[:at] + c)) == at + 1)
    changed = text[:at] + wanted + "\n1+2=4\n" + text[at + 1 : 40]
    found = probed(engine, Question("a", "sums", PROMPT, changed))
    first = next(each for each in found if each.n_first < each.n_tokens)
    assert (first.line, first.wanted, first.choice) == (changed[:at].count("\n"), wanted, text[at])
    prompt = engine.begin(Question("a", "sums", PROMPT), text[:at])
    with torch.no_grad():
        shares = torch.softmax(engine.model(torch.tensor([prompt])).logits[0, -1], -1)
    token = engine.tokenizer.encode(wanted)[0]
    assert first.wanted_probability == pytest.approx(float(shares[token]), abs=1e-4)
    assert first.choice_probability == pytest.approx(float(shares.max()), abs=1e-4)


def test_a_text_beyond_the_context_is_refused(engine):
    with pytest.raises(LabError, match="row a: a prompt of .* tokens and a text of 601 exceed the context of 512"):
        probed(engine, Question("a", "sums", PROMPT, "1" * 600))


def script(monkeypatch, *words: object) -> None:
    """probe.py in this process: to import torch once more takes seconds."""
    monkeypatch.setattr("sys.argv", ["probe.py", *map(str, words)])
    probe.main()


def test_the_script_names_the_kinds_of_line(engine, tmp_path, monkeypatch):
    told = rows(3)
    for row in told:
        row["lines"] = [{"kind": "sums/sum", "text": row["completion"].split("\n")[1]}]
    told[1] |= {"status": "too long", "completion": "", "lines": []}
    told[2]["completion"] = "\n".join(told[2]["completion"].split("\n")[:3])  # it ends without a box
    write_table(tmp_path / "texts.parquet", told)
    words = ("--texts", tmp_path / "texts.parquet", "--backbone", engine.opening.backbone, "--out")
    script(monkeypatch, *words, tmp_path / "probe.parquet")
    table = pq.read_table(tmp_path / "probe.parquet").to_pylist()
    assert [each["kind"] for each in table] == ["open", "sums/sum", "close", "box", "end"] + [
        "open", "sums/sum", "close", "end"
    ]  # fmt: skip
    assert [each["id"] for each in table] == ["row-0"] * 5 + ["row-2"] * 4
    write_table(tmp_path / "texts.parquet", told[1:2])
    script(monkeypatch, *words, tmp_path / "none.parquet")
    assert pq.read_table(tmp_path / "none.parquet").num_rows == 0


def test_what_a_training_kept_early_is_probed_into_a_table_of_its_own(engine, tmp_path, monkeypatch):
    (row,) = rows(1)
    write_table(tmp_path / "texts.parquet", [row | {"lines": [{"kind": "sums/sum", "text": row["completion"]}]}])
    model = load_model(engine.opening.backbone, BackboneOptions())
    wrapped = adapters.add_lora(model, recipe(), BackboneOptions())
    for folder, scale in ((tmp_path / "adapter", 0.3), (tmp_path / "adapter/early", 0.0)):
        folder.mkdir()
        torch.manual_seed(1)
        tensors = {n: torch.randn_like(t) * scale if "lora_B" in n else t for n, t in adapters.gather(wrapped).items()}
        adapters.write(wrapped, tensors, folder, Path(engine.opening.backbone))
    words = ("--texts", tmp_path / "texts.parquet", "--backbone", engine.opening.backbone)
    early = ("--early", tmp_path / "early.parquet")
    script(monkeypatch, *words, "--adapter", tmp_path / "adapter", *early, "--out", tmp_path / "late.parquet")
    script(monkeypatch, *words, "--out", tmp_path / "alone.parquet")
    found = {name: pq.read_table(tmp_path / f"{name}.parquet")["logprob"] for name in ("early", "late", "alone")}
    assert found["early"].to_pylist() == pytest.approx(found["alone"].to_pylist(), abs=1e-4)
    assert found["late"].to_pylist() != pytest.approx(found["alone"].to_pylist(), abs=1e-2)
    shutil.rmtree(tmp_path / "adapter/early")  # a reinforcement keeps none
    script(monkeypatch, *words, "--adapter", tmp_path / "adapter", *early, "--out", tmp_path / "late.parquet")
    assert pq.read_table(tmp_path / "early.parquet").num_rows == 0
