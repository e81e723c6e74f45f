"""The single-character tokenizer, the chat turns, and the check that no character a trace needs is lost.

Every printable ASCII character and the newline is one token; fixed phrases are one token each. The tokenizer is an
ordinary `transformers` folder, so nothing downstream knows that it is special.
"""

import os
from collections.abc import Iterable, Sequence

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from common.errors import LabError
from learning.phrases import MIN_PHRASE, SPARE, SPARES

CHARACTERS = "\n" + "".join(map(chr, range(32, 127)))
PAD, UNKNOWN, END, USER, ASSISTANT = "<|pad|>", "<|unknown|>", "<|end|>", "<|user|>", "<|assistant|>"
SUFFIX = "\nPlease put your final answer inside `\\boxed{}`. For example: `\\boxed{your answer}`"
MARKS = ("<think>", "</think>", "\\boxed{", SUFFIX)
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- '<|' + message.role + '|>' + message.content + ('<|end|>' if message.role == 'assistant' else '') -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)


def character_tokenizer(
    phrases: Iterable[str] = (), context: int = 2048, spares: int = SPARES
) -> PreTrainedTokenizerFast:
    """One token per ASCII character, per phrase of at least `MIN_PHRASE` characters and per mark; spare ones after."""
    specials = [PAD, UNKNOWN, END, USER, ASSISTANT]
    vocab = {token: i for i, token in enumerate([*specials, *CHARACTERS])}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    whole = sorted({p for p in phrases if len(p) >= MIN_PHRASE} | set(MARKS))
    tokenizer.add_tokens(
        [AddedToken(text, normalized=False, special=False) for text in [*whole, *map(SPARE.format, range(spares))]]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        unk_token=UNKNOWN,
        eos_token=END,
        additional_special_tokens=[USER, ASSISTANT],
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def spare_tokens(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The tokens that no phrase has yet, in the order in which phrases get them."""
    vocab = tokenizer.get_added_vocab()
    return [vocab[text] for i in range(SPARES) if (text := SPARE.format(i)) in vocab]


def prompt_ids(tokenizer: PreTrainedTokenizerBase, prompt: str) -> list[int]:
    """The user's turn (prompt and the boxed-answer request) and the opening of the assistant's turn."""
    turn = [{"role": "user", "content": prompt + SUFFIX}]
    text = tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
    return tokenizer.encode(text, add_special_tokens=False)


def fitting(
    prompts: Sequence[str],
    names: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    window: int,
    file: object = None,
) -> list[list[int]]:
    """The tokens of every prompt; raises LabError naming one that loses a character or fills the context `window`."""
    require_characters(tokenizer, prompts, names, file=file)
    found = [prompt_ids(tokenizer, prompt) for prompt in prompts]
    for name, ids in zip(names, found, strict=True):
        if len(ids) >= window:
            raise LabError(f"a prompt of {len(ids)} tokens fills the context of {window}", file=file, row=name)
    return found


def in_context(prompt: str, examples: Iterable[tuple[str, str]]) -> str:
    """The prompt after (prompt, completion) examples, all in one turn: templates drop the thinking of earlier turns."""
    shown = "".join(f"{asked}{SUFFIX}\n\n{completion}\n\n" for asked, completion in examples)
    return f"Solve the last of these problems as the ones before it are solved.\n\n{shown}{prompt}" if shown else prompt


def completion_ids(tokenizer: PreTrainedTokenizerBase, prompt: str, completion: str) -> list[int]:
    """What the model must produce after `prompt_ids`: the completion and the end-of-turn token.

    A template that opens the thinking block itself (its generation prompt ends in `<think>`) keeps that opening in
    the prompt, so the completion's own is dropped.
    """
    if opened_thinking(tokenizer):
        completion = completion.removeprefix("<think>").removeprefix("\n")
    return [*tokenizer.encode(completion, add_special_tokens=False), tokenizer.eos_token_id]


def opened_thinking(tokenizer: PreTrainedTokenizerBase) -> str:
    """`<think>` and a newline where the template's generation prompt already ends in them, else nothing."""
    opening = tokenizer.decode(prompt_ids(tokenizer, "0")[-8:], skip_special_tokens=False).rstrip()
    return "<think>\n" if opening.endswith("<think>") else ""


def require_characters(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], names: Sequence[str], file: object = None
) -> None:
    """Raise LabError naming every character of `texts` that the tokenizer cannot give back, and the first such row."""
    lost = [c for c in sorted(set().union(*map(set, texts))) if c not in tokenizer.decode(tokenizer.encode(c))]
    if lost:
        named = ", ".join(f"{c!r} (U+{ord(c):04X})" for c in lost[:20])
        row = next(name for name, text in zip(names, texts, strict=True) if set(lost) & set(text))
        raise LabError(f"the backbone's tokenizer loses the character(s) {named}", file=file, row=row)
    for name, text in zip(names, texts, strict=True):
        back = tokenizer.decode(tokenizer.encode(text, add_special_tokens=False), skip_special_tokens=False)
        if back != text:
            at = len(os.path.commonprefix([text, back]))
            there, here = text[max(0, at - 2) : at + 3], back[max(0, at - 2) : at + 3]
            raise LabError(f"the backbone's tokenizer turns {there!r} into {here!r}", file=file, row=name)
