"""What a backbone's repository may decide: its weights, its words the end of a turn, nothing else."""

import json
import shutil
from datetime import datetime

import pyarrow.parquet as pq
import pytest
import torch
import transformers.utils.chat_template_utils
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from common.artifacts import table_note, write_table
from learning import sampling, training
from learning.backbones import end_tokens, load_model, load_tokenizer
from learning.decoders import read_decoder
from learning.engines import Request
from learning.engines.generate import decode_generate
from learning.engines.slots import decode_slots
from learning.engines.streams import Waiting
from learning.methods.base import TrainJob
from learning.settings import TEMPLATE_DATE, BackboneOptions
from learning.tokens import prompt_ids
from learning_fixtures import asked as questions
from learning_fixtures import recipe, save_talker

SETTINGS = {
    "repetition_penalty": {"repetition_penalty": 1.3},
    "beams": {"num_beams": 3, "num_return_sequences": 2, "length_penalty": 0.1, "early_stopping": True},
    "sampling": {"do_sample": True, "temperature": 1.7, "top_k": 3, "top_p": 0.5, "min_p": 0.1},
    "no repeats": {"no_repeat_ngram_size": 2},
    "lengths": {"min_new_tokens": 25, "max_new_tokens": 3, "max_length": 9, "max_time": 1e-6},
    "suppressed": {"suppress_tokens": list(range(5, 60)), "begin_suppress_tokens": list(range(5, 60))},
    "bad words": {"bad_words_ids": [[token] for token in range(20, 60)]},
    "forced": {"forced_eos_token_id": 2, "exponential_decay_length_penalty": [1, 3.0]},
    "biases": {"sequence_bias": [[[30], 9.0]], "encoder_repetition_penalty": 0.3, "guidance_scale": 2.0},
    "forms": {"return_dict_in_generate": True, "output_scores": True, "use_cache": False, "renormalize_logits": True},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    save_talker(folder / "talker")
    write_table(folder / "texts.parquet", questions(6, seed=9))
    return folder


def job(place, backbone, **changes) -> sampling.SampleJob:
    decoder = read_decoder({"kind": "greedy", "max_tokens": 30, "batch": 4})
    settings = {"options": BackboneOptions(), "adapter": None, "decoder": decoder, "device": "cpu"}
    files = {"texts": (str(place / "texts.parquet"),), "state": str(place / "state"), "out": str(place / "out.parquet")}
    return sampling.SampleJob(**{**settings, **files, "backbone": str(backbone), **changes})


def completions(asked: sampling.SampleJob) -> list[dict]:
    sampling.sample(asked)
    return pq.read_table(asked.out).to_pylist()


@pytest.mark.parametrize("name", SETTINGS)
def test_the_repository_s_generation_settings_decide_nothing(place, tmp_path, name):
    """Engine generate writes what slots writes, with the same log-probabilities, whatever the repository asks for."""
    plain = completions(job(place, place / "talker"))
    assert len({row["text"] for row in plain}) > 3 and {row["finish"] for row in plain} == {"stop", "length"}
    backbone = shutil.copytree(place / "talker", tmp_path / "backbone")
    (backbone / "generation_config.json").write_text(json.dumps({"eos_token_id": 2, **SETTINGS[name]}))
    found = completions(job(place, backbone, options=BackboneOptions(engine="generate")))
    for row, other in zip(plain, found, strict=True):
        assert all(row[key] == other[key] for key in ("text", "n_tokens", "finish"))
        assert row["logprob_sum"] == pytest.approx(other["logprob_sum"], abs=1e-3)


def test_only_its_end_tokens_are_taken(place, tmp_path):
    backbone = shutil.copytree(place / "talker", tmp_path / "backbone")
    tokenizer = load_tokenizer(backbone)
    own = tokenizer.eos_token_id
    for listed, expected in ((30, {own, 30}), ([30, 31], {own, 30, 31}), (None, {own})):
        (backbone / "generation_config.json").write_text(json.dumps({"eos_token_id": listed, "temperature": 0.1}))
        assert end_tokens(backbone, tokenizer) == expected
    (backbone / "generation_config.json").unlink()
    config = json.loads((backbone / "config.json").read_text())
    (backbone / "config.json").write_text(json.dumps(config | {"eos_token_id": 40}))
    assert end_tokens(backbone, tokenizer) == {own, 40}
    plain = completions(job(place, place / "talker"))
    token = tokenizer.encode("!", add_special_tokens=False)[0]
    (backbone / "generation_config.json").write_text(json.dumps({"eos_token_id": [token]}))
    for engine in ("slots", "generate"):
        found = completions(job(place, backbone, options=BackboneOptions(engine=engine)))
        assert [row["text"] for row in found] == [row["text"].split("!")[0] for row in plain]


@pytest.mark.parametrize("budget", [20, 400])
def test_both_engines_end_a_row_at_its_own_context(place, budget):
    """However long the rows are that share its batch."""
    model = load_model(place / "talker", BackboneOptions()).eval()
    prompts, ends = [[40, 41, 42], [50] * 40, [60] * 9], {}
    for name, decode in (("slots", decode_slots), ("generate", decode_generate)):
        wanted = Waiting([Request(prompt, budget) for prompt in prompts], {9}, frozenset(), 64)
        found = sorted(decode(model, wanted, batch=3, pad=0), key=lambda made: made.request)
        ends[name] = [(made.tokens, made.finish) for made in found]
    assert ends["slots"] == ends["generate"]
    cut = [
        (len(prompt), len(tokens)) for prompt, (tokens, f) in zip(prompts, ends["slots"], strict=True) if f == "length"
    ]
    assert cut and all(new == min(budget, 64 - old) for old, new in cut)


DATED = (
    "{%- macro head() -%}{{- 'Today: ' + strftime_now('%Y-%m-%d, %A %-d %B, %H:%M') -}}{%- endmacro -%}"
    "{%- if strftime_now is defined -%}{{- head() + ' ' + strftime_now(\"%d %b %Y\") + '\\n' -}}{%- endif -%}"
    "{%- for message in messages -%}{{- '<|' + message.role + '|>' + message.content -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)


def test_a_template_s_date_is_the_same_on_every_day(place, tmp_path, monkeypatch):
    backbone = shutil.copytree(place / "talker", tmp_path / "backbone")
    (backbone / "chat_template.jinja").write_text(DATED)
    seen = set()
    for day in ("2026-06-14T11:05", "2027-01-15T23:59"):
        today = datetime.fromisoformat(day)
        clock = type("Clock", (datetime,), {"now": classmethod(lambda cls, tz=None, today=today: today)})
        monkeypatch.setattr(transformers.utils.chat_template_utils, "datetime", clock)
        tokenizer = load_tokenizer(backbone)
        seen.add(tokenizer.decode(prompt_ids(tokenizer, "0")))
    (text,) = seen
    told = f"{TEMPLATE_DATE:Today: %Y-%m-%d, %A %-d %B, %H:%M} {TEMPLATE_DATE:%d %b %Y}\n"
    assert text.startswith(f"{told}<|user|>0\nPlease")


def test_a_template_without_a_date_stays_as_it_is(place, tmp_path):
    backbone = shutil.copytree(place / "talker", tmp_path / "backbone")
    template = "\n \n{%- for message in messages %}\n {{ message.content }}\n{%- endfor %}\n"
    (backbone / "chat_template.jinja").write_text(template)
    assert load_tokenizer(backbone).chat_template == template
    dated = template + "{# strftime_now #}"
    (backbone / "chat_template.jinja").write_text(dated)
    changed = load_tokenizer(backbone)
    plain = PreTrainedTokenizerFast.from_pretrained(backbone)
    turn = [{"role": "user", "content": "x"}]
    assert changed.chat_template != dated
    assert changed.apply_chat_template(turn, tokenize=False) == plain.apply_chat_template(turn, tokenize=False)


def test_the_date_stands_in_the_table(place):
    asked = job(place, place / "talker")
    sampling.sample(asked)
    assert table_note(asked.out)["params"]["template_date"] == TEMPLATE_DATE.date().isoformat()


def test_the_repository_s_dropout_is_off_in_training(place, tmp_path):
    backbone = shutil.copytree(place / "talker", tmp_path / "backbone")
    config = json.loads((backbone / "config.json").read_text())
    (backbone / "config.json").write_text(json.dumps(config | {"attention_dropout": 0.5}))
    model = load_model(backbone, BackboneOptions())
    ids = torch.arange(5, 45)[None]
    with torch.no_grad():
        assert torch.equal(model.eval()(ids).logits, model.train()(ids).logits)


def test_a_text_is_given_back_with_its_blanks(place, tmp_path):
    """Some repositories ask for blanks before full stops and commas to be dropped."""
    backbone = shutil.copytree(place / "talker", tmp_path / "backbone")
    tokenizer = Tokenizer(models.WordLevel({c: i for i, c in enumerate(["<e>", *"ab ,."])}, unk_token="<e>"))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Split("", "isolated"), decoders.Fuse()
    words = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<e>", clean_up_tokenization_spaces=True)
    words.save_pretrained(backbone)
    loaded = load_tokenizer(backbone)
    assert loaded.decode(loaded.encode("a , b .")) == "a , b ."


@pytest.mark.parametrize("file", ["generation_config.json", "chat_template.jinja", "tokenizer.json", "config.json"])
def test_a_file_of_the_repository_that_decides_is_part_of_the_key(place, tmp_path, file):
    backbone = shutil.copytree(place / "talker", tmp_path / "backbone")
    (backbone / file).touch()

    def keys() -> tuple[str, str]:
        shared = {"backbone": str(backbone), "options": BackboneOptions(), "seed": 1, "out": "", "state": ""}
        other = {"corpus": str(place / "texts.parquet"), "recipe": recipe(), "deepspeed": {}, "provenance": {}}
        train = TrainJob(**shared, **other, ranks=1, device="cpu")
        return job(place, backbone).fingerprint(), training.fingerprint(train)

    before = keys()
    (backbone / "notes.md").write_text("of no consequence")
    assert keys() == before
    (backbone / file).write_text((backbone / file).read_text() + " ")
    assert all(one != other for one, other in zip(before, keys(), strict=True))
