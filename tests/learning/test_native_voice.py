"""The native voice against a softmax computed here, for a tokenizer with and without an opening of its own."""

import pyarrow.parquet as pq
import pytest
import torch

from common.artifacts import write_table
from learning.backbones import load_model, load_tokenizer
from learning.settings import BackboneOptions
from learning.tokens import SUFFIX
from learning.voice import first_token
from learning_fixtures import last_error, rows, run, save_backbone


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return save_backbone(tmp_path_factory.mktemp("voice") / "backbone", seed=3)


@pytest.mark.parametrize("opens", [False, True])
def test_it_is_the_softmax_after_the_opening(backbone, opens):
    model, tokenizer = load_model(backbone, BackboneOptions()).eval(), load_tokenizer(backbone)
    if opens:
        tokenizer.chat_template = tokenizer.chat_template.replace("'<|assistant|>' -", "'<|assistant|><think>\\n' -")
    row = rows(1)[0]
    found = first_token(model, tokenizer, row["prompt"], row["completion"])
    page = f"<|user|>{row['prompt']}{SUFFIX}<|assistant|><think>\n"
    with torch.no_grad():
        logits = model(torch.tensor([tokenizer.encode(page, add_special_tokens=False)])).logits[0, -1]
    shares = torch.softmax(logits, -1)
    written = row["completion"].removeprefix("<think>\n")[0]
    (token,) = tokenizer.encode(written, add_special_tokens=False)
    assert found["token"] == written and found["choice"] == tokenizer.decode([int(shares.argmax())])
    assert found["probability"] == pytest.approx(float(shares[token]), rel=1e-3)
    assert found["rank"] == sorted(shares.tolist(), reverse=True).index(shares[token].item()) + 1
    assert found["choice_probability"] == pytest.approx(float(shares.max()), rel=1e-3)


def test_the_table(backbone, tmp_path):
    texts = rows(5)
    texts[1]["status"] = "no key to reveal"
    write_table(tmp_path / "texts.parquet", texts)
    command = ["--texts", tmp_path / "texts.parquet", "--backbone", backbone, "--threads", 1]
    done = run("native_voice", *command, "--rows", 3, "--out", tmp_path / "voice.parquet")
    assert done.returncode == 0, done.stderr[-2000:]
    table = pq.read_table(tmp_path / "voice.parquet").to_pylist()
    assert [row["id"] for row in table] == ["row-0", "row-2", "row-3"]
    assert all(0 < row["probability"] <= row["choice_probability"] < 1 for row in table)
    write_table(tmp_path / "texts.parquet", [row | {"status": "no key to reveal"} for row in texts])
    assert "field status: no rendered row" in last_error(run("native_voice", *command, "--out", tmp_path / "no"))
