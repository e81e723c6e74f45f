"""Decoders over engines: the draws follow the model's own distribution, k samples start from one pass over the prompt,
any kill loses nothing but what was under way, and selections choose what they say."""

import json
import math
import time
from collections import Counter
from itertools import product

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from scipy.stats import chisquare

import forked
from common.artifacts import table_note, write_table
from common.errors import LabError
from learning import sampling
from learning.backbones import load_model
from learning.decoders import KINDS, lacking, read_decoder, resolve
from learning.decoders.base import Decoding, Selection
from learning.engines import ABILITIES, Opening, Question, Request, open_engine, slots
from learning.engines.slots import decode_slots
from learning.settings import BackboneOptions
from learning_fixtures import ROOT, asked, environment, last_error, rows, run, save_backbone, script
from puzzles.base import Solution, row_rng
from puzzles.registry import FAMILIES
from reasoning.grammar.reveal import Reveal
from reasoning.grammar.texts import render_row
from reasoning.registry import DESIGNS

END = 3  # a token that ends a turn


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A real model of random weights, sharp enough to have likely and unlikely tokens."""
    folder = tmp_path_factory.mktemp("decoders")
    save_backbone(folder / "backbone", seed=3)
    model = load_model(folder / "backbone", BackboneOptions())
    model.get_output_embeddings().weight.data *= 5
    model.save_pretrained(folder / "backbone")
    write_table(folder / "texts.parquet", asked(7, seed=4))
    return folder


def opened(place, name="slots", batch=8):
    return open_engine(Opening(str(place / "backbone"), None, BackboneOptions(engine=name), batch))


def distribution(model, prompt: list[int], length: int, temperature: float, ends: set[int]) -> dict[tuple, float]:
    """The probability of every continuation of at most `length` tokens, all enumerated."""
    found, frontier = {}, {(): 0.0}
    for step in range(length):
        prefixes = list(frontier)
        with torch.no_grad():
            logits = model(torch.tensor([[*prompt, *p] for p in prefixes])).logits[:, -1].double() / temperature
        steps = torch.log_softmax(logits, -1).tolist()
        grown = {(*p, t): frontier[p] + lp for p, row in zip(prefixes, steps, strict=True) for t, lp in enumerate(row)}
        found |= {p: lp for p, lp in grown.items() if p[-1] in ends or step == length - 1}
        frontier = {p: lp for p, lp in grown.items() if p[-1] not in ends and lp > -12}
    return {p: math.exp(lp) for p, lp in found.items()}


@pytest.mark.parametrize(
    ("name", "temperature", "n"), [("slots", 0.6, 6000), ("slots", 0.5, 6000), ("generate", 0.6, 6000)]
)
def test_draws_follow_the_models_distribution(place, name, temperature, n):
    """Two tokens, every pair enumerated: a chi-square test that a wrong temperature or a shared stream fails."""
    engine = opened(place, name, batch=250)
    prompt = engine.begin(Question("a", "sums", "1 2"))
    exact = distribution(engine.model, prompt, 2, temperature, engine.end)
    assert sum(exact.values()) == pytest.approx(1, abs=1e-3)
    made = list(engine.extend([Request(prompt, 2, tuple(range(n)))], temperature=temperature))
    counts = Counter(tuple(each.tokens) for each in made)
    assert pvalue(counts, exact, n) > 1e-4
    other = distribution(engine.model, prompt, 2, 1.6 * temperature, engine.end)
    assert pvalue(counts, other, n) < 1e-6  # the test can fail
    for each in made[:50]:
        assert each.logprobs == pytest.approx(logprobs(engine.model, prompt, each.tokens, 1.0), abs=1e-3)
        assert each.drawn == pytest.approx(logprobs(engine.model, prompt, each.tokens, temperature), abs=1e-3)
    with torch.no_grad():
        first = torch.distributions.Categorical(logits=engine.model(torch.tensor([prompt])).logits[0, -1])
    assert made[0].entropies[0] == pytest.approx(float(first.entropy()), abs=1e-3)


def pvalue(counts: Counter, exact: dict[tuple, float], n: int) -> float:
    """Chi-square of the outcomes expected at least five times, the others together."""
    often = [p for p, share in exact.items() if share * n >= 5]
    assert len(often) > 5
    observed, expected = [counts[p] for p in often], [exact[p] * n for p in often]
    return chisquare([*observed, n - sum(observed)], [*expected, n - sum(expected)]).pvalue


def logprobs(model, prompt: list[int], tokens: list[int], temperature: float) -> list[float]:
    with torch.no_grad():
        logits = model(torch.tensor([[*prompt, *tokens]])).logits[0, len(prompt) - 1 : -1] / temperature
    return torch.log_softmax(logits, -1)[range(len(tokens)), tokens].tolist()


def test_the_same_seed_gives_the_same_tokens_whatever_shares_the_batch(place):
    found = {}
    for name, batch in product(("slots", "generate"), (1, 5)):
        engine = opened(place, name, batch)
        asking = [engine.begin(Question(row["id"], "sums", row["prompt"])) for row in asked(4, seed=1)]
        requests = [Request(beginning, 20, tuple(range(9 * i, 9 * i + 3))) for i, beginning in enumerate(asking)]
        made = engine.extend(requests, temperature=0.7)
        found[name, batch] = {(e.request, e.sample): (tuple(e.tokens), e.finish) for e in made}
    assert len(found["slots", 1]) == 12
    assert all(each == found["slots", 1] for each in found.values())
    assert len({tokens for tokens, _ in found["slots", 1].values()}) == 12


def test_a_stop_token_pauses(place):
    for name in ("slots", "generate"):
        engine = opened(place, name)
        prompt = engine.begin(Question("a", "sums", "1 2"))
        (whole,) = engine.extend([Request(prompt, 12)])
        stop = whole.tokens[4]
        (made,) = engine.extend([Request(prompt, 12)], stop=frozenset({stop}))
        assert made.tokens == whole.tokens[: whole.tokens.index(stop) + 1] and made.finish == "pause"
        (rest,) = engine.extend([Request([*prompt, *made.tokens], 12 - len(made.tokens))])
        assert [*made.tokens, *rest.tokens] == whole.tokens


def test_samples_of_a_prompt_share_one_pass_over_it(place, monkeypatch):
    """Also where there are fewer slots than samples, so that the last ones start later."""
    engine, passes = opened(place, batch=3), []
    prefill = slots.prefill
    monkeypatch.setattr(
        slots, "prefill", lambda model, prompts, pad: passes.extend(prompts) or prefill(model, prompts, pad)
    )
    prompts = [engine.begin(Question(row["id"], "sums", row["prompt"])) for row in asked(3, seed=2)]
    made = list(engine.extend([Request(prompt, 9, tuple(range(8))) for prompt in prompts], temperature=1.0))
    assert passes == prompts and len(made) == 24


SAMPLE = {"kind": "sample", "k": 3, "temperature": 0.9, "seed": 1, "max_tokens": 6, "batch": 2}


def job(place, out, decoder=SAMPLE, **changes) -> sampling.SampleJob:
    settings = {"options": BackboneOptions(), "device": "cpu", "state": str(place / f"state-{out}"), "adapter": None}
    files = {"backbone": str(place / "backbone"), "texts": (str(place / "texts.parquet"),), "out": str(place / out)}
    return sampling.SampleJob(**{**settings, **files, "decoder": read_decoder(decoder), **changes})


def test_a_killed_sampling_goes_on_by_row_and_sample(place, monkeypatch):
    sampling.sample(job(place, "whole.parquet"))
    table = pq.read_table(place / "whole.parquet")
    assert table["sample"].to_pylist() == [0, 1, 2] * 7
    assert table["id"].to_pylist() == [f"row-{i // 3}" for i in range(21)]
    assert table["n_decoded"].equals(table["n_tokens"])
    note = table_note(place / "whole.parquet")["params"]
    assert note["decoder"] == SAMPLE and note["engine"] == "slots" and note["torch"] == torch.__version__
    sizes = []

    def counting(model, wanted, **settings):
        sizes.append(len(wanted))
        if len(sizes) == 2:
            raise KeyboardInterrupt
        yield from decode_slots(model, wanted, **settings)

    monkeypatch.setattr(slots, "decode_slots", counting)
    with pytest.raises(KeyboardInterrupt):
        sampling.sample(job(place, "again.parquet"))
    (log,) = (place / "state-again.parquet").glob("*/done.jsonl")
    assert sorted(sample for _, sample in sampling.kept(log)) == [0, 0, 1, 2]
    sampling.sample(job(place, "again.parquet"))
    assert sizes == [4, 4, 4, 4, 4, 4, 1]  # a row and one sample of the next, then what is left
    assert pq.read_table(place / "again.parquet").equals(table)


def test_more_samples_begin_with_the_same_ones(place):
    sampling.sample(job(place, "two.parquet", SAMPLE | {"k": 2}))
    two, three = (pq.read_table(place / f"{name}.parquet").to_pylist() for name in ("two", "whole"))
    assert two == [row for row in three if row["sample"] < 2]
    sampling.sample(job(place, "other.parquet", SAMPLE | {"k": 2}, seed=2))
    assert [row["text"] for row in pq.read_table(place / "other.parquet").to_pylist()] != [row["text"] for row in two]


def test_the_first_rows_only(place):
    sampling.sample(job(place, "few.parquet", rows=2))
    assert pq.read_table(place / "few.parquet")["id"].to_pylist() == ["row-0"] * 3 + ["row-1"] * 3


def test_a_budget_below_the_designs_own_text_is_refused_before_a_model_is_loaded(place, monkeypatch):
    write_table(place / "told.parquet", rows(5, seed=4))
    texts = {"texts": (str(place / "told.parquet"),)}
    monkeypatch.setattr("learning.engines.local.load", lambda *_: pytest.fail("a model was loaded"))
    greedy = {"kind": "greedy", "max_tokens": 9, "batch": 2}
    with pytest.raises(LabError, match=r"cut.parquet: row row-\d, field max_tokens: .* has (\d+) tokens, .* at most 9"):
        sampling.sample(job(place, "cut.parquet", greedy, **texts))
    long = rows(1)
    long[0]["completion"] = "<think>\n" + "1" * 500
    write_table(place / "long.parquet", long)
    with pytest.raises(LabError, match="row row-0: a prompt of .* completion of 50. exceed the context of 512"):
        sampling.sample(job(place, "cut.parquet", greedy | {"max_tokens": 600}, texts=(str(place / "long.parquet"),)))


def test_kinds_are_found_by_their_place():
    files = {path.stem for path in (ROOT / "workflow_scripts/learning/decoders").glob("[a-z]*.py")}
    assert set(KINDS) == files - {"base"} >= {"greedy", "sample", "majority", "best"}
    assert all(issubclass(kind, Decoding | Selection) for kind in KINDS.values())
    assert {path.stem for path in (ROOT / "workflow_scripts/learning/engines").glob("[a-z]*.py")} - {
        "local",
        "streams",
    } == set(ABILITIES)


USUAL = {"max_tokens": 9, "batch": 2}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"kind": "gready"}, "x.kind: unknown kind 'gready'; did you mean 'greedy'?"),
        ({}, "x.kind: unknown kind None"),
        ({"kind": "greedy", "temprature": 1}, "x.temprature: unknown key"),
        (SAMPLE | {"k": 0}, "x.k: 0 is not at least 1"),
        (SAMPLE | {"temperature": 0}, "x.temperature: 0 is not above 0"),
        (SAMPLE | {"k": "many"}, "x.k: 'many' is not a whole number"),
        ({"kind": "sample", "k": 2, "seed": 1}, "x.temperature: missing key; expected a number"),
        ({"kind": "majority", "of": "none"}, "x.of: 'none' is no decoder over an engine"),
        ({"kind": "majority", "of": "greedy"}, "x.of: greedy makes 1 completion a row, nothing to choose from"),
        ({"kind": "best", "of": "drawn", "by": "luck"}, "x.by: 'luck' is not one of mean, sum"),
        ({"kind": "majority", "of": "drawn", "first": 4}, "x.first: the first 4 of 3 samples"),
        ({"kind": "majority", "of": "drawn", "first": 1}, "x.first: 1 is not at least 2, or 0 for all samples"),
        ({"kind": "complexity", "of": "drawn", "k": 0, "by": "longest"}, "x.k: 0 is not at least 1"),
        ({"kind": "complexity", "of": "drawn", "k": 4, "by": "longest"}, "x.k: 4 of 3 samples cannot vote"),
        (
            {"kind": "complexity", "of": "drawn", "k": 2, "by": "wisest"},
            "x.by: 'wisest' is not one of longest, shortest",
        ),
        ("greedy", "x: 'greedy' is no mapping of settings"),
    ],
)
def test_entries_that_cannot_be(entry, message):
    with pytest.raises(LabError) as caught:
        resolve({"greedy": {"kind": "greedy"}, "drawn": SAMPLE, "x": entry}, USUAL, "d.yaml")
    assert str(caught.value).startswith(f"d.yaml: field {message}")


def test_what_an_engine_cannot_serve():
    entries = resolve(
        {
            "greedy": {"kind": "greedy"},
            "drawn": SAMPLE,
            "maj": {"kind": "majority", "of": "drawn"},
            "bon": {"kind": "best", "of": "drawn", "by": "mean"},
        },
        USUAL,
    )
    unserved = {(name, engine): bool(lacking(name, entries, engine)) for name in entries for engine in ABILITIES}
    assert {each for each, lacks in unserved.items() if lacks} == {
        ("drawn", "baseline"), ("maj", "baseline"), ("bon", "baseline"), ("bon", "endpoint")
    }  # fmt: skip


def samples(*texts: str, row="a", **more) -> list[dict]:
    return [
        {"id": row, "family": "sums", "sample": i, "text": text, "n_tokens": 3, "n_decoded": 3 + i, "finish": "stop",
         "logprob_sum": -float(len(text)), "logprob_mean": -1.0 / (i + 1), **more}
        for i, text in enumerate(texts)
    ]  # fmt: skip


SAMPLED = ("id", "family", "sample", "text", "n_tokens", "n_decoded", "finish", "logprob_sum", "logprob_mean")


def box(answer: str) -> str:
    return f"<think>\n</think>\n\\boxed{{{answer}}}"


def test_a_selection_chooses_one_sample_of_each_row(tmp_path):
    table = samples("no box", box("7"), box("12"), box("7 "), box("12")) + samples(box("1"), box("22"), row="b")
    table += samples("5", "55", row="c")
    columns = pa.schema([sampling.SCHEMA.field(name) for name in SAMPLED])
    write_table(tmp_path / "samples.parquet", table, columns)
    chosen = {}
    for decoder in ({"kind": "majority"}, {"kind": "best", "by": "mean"}, {"kind": "best", "by": "sum"}):
        words = ["--completions", tmp_path / "samples.parquet", "--decoder", json.dumps(decoder | {"of": "s"})]
        done = run("choose", *words, "--out", tmp_path / "out.parquet")
        assert done.returncode == 0, done.stderr[-2000:]
        found = pq.read_table(tmp_path / "out.parquet")
        assert found.schema.names == pq.read_schema(tmp_path / "samples.parquet").names
        assert found["id"].to_pylist() == ["a", "b", "c"] and found["n_decoded"].to_pylist() == [25, 7, 7]
        chosen[decoder["kind"], decoder.get("by")] = found["sample"].to_pylist()
    assert chosen == {("majority", None): [1, 0, 0], ("best", "mean"): [4, 1, 1], ("best", "sum"): [0, 0, 0]}


def test_the_longest_or_the_shortest_vote():
    """With all of them it is self-consistency."""
    long = "<think>\na\nb\nc\n</think>\n\\boxed{%s}"
    drawn = samples(box("1"), long % 7, box("1"), long % 7, box("1"))
    of = {"of": "s", "first": 0}
    by = {each: [read_decoder({"kind": "complexity", "k": k, "by": each, **of}).choose(drawn) for k in (1, 2, 3, 5)]
          for each in ("longest", "shortest")}  # fmt: skip
    assert by == {"longest": [1, 1, 1, 0], "shortest": [0, 0, 0, 0]}
    assert read_decoder({"kind": "majority", **of}).choose(drawn) == 0


def test_a_budget_of_the_first_samples_and_only_valid_ones_vote(tmp_path):
    """Three wrong lines that agree against a sample without a fault; of the first two samples only these count."""
    (problem,) = FAMILIES["numeral"].generate(row_rng(1, "numeral"), 1)
    row = render_row("a", problem, Solution(problem.answer, 1.0), DESIGNS["numeral", "forward"], Reveal(), 0)
    wrong = row.completion.replace("\n</think>", "\nnonsense\n</think>").replace(problem.answer + "}", "I}")
    drawn = samples(wrong, row.completion, wrong, wrong, design="forward", prompt=row.prompt)
    write_table(tmp_path / "samples.parquet", [each | {"family": "numeral"} for each in drawn])
    found = {}
    for kind, first in (("majority", 0), ("valid", 0), ("majority", 2), ("valid", 2)):
        words = ["--decoder", json.dumps({"kind": kind, "of": "s", "first": first}), "--out", tmp_path / "out.parquet"]
        done = run("choose", "--completions", tmp_path / "samples.parquet", *words)
        assert done.returncode == 0, done.stderr[-2000:]
        (made,) = pq.read_table(tmp_path / "out.parquet").to_pylist()
        found[kind, first] = made["sample"], made["n_decoded"]
    assert found == {("majority", 0): (0, 18), ("valid", 0): (1, 18), ("majority", 2): (0, 7), ("valid", 2): (1, 7)}


@pytest.mark.slow
def test_a_sampling_that_was_killed_goes_on_with_what_it_had(place):
    """kill -9 in the middle: what was written down is kept as it is and not made again; the others are the same."""
    write_table(place / "more.parquet", asked(24, seed=5))
    words = ["--texts", place / "more.parquet", "--backbone", place / "backbone", "--threads", 1, "--decoder"]
    words += [json.dumps(SAMPLE | {"max_tokens": 60}), "--state", place / "killed", "--out"]
    done = run("sample", *words, place / "unkilled.parquet")
    assert done.returncode == 0, done.stderr[-2000:]
    process = forked.begin(*script("sample", *words, place / "resumed.parquet")[1:], cwd=ROOT, env=environment())
    while process.is_alive() and not any(each.stat().st_size for each in place.glob("killed/*/done.jsonl")):
        time.sleep(0.02)
    process.kill()
    process.join()
    assert process.exitcode == -9 and not (place / "resumed.parquet").exists()
    (log,) = place.glob("killed/*/done.jsonl")
    before = sampling.kept(log)
    assert 0 < len(before) < 72
    (row, number), text = next(iter(before)), before[next(iter(before))]["text"]
    log.write_text(log.read_text().replace(json.dumps(text), json.dumps("as it was kept")))
    done = run("sample", *words, place / "resumed.parquet")
    assert done.returncode == 0, done.stderr[-2000:]
    whole, found = (pq.read_table(place / f"{name}.parquet").to_pylist() for name in ("unkilled", "resumed"))
    assert found[3 * row + number]["text"] == "as it was kept" != text
    assert [each | {"text": text} if each["text"] == "as it was kept" else each for each in found] == whole


def test_selections_that_cannot_be(tmp_path):
    write_table(tmp_path / "one.parquet", samples("x"))
    words = ["--out", tmp_path / "out.parquet", "--decoder"]
    error = last_error(
        run("choose", "--completions", tmp_path / "one.parquet", *words, '{"kind": "majority", "of": "s"}')
    )
    assert "one.parquet: row a: samples 0; expected at least two, from 0 on" in error
    error = last_error(run("choose", "--completions", tmp_path / "one.parquet", *words, json.dumps(SAMPLE)))
    assert "it is no selection" in error and not (tmp_path / "out.parquet").exists()
