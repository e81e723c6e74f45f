"""Worksheets of skills as fixed-length rows of tokens, each a function of (seed, index) alone."""

import random

import torch
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerBase

from learning import skills
from learning.tokens import SUFFIX

IGNORE = -100


class Worksheets(Dataset):
    """`size` rows of `length` tokens: input_ids, labels (answers only, IGNORE elsewhere), position_ids, skill ids.

    The positions make random jumps between the user's turn and the lines, so that a short row teaches lookups over
    the distances of a long one (positional skip-wise training).
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        length: int,
        size: int,
        seed: int,
        context: int,
        names: tuple[str, ...] = (),
        first: int = 0,
    ):
        self.tokenizer, self.length, self.size, self.seed = tokenizer, length, size, seed
        self.context, self.names, self.first = context, names, first
        vocab = tokenizer.get_vocab()
        self.ids = {text: i for text, i in vocab.items() if len(text) == 1}
        self.newline, self.end = vocab["\n"], tokenizer.eos_token_id
        self.phrases = sorted(i for text, i in tokenizer.get_added_vocab().items() if i > max(self.ids.values()))
        self.user, self.assistant = tokenizer.convert_tokens_to_ids(["<|user|>", "<|assistant|>"])
        self.think, self.unthink = vocab["<think>"], vocab["</think>"]
        self.suffix = vocab[SUFFIX]
        self.skill_ids = {name: i for i, name in enumerate(skills.SKILLS)}

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        rng = random.Random(f"{self.seed}:{self.first + index}")
        page = skills.material(rng)
        head = [self.user, *rng.sample(self.phrases, 2), self.newline]
        ids = head + [self.ids[c] for c in page.text(rng)] + [self.newline, self.suffix, self.assistant]
        turn = len(ids)
        labels, which = [IGNORE] * turn, [-1] * turn

        def put(tokens: list[int], skill: int | None) -> None:
            ids.extend(tokens)
            labels.extend(tokens if skill is not None else [IGNORE] * len(tokens))
            which.extend([-1 if skill is None else skill] * len(tokens))

        put([self.think, self.newline], None)
        jumps = [turn]
        for name, question, answer in skills.lines(rng, page, self.names):
            jumps.append(len(ids))
            put([self.ids[c] for c in question], None)
            put([*(self.ids[c] for c in answer), self.newline], self.skill_ids[name])
            if rng.random() < 0.05:  # any token can be copied: keeps the phrases' embeddings apart
                token = rng.choice(self.phrases)
                put([*(self.ids[c] for c in "copy "), token, *(self.ids[c] for c in ": ")], None)
                put([token, self.newline], self.skill_ids["copy"])
            if len(ids) > self.length:
                break
        positions = torch.arange(self.length)
        spare = self.context - self.length
        if spare > 0:
            first = rng.randint(0, spare) if rng.random() < 0.7 else 0
            positions[turn:] += first
            if first < spare and rng.random() < 0.5:
                positions[rng.choice(jumps[: max(1, len(jumps) // 2)]) :] += rng.randint(0, spare - first)
        return {
            "input_ids": torch.tensor(ids[: self.length]),
            "labels": torch.tensor(labels[: self.length]),
            "position_ids": positions.clamp(max=self.context - 1),
            "skills": torch.tensor(which[: self.length]),
        }
