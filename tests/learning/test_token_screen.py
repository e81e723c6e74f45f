"""Tokens per text and merged signs: byte-pair tokenizers trained here, and the small backbone's characters."""

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

import token_screen as script
from common.artifacts import read_table, write_table
from learning.token_screen import merges, screen
from learning.tokens import character_tokenizer
from learning.training import token_flags
from puzzles.base import Solution, row_rng
from puzzles.registry import FAMILIES
from reasoning.grammar.reveal import Reveal
from reasoning.grammar.texts import TEXTS, render_row, table_row
from reasoning.registry import DESIGNS


def texts(family: str, design: str, n: int = 12) -> list[dict]:
    rows, shown = [], Reveal.parse("0")
    for problem in FAMILIES[family].generate(row_rng(4, family), n):
        row = render_row(problem.id, problem, Solution(problem.answer, 1.0), DESIGNS[family, design], shown, 0)
        rows.append(table_row(row, DESIGNS[family, design], shown))
    return rows


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return texts("cryptarithm_deduce", "derive")


def byte_pairs(lines: list[str], splits: bool) -> Tokenizer:
    """Byte pairs learned from these lines; splits: signs stand alone, as in tokenizers made for arithmetic."""
    tokenizer = Tokenizer(models.BPE())
    signs = [pre_tokenizers.Punctuation("isolated"), pre_tokenizers.Digits(individual_digits=True)] * splits
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*signs, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made = trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, special_tokens=["<end>"], show_progress=False)
    tokenizer.train_from_iterator(lines, made)
    return tokenizer


def encoder(tokenizer: Tokenizer):
    return lambda text: tokenizer.encode(text, add_special_tokens=False).offsets


def test_byte_pairs_that_merge_signs_are_flagged_and_others_are_not(rows):
    lines = [text for row in rows for text in (row["prompt"], row["completion"])]
    told = {splits: screen(rows, encoder(byte_pairs(lines, splits)), 10_000) for splits in (False, True)}
    assert told[False].merged > 0.2 and "of the signs share a token" in told[False].flags
    assert told[False].merged_tokens.split(" ")[0] in told[False].flags
    assert told[True].merged == 0 and told[True].flags == ""
    assert told[False].tokens_mean < told[True].tokens_mean < sum(len(r["completion"]) for r in rows) / len(rows)
    assert told[False].tokens_mean <= told[False].tokens_p95 <= told[False].tokens_max


def test_thoughts_above_the_budget_are_flagged(rows):
    encode = encoder(byte_pairs([row["completion"] for row in rows], splits=True))
    lengths = sorted(len(encode(row["completion"])) for row in rows)
    told = screen(rows, encode, lengths[-1] - 1)
    assert told.over == lengths.count(lengths[-1]) / len(rows) and "have more than" in told.flags
    assert screen(rows, encode, lengths[-1]).over == 0


def test_letters_are_signs_only_where_answers_have_nothing_else():
    rows = [{"prompt": "ab", "completion": "ab to \\boxed{xiv}", "answer": "xiv"}]
    whole = screen(rows, lambda text: [(0, 2), (3, 5), (6, 13), (13, 16), (16, 17)][: 5 if len(text) > 2 else 1], 9)
    assert (whole.signs, whole.merged, whole.merged_tokens) == (3, 1, "xiv")
    assert merges("E1 12", [(0, 2), (2, 3), (3, 5)], {"1", "2"}) == (3, {("12", 2): 1}), "a word with a digit is a word"


def test_the_script_screens_what_an_arm_trains_on(rows, tmp_path, monkeypatch, capsys):
    """The small backbone's characters merge nothing; a tokenizer of byte pairs does, and it is said before training."""
    lines = [text for row in rows for text in (row["prompt"], row["completion"])]
    pairs = PreTrainedTokenizerFast(tokenizer_object=byte_pairs(lines, splits=False), eos_token="<end>")
    for name, tokenizer in (("pairs", pairs), ("characters", character_tokenizer())):
        tokenizer.save_pretrained(tmp_path / name)
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").touch()
    write_table(tmp_path / "train.parquet", rows, TEXTS)
    told = {}
    for name in ("pairs", "characters"):
        words = ["--texts", tmp_path / "train.parquet", "--backbone", tmp_path / name, "--budget", 1880]
        monkeypatch.setattr(
            "sys.argv", ["token_screen.py", *map(str, words), "--out", str(tmp_path / f"{name}.parquet")]
        )
        script.main()
        told[name] = read_table(tmp_path / f"{name}.parquet").to_pylist()[0], capsys.readouterr().err
    assert told["characters"][0]["merged"] == 0 and told["characters"][1] == ""
    assert told["pairs"][0]["merged"] > 0.2 and "cryptarithm_deduce derive 0: " in told["pairs"][1]
    assert told["pairs"][0]["budget"] == 1880 and told["pairs"][0]["n"] == len(rows)
    for name, tokenizer in (("pairs", pairs), ("characters", character_tokenizer())):
        assert token_flags(str(tmp_path / "train.parquet"), tokenizer, 1880) == told[name][0]["flags"]
        assert told[name][0]["flags"] in capsys.readouterr().err
        assert bool(told[name][0]["flags"]) == (name == "pairs")
