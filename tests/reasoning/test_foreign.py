"""Texts from elsewhere: there and back again, real rows in a chat's wrapping, and everything that can be wrong."""

import json
import os
import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest

from common.artifacts import read_table, write_table
from common.errors import LabError
from puzzles.base import Solution, row_rng
from puzzles.importer import read_problems
from puzzles.registry import FAMILIES
from puzzles.tables import PUZZLES, problem_row
from reasoning.grammar.reveal import Reveal
from reasoning.grammar.texts import TEXTS, render_row, table_row
from reasoning.judging.audit import MARKS
from reasoning.judging.foreign import LONGEST_TEXT, exchange, puzzle_in
from reasoning.registry import DESIGNS

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts"
REAL = os.environ.get("BENCHMARK_CSV")
ARMS = (
    ("cryptarithm_deduce", "search", "5-query-first-hidden"),
    ("cryptarithm_deduce", "derive", "10"),
    ("cryptarithm_deduce", "slate", "slate-2-given"),
    ("bit_manipulation", "eliminate", "0"),
    ("numeral", "forward", "0"),
)
N = 8


def script(name: str, *words: object) -> None:
    old, sys.argv = sys.argv, [f"{name}.py", *map(str, words)]
    try:
        runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")
    finally:
        sys.argv = old


def judged(folder: Path, file: Path, *options: object) -> dict[str, pd.DataFrame]:
    """Everything that is made of a file."""
    names = {n: folder / f"{n}.parquet" for n in ("completions", "puzzles", "designs", "grades", "audit", "audit.rows")}
    script("import_traces", "--file", file, "--completions", names["completions"], "--out-puzzles", names["puzzles"],
           "--designs", names["designs"], *options)  # fmt: skip
    script("grade", "--completions", names["completions"], "--out", names["grades"])
    script("audit", "--completions", names["completions"], "--puzzles", names["puzzles"], "--out", names["audit"],
           "--rows", names["audit.rows"])  # fmt: skip
    return {name: read_table(path).to_pandas() for name, path in names.items()}


@pytest.fixture(scope="module", params=ARMS, ids=lambda arm: "-".join(arm[1:]))
def corpus(request, tmp_path_factory) -> tuple[Path, tuple[str, str, str]]:
    """A folder with puzzles and the corpus of one design, whose failed tests carry no loss."""
    family, name, reveal = request.param
    folder, design = tmp_path_factory.mktemp("corpus"), DESIGNS[family, name]
    for split, seed in (("train", 1), ("test", 2)):
        problems = list(FAMILIES[family].generate(row_rng(seed, family), 3 * N))
        write_table(folder / f"{split}.parquet", [problem_row(p, split) for p in problems], PUZZLES)
        solved = [(p, Solution(p.answer, 1.0) if FAMILIES[family].has_key else FAMILIES[family].solve(
            FAMILIES[family].parse(p.prompt))) for p in problems]  # fmt: skip
        rows = [render_row(p.id, p, s, design, Reveal.parse(reveal), 0) for p, s in solved]
        write_table(
            folder / f"{split}-texts.parquet", [table_row(r, design, Reveal.parse(reveal)) for r in rows], TEXTS
        )
    script("corpus", "--texts", folder / "train-texts.parquet", "--puzzles", folder / "train.parquet", "--held-out",
           folder / "test.parquet", "--n", N, "--selection", "right", "--unlearned", "failed", "--seed", 3,
           "--out", folder / "corpus.parquet")  # fmt: skip
    script("export_chats", "--corpus", folder / "corpus.parquet", "--out", folder / "corpus.jsonl")
    return folder, request.param


def test_a_corpus_that_leaves_as_chats_comes_back_right_and_valid(corpus):
    folder, (family, design, reveal) = corpus
    found = judged(folder, folder / "corpus.jsonl", "--puzzles", folder / "train.parquet")
    own = read_table(folder / "corpus.parquet").to_pandas()
    assert (
        found["completions"].id.tolist() == own.id.tolist()
        and found["completions"].text.tolist() == own.completion.tolist()
    )
    assert found["completions"].prompt.tolist() == own.prompt.tolist()
    assert found["grades"].strict.all() and set(found["puzzles"].split) == {"train"}
    assert found["audit.rows"].valid.eq(True).all() and found["audit.rows"].n_lines.gt(0).all()
    shown = Reveal.parse(reveal)
    rule = Reveal(shown.digits, rule=shown.rule, slate=shown.slate)
    assert set(found["completions"].reveal) == {str(rule)}
    shares = found["designs"].set_index("design").share
    assert shares[design] == 1 and found["designs"].set_index("design").nearest.sum() == 1
    nearest = found["completions"].design.iloc[0]
    assert shares[nearest] == 1 and len(DESIGNS[family, nearest].kinds) <= len(DESIGNS[family, design].kinds)


def test_without_the_tables_the_ids_come_from_the_prompts(corpus, tmp_path):
    folder, _ = corpus
    found = judged(tmp_path, folder / "corpus.jsonl")
    own = read_table(folder / "corpus.parquet").to_pandas()
    assert found["completions"].id.tolist() == own.id.tolist() and set(found["puzzles"].split) == {"imported"}
    assert found["grades"].strict.all()
    bare = found["audit"][found["audit"]["true"].notna()]
    assert bare.empty, "nothing is known that a bare claim could be held to"
    assert not found["audit.rows"].valid.eq(False).any()


def test_the_masks_say_which_lines_are_learned(corpus):
    folder, (_, design, _) = corpus
    own = read_table(folder / "corpus.parquet").to_pylist()
    sent = [json.loads(line) for line in (folder / "corpus.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]
    masked = any(row["unlearned"] for row in own)
    assert masked == (design in {"derive", "eliminate", "slate"})
    for row, line in zip(own, sent, strict=True):
        user, assistant = line["messages"]
        assert (user["role"], user["content"]) == ("user", row["prompt"]) and assistant["role"] == "assistant"
        assert assistant["content"] == row["completion"] and line["unlearned"] == row["unlearned"]
        if masked:
            pieces = assistant["train_detail"]
            texts = [row["completion"][p["begin_offset"] : p["end_offset"] + 1] for p in pieces]
            assert "".join(texts) == row["completion"]
            silent = "".join(text for text, piece in zip(texts, pieces, strict=True) if not piece["train"])
            lines = [f"{text}\n" for text in row["completion"].split("\n")]
            assert silent == "".join(lines[number] for number in row["unlearned"])


def test_what_training_only_measures_by_is_not_exported(tmp_path):
    columns = ("id", "family", "design", "prompt", "hidden", "completion", "answer", "stratum")
    row = {name: name for name in columns} | {"unlearned": []}
    write_table(tmp_path / "c.parquet", [{**row, "role": role} for role in ("task", "hint", "hint-test", "drill")])
    script("export_chats", "--corpus", tmp_path / "c.parquet", "--out", tmp_path / "c.jsonl")
    assert [json.loads(line)["role"] for line in open(tmp_path / "c.jsonl")] == ["task", "hint", "drill"]


@pytest.mark.skipif(not REAL, reason="BENCHMARK_CSV is not set: no real rows")
def test_real_rows_in_the_wrapping_of_a_chat(tmp_path):
    problems = [problem for _, problem in read_problems(REAL)]
    with open(tmp_path / "chat.jsonl", "w", encoding="utf-8") as handle:
        for i, problem in enumerate(problems):
            said = {"role": "assistant", "content": f"So it is \\boxed{{{problem.answer if i % 2 else 'no'}}}",
                    "reasoning_content": "Let me think.\nIt is easy."}  # fmt: skip
            asked = f"Solve this.\n\n{problem.prompt}\n\nPut the answer into \\boxed{{}}."
            messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": asked}, said]
            handle.write(json.dumps({"messages": messages, "answer": problem.answer}) + "\n")
    found = judged(tmp_path, tmp_path / "chat.jsonl")
    assert found["completions"].family.tolist() == [problem.family for problem in problems]
    assert found["completions"].stratum.tolist() == [problem.stratum for problem in problems]
    assert found["completions"].prompt.tolist() == [problem.prompt for problem in problems]
    assert found["grades"].strict.tolist() == [bool(i % 2) for i in range(len(problems))]
    assert (found["completions"].design == "").all() and not found["designs"].nearest.any()
    assert found["audit"].empty and found["audit.rows"].valid.isna().all()
    assert found["completions"].text[0].startswith("<think>\nLet me think.\nIt is easy.\n</think>\nSo")


def row_of(family: str = "numeral", **other: object) -> dict:
    problem = next(FAMILIES[family].generate(row_rng(5, family), 1))
    return {"prompt": problem.prompt, "text": f"\\boxed{{{problem.answer}}}", "answer": problem.answer} | other


def run(tmp_path: Path, file: Path, *options: object) -> pd.DataFrame:
    script("import_traces", "--file", file, "--completions", tmp_path / "c.parquet", "--out-puzzles",
           tmp_path / "p.parquet", "--designs", tmp_path / "d.parquet", *options)  # fmt: skip
    return read_table(tmp_path / "c.parquet").to_pandas()


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_every_kind_of_file_and_other_names(tmp_path, suffix):
    rows = [row_of(), row_of(), row_of("cipher")]
    frame = pd.DataFrame(rows).rename(columns={"prompt": "question", "text": "out", "answer": "gold"})
    file = tmp_path / f"theirs.{suffix}"
    if suffix == "csv":
        frame.to_csv(file, index=False, lineterminator="\r\n", encoding="utf-8-sig")
    elif suffix == "jsonl":
        frame.to_json(file, orient="records", lines=True)
    else:
        frame.to_parquet(file)
    found = run(tmp_path, file, "--prompt", "question", "--text", "out", "--answer", "gold")
    assert found.family.tolist() == ["numeral", "numeral", "cipher"] and found["sample"].tolist() == [0, 1, 0]
    assert found.row.tolist() == [1, 2, 3] and found.prompt.tolist() == [row["prompt"] for row in rows]


FAULTS = {
    "unknown family": (lambda row: row | {"prompt": "What is 2+2?"}, "row 2, field prompt: .*no family.*--skip"),
    "no query": (lambda row: row | {"prompt": row["prompt"].rpartition("\n")[0]}, "row 2, field prompt: .*query"),
    "no answer": (lambda row: row | {"answer": None}, "row 2, field answer: missing, and none of the tables"),
    "other form": (lambda row: row | {"answer": "12"}, "row 2, field answer: expected .*numeral.*, got '12'"),
    "a number": (lambda row: row | {"answer": 12}, "row 2, field answer: 12 is not a text"),
    "no text": (lambda row: {"prompt": row["prompt"]}, "row 2, field text: missing; the row has prompt"),
    "no assistant": (lambda row: {"messages": [{"role": "user", "content": "x"}]}, "field messages: no message of"),
    "no messages": (lambda row: {"messages": "hello"}, "row 2, field messages: expected a text or a list"),
    "too long": (lambda row: row | {"text": "x" * (LONGEST_TEXT + 1)}, "row 2, field text: 4000001 characters"),
}


@pytest.mark.parametrize(("change", "words"), FAULTS.values(), ids=FAULTS)
def test_a_broken_row_is_named(tmp_path, change, words):
    file = tmp_path / "theirs.jsonl"
    file.write_text("\n".join(json.dumps(each) for each in (row_of(), change(row_of()))))
    with pytest.raises(LabError, match=f"theirs.jsonl: .*{words}"):
        try:
            run(tmp_path, file)
        except SystemExit as stop:
            raise LabError(str(stop.code)) from None
    assert not (tmp_path / "c.parquet").exists()


def test_broken_files_are_named(tmp_path):
    texts = {
        "a.jsonl": (b'{"prompt": "x"', "row 1: not JSON"),
        "b.jsonl": (b"[1]", "row 1: expected an object"),
        "c.jsonl": ('{"prompt": "é"}'.encode("latin-1"), "not UTF-8 text"),
        "d.csv": ("prompt,text\n".encode("utf-16"), "not UTF-8 text"),
        "e.csv": (b"prompt,text\na,b,c\n", "row 1: more cells"),
        "f.csv": (b"prompt,text\n", "no rows"),
        "g.parquet": (b"PAR1", "not a Parquet table"),
        "h.txt": (b"", "unknown kind of file; expected one of .csv, .jsonl"),
    }
    for name, (content, words) in texts.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SystemExit, match=words):
            run(tmp_path, tmp_path / name)
    with pytest.raises(SystemExit, match="none.csv: no such file"):
        run(tmp_path, tmp_path / "none.csv")


def test_rows_without_a_puzzle_are_left_out_when_asked_and_a_wrong_answer_of_a_known_puzzle_is_not(tmp_path):
    good, file = row_of(), tmp_path / "theirs.jsonl"
    file.write_text("\n".join(json.dumps(each) for each in (row_of(prompt="Hello"), good, row_of(role="drill"))))
    assert run(tmp_path, file, "--skip").row.tolist() == [2]
    problem = next(FAMILIES["numeral"].generate(row_rng(5, "numeral"), 1))
    write_table(tmp_path / "known.parquet", [problem_row(problem, "test")], PUZZLES)
    file.write_text(json.dumps(good | {"answer": good["answer"] + "I"}))
    with pytest.raises(SystemExit, match="row 1, field answer: .*but the answer of this puzzle is"):
        run(tmp_path, file, "--puzzles", tmp_path / "known.parquet")
    file.write_text(json.dumps(good | {"answer": None}))
    assert run(tmp_path, file, "--puzzles", tmp_path / "known.parquet").answer.tolist() == [problem.answer]


def test_a_megabyte_is_read_and_audited(tmp_path):
    text = "\n".join(["<think>", "x" * 900_000, *["9-9=0 IX IX"] * 12_000])
    (tmp_path / "long.jsonl").write_text(json.dumps(row_of(text=text)))
    found = judged(tmp_path, tmp_path / "long.jsonl")
    assert len(found["audit"]) == 12_001 and found["audit"][list(MARKS)].notna().any(axis=None)


def test_the_last_puzzle_of_a_prompt_counts_and_the_last_answer_of_a_chat():
    first, last = (next(FAMILIES["numeral"].generate(row_rng(seed, "numeral"), 1)).prompt for seed in (1, 2))
    asked = puzzle_in(f"Example:\n{first}\n\\boxed{{X}}\n\nNow:\n{last}\n\nThink step by step.\nBox it.")
    assert asked.shown == last and asked.family == "numeral"
    chat = [
        {"role": "user", "content": first},
        {"role": "assistant", "content": "no"},
        {"role": "user", "content": [{"type": "text", "text": last}]},
        {"role": "assistant", "content": "yes"},
    ]
    assert exchange({"messages": chat}) == (last, "yes")
    assert exchange({"prompt": chat[:3], "completion": chat[3:]}, text="completion") == (last, "yes")
