"""What can be wrong with a training's corpus, backbone and machine: one line that names it, and nothing half-made."""

import json
import socket
from argparse import Namespace

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from common.artifacts import write_table
from common.errors import LabError
from learning import adapters, launch
from learning.backbones import context_of
from learning.tokens import require_characters
from learning_fixtures import RECIPE, ROOT, environment, last_error, rows, run


def refused(place, corpus: list[dict], **recipe) -> str:
    """The error of a training on this corpus, after checking that it left no output."""
    write_table(place / "bad.parquet", corpus)
    words = ["--corpus", place / "bad.parquet", "--backbone", place / "backbone", "--out", place / "out"]
    words += ["--state", place / "state", "--threads", 1, "--recipe", json.dumps({**RECIPE, **recipe})]
    error = last_error(run("train", *words))
    assert not (place / "out").exists()
    return error


def test_a_row_longer_than_the_context_is_named(place):
    assert context_of(place / "backbone") == 512
    corpus = rows(8)
    corpus[5]["completion"] += "9" * 600
    error = refused(place, corpus, max_length=4096)
    assert "bad.parquet: row row-5: " in error and "above the backbone's context of 512" in error


def test_an_empty_corpus(place):
    from pyarrow.parquet import read_table

    error = refused(place, read_table(place / "corpus.parquet").slice(0, 0))
    assert error.endswith("bad.parquet: the corpus has no rows")


def test_a_completion_of_nothing(place):
    corpus = rows(8)
    corpus[2]["completion"] = ""
    assert "row row-2, field completion: nothing to learn" in refused(place, corpus)


def words(normalizer=None, pre_tokenizer=None) -> PreTrainedTokenizerFast:
    """A tokenizer of single characters that changes the text before it."""
    vocab = {c: i for i, c in enumerate("?" + "".join(map(chr, range(32, 127))) + "\n")}
    tokenizer = Tokenizer(models.BPE(vocab, [], unk_token="?"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer or pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="?", clean_up_tokenization_spaces=False)


@pytest.mark.parametrize(
    ("normalizer", "text", "named"),
    [
        (normalizers.Lowercase(), "MCM", "loses the character(s) 'C' (U+0043), 'M' (U+004D)"),
        (normalizers.Replace("\\", ""), "a\\b", r"loses the character(s) '\\' (U+005C)"),
        (normalizers.Replace("  ", " "), "1  2", "turns '1  2' into '1 2'"),
        (normalizers.Replace("!!", "!"), "x=!!+", "turns '=!!+' into '=!+'"),
    ],
)
def test_a_tokenizer_that_merges_or_drops_characters(normalizer, text, named):
    require_characters(words(), [text], ["r"])
    with pytest.raises(LabError) as caught:
        require_characters(words(normalizer), ["ok", text], ["q", "r"], file="c")
    assert str(caught.value) == f"c: row r: the backbone's tokenizer {named}"


def test_a_port_in_use_is_left_for_another(place, monkeypatch):
    """The first port is really taken: torch cannot listen on it, says so, and the second start trains to the end."""
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    free, tried = launch.free_port, []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        def port() -> int:
            tried.append(free() if tried else taken.getsockname()[1])
            return tried[-1]

        monkeypatch.setattr(launch, "free_port", port)
        argv = [str(ROOT / "workflow_scripts/train.py"), "--corpus", str(place / "corpus.parquet"), "--backbone"]
        argv += [str(place / "backbone"), "--out", str(place / "port"), "--state", str(place / "port-state")]
        argv += ["--ranks", "1", "--recipe", json.dumps(RECIPE | {"epochs": 0.25})]
        launch.launch(
            argv, Namespace(state=str(place / "port-state"), ranks=1, gpus=0, threads=1, hostfile=None, out="port")
        )
    assert len(tried) == 2 and (place / "port" / adapters.WEIGHTS).is_file()
