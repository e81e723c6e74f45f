"""Worksheets: fixed-length rows of tokens, each a function of its seed, its number and the skills' shares alone."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

from learning.backbone.material import Material, material
from learning.backbone.notation import Notation, pieces, plain
from learning.backbone.skills import SKILLS, Task
from learning.tokens import SUFFIX, spare_tokens

IGNORE = -100
NAMES = tuple(SKILLS)


@dataclass(frozen=True, slots=True)
class Line:
    """One task as written; the first of a skill on a sheet shows its notation, whose signs are not learned there."""

    skill: str
    question: str
    answer: str
    example: bool


def page_size(rng: random.Random, length: int, needed: bool) -> int:
    """Characters of material: most of a long worksheet whose skills use it, little or nothing otherwise."""
    if needed:
        return rng.randint(length // 6, length // 3 if length < 1024 else length * 3 // 5)
    return rng.choice((0, 0, rng.randint(0, length // 4)))


def sheet(rng: random.Random, length: int, shares: Mapping[str, float]) -> tuple[Material, list[Line]]:
    """The material and the lines of one worksheet of about `length` characters, a few skills drawn by their shares."""
    names, odds = list(shares), list(shares.values())
    chosen = dict.fromkeys(rng.choices(names, odds, k=1 + length // 320))
    needs = {need for name in chosen if (need := SKILLS[name].needs)}
    size = page_size(rng, length, bool(needs))
    page = material(rng, size, needs)
    room = length - sum(len(part) + 1 for part in page.parts)
    notations = {name: Notation.draw(rng, SKILLS[name].words) for name in chosen}
    found: list[Line] = []
    asked: set[str] = set()
    used, misses = 0, 0
    while used < room and misses < 200:
        name = rng.choice(list(notations))
        task: Task | None = SKILLS[name].draw(rng, page, notations[name])
        if task is None or task[0] in asked:
            misses += 1
            if misses % 10 == 0:  # the page serves no more of these: let others join
                other = rng.choices(names, odds)[0]
                if SKILLS[other].needs is None:
                    notations.setdefault(other, Notation.draw(rng, SKILLS[other].words))
            continue
        asked.add(task[0])
        found.append(Line(name, *task, example=all(line.skill != name for line in found)))
        used += len(task[0]) + len(plain(task[1])) + 1
    return page, found


class Writer:
    """Writes worksheets as arrays of tokens for one tokenizer and context."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, context: int):
        self.tokenizer, self.context = tokenizer, context
        vocab = tokenizer.get_vocab()
        self.ids = {text: i for text, i in vocab.items() if len(text) == 1}
        self.newline = vocab["\n"]
        self.phrases = sorted(i for text, i in tokenizer.get_added_vocab().items() if i > max(self.ids.values()))
        self.user, self.assistant = tokenizer.convert_tokens_to_ids(["<|user|>", "<|assistant|>"])
        self.think, self.suffix = vocab["<think>"], vocab[SUFFIX]
        assert set(spare_tokens(tokenizer)) <= set(self.phrases)

    def spell(self, text: str) -> list[int]:
        return [self.ids[c] for c in text]

    def row(self, rng: random.Random, length: int, shares: Mapping[str, float]) -> dict[str, np.ndarray]:
        """`length` tokens: input_ids, labels (answers only, IGNORE elsewhere), position_ids, skills, ends.

        skills: the number of the answer's skill at its tokens, else -1; ends: whether an answer ends here; examples
        have neither. The positions jump at random between the material and the lines, so that a short row teaches the
        distances of a long one (positional skip-wise training).
        """
        page, lines = sheet(rng, length, shares)
        ids = [self.user, *rng.sample(self.phrases, rng.randint(0, 2)), self.newline]
        for part in page.parts:
            ids += [*self.spell(part), self.newline]
            if rng.random() < 0.15:
                ids += [rng.choice(self.phrases), self.newline]
        ids += [self.suffix, self.assistant]
        turn = len(ids)
        labels, which, ends = [IGNORE] * turn, [-1] * turn, [False] * turn

        def put(tokens: list[int], learned: bool = False, skill: int = -1, end: bool = False) -> None:
            ids.extend(tokens)
            labels.extend(tokens if learned else [IGNORE] * len(tokens))
            which.extend([skill] * len(tokens))
            ends.extend([False] * (len(tokens) - 1) + [end])

        put([self.think, self.newline])
        jumps = [turn]
        for line in lines:
            jumps.append(len(ids))
            skill = -1 if line.example else NAMES.index(line.skill)
            put(self.spell(line.question))
            for text, sign in pieces(line.answer):
                put(self.spell(text), not (sign and line.example), skill)
            put([self.newline], True, skill, end=not line.example)
            if rng.random() < 0.03:  # any token can be copied: keeps the phrases' embeddings apart
                token = rng.choice(self.phrases)
                put([token, *self.spell(" : ")])
                put([token, self.newline], True)
            if len(ids) >= length:
                break
        ids += [self.newline] * (length - len(ids))
        for other, filler in ((labels, IGNORE), (which, -1), (ends, False)):
            other += [filler] * (length - len(other))
        positions = np.arange(length)
        spare = self.context - length
        if spare > 0:
            far = rng.choice((0, spare // 8, spare // 2, spare))
            first = rng.randint(0, far)
            positions[turn:] += first
            if first < far and rng.random() < 0.5:
                positions[rng.choice(jumps[: max(1, len(jumps) // 2)]) :] += rng.randint(0, far - first)
        return {
            "input_ids": np.array(ids[:length]),
            "labels": np.array(labels[:length]),
            "position_ids": positions,
            "skills": np.array(which[:length]),
            "ends": np.array(ends[:length]),
        }

    def batch(self, name: str, rows: int, length: int, shares: Mapping[str, float]) -> dict[str, np.ndarray]:
        """`rows` worksheets, all of them fixed by `name`."""
        made = [self.row(random.Random(f"{name}:{i}"), length, shares) for i in range(rows)]
        return {key: np.stack([row[key] for row in made]) for key in made[0]}
