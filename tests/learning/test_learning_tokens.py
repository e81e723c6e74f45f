"""The single-character tokenizer gives every text back, and names what it cannot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from common.errors import LabError
from learning.tokens import (
    CHARACTERS,
    MARKS,
    SUFFIX,
    character_tokenizer,
    completion_ids,
    prompt_ids,
    require_characters,
)
from learning_fixtures import PHRASES

TOKENIZER = character_tokenizer(PHRASES)
PIECES = st.one_of(st.sampled_from([*CHARACTERS, *PHRASES, *MARKS, "<think", "\\boxe", "\\boxed{}"]))


@given(st.lists(PIECES, max_size=60).map("".join))
def test_every_ascii_text_comes_back(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


def test_one_token_per_character_phrase_and_mark():
    for text in (*CHARACTERS, *PHRASES, *MARKS):
        assert len(TOKENIZER.encode(text)) == 1, text
    assert len(TOKENIZER.encode("<^@%{ = $'")) == 10


def test_survives_saving(tmp_path):
    TOKENIZER.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    text = f'{PHRASES[0]} a  b\n<think>\n!"#\n</think>\n\\boxed{{x}}'
    assert again.encode(text) == TOKENIZER.encode(text)
    assert again.decode(again.encode(text)) == text
    assert prompt_ids(again, "12") == prompt_ids(TOKENIZER, "12")


def test_turns():
    ids = prompt_ids(TOKENIZER, "12")
    assert TOKENIZER.convert_ids_to_tokens(ids) == ["<|user|>", "1", "2", SUFFIX, "<|assistant|>"]
    full = completion_ids(TOKENIZER, "12", "<think>\n3\n</think>\n\\boxed{3}")
    assert full[-1] == TOKENIZER.eos_token_id
    assert TOKENIZER.decode(full[:-1]) == "<think>\n3\n</think>\n\\boxed{3}"


def test_an_opened_thinking_block_is_not_opened_twice():
    tokenizer = character_tokenizer(PHRASES)
    tokenizer.chat_template = tokenizer.chat_template.replace("'<|assistant|>'", "'<|assistant|><think>\n'")
    ids = prompt_ids(tokenizer, "1") + completion_ids(tokenizer, "1", "<think>\n1\n</think>\n\\boxed{1}")
    assert tokenizer.decode(ids).count("<think>") == 1


def test_lost_characters_are_named():
    require_characters(TOKENIZER, ["abc", "".join(CHARACTERS)], ["a", "b"])
    with pytest.raises(LabError, match=r"corpus: row r1: .*'é' \(U\+00E9\), '→' \(U\+2192\)"):
        require_characters(TOKENIZER, ["abc", "é → e"], ["r0", "r1"], file="corpus")
