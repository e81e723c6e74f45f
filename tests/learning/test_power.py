"""Power sampling is exact: on models small enough to enumerate, against the power distribution itself.

A model is a table of next-token distributions, one for each prefix; token 0 ends an answer. The transition matrix of
the kernel is built from the decoder's own functions; the decoder itself is run on an engine over the table.
"""

import math
import random
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from common.errors import LabError
from learning.decoders import power, read_decoder
from learning.decoders.base import Stream, driven
from learning.decoders.power import Answer, log_cuts, log_ratio
from learning.engines import Extension, Opening, Question, Request, open_engine
from learning.engines import slots as slots_module
from learning.settings import BackboneOptions
from learning_fixtures import save_talker

Text = tuple[int, ...]
Cut = tuple[str, float, float]
UNIFORM, ENTROPY, JUMP, MIXTURE = ("uniform", 1, 0), ("entropy", 4, 0), ("jump", 4, 0), ("jump", 4, 0.1)


def table(vocabulary: int, horizon: int, concentration: float, seed: int) -> dict[Text, np.ndarray]:
    """A distribution for every prefix that has not ended, drawn prefix by prefix, the longer ones first."""
    rng, found = np.random.default_rng(seed), {}

    def grow(prefix: Text) -> None:
        found[prefix] = rng.dirichlet([concentration] * vocabulary)
        if len(prefix) + 1 < horizon:
            for token in range(1, vocabulary):
                grow((*prefix, token))

    grow(())
    return found


def answer(model: dict[Text, np.ndarray], text: Text, temperature: float) -> Answer:
    """A text as the decoder knows it."""
    made = Answer(list(text))
    for i, token in enumerate(text):
        logprobs = np.log(model[text[:i]])
        drawn = logprobs / temperature
        made.logprobs.append(float(logprobs[token]))
        made.drawn.append(float(drawn[token] - np.logaddexp.reduce(drawn)))
        made.entropies.append(float(-(np.exp(logprobs) * logprobs).sum()))
    return made


def texts(model: dict[Text, np.ndarray], horizon: int) -> list[Text]:
    """All texts that have ended or are as long as the horizon."""
    found, open_ones = [], [()]
    for step in range(horizon):
        grown = [(*text, token) for text in open_ones for token in range(len(model[()]))]
        found += [text for text in grown if text[-1] == 0 or step == horizon - 1]
        open_ones = [text for text in grown if text[-1] != 0]
    return found


class Kernel:
    """The transition matrix on all texts up to a horizon, and the distribution that it should leave as it is."""

    def __init__(self, model, horizon: int, alpha: float, temperature: float, cut: Cut, *, corrected: bool = True):
        self.texts = texts(model, horizon)
        answers = [answer(model, text, temperature) for text in self.texts]
        shares = [log_cuts(each.entropies, *cut)[0] for each in answers]
        weights = np.array([alpha * math.fsum(each.logprobs) for each in answers])
        self.target = np.exp(weights - np.logaddexp.reduce(weights))
        self.matrix = np.zeros((len(answers), len(answers)))
        for i, old in enumerate(answers):
            for j, new in enumerate(answers):
                for c in range(len(old.tokens)):
                    if old.tokens[:c] == new.tokens[:c] and len(new.tokens) > c and shares[i][c] > -math.inf:
                        told = (shares[i][c], shares[j][c]) if corrected else (0, 0)
                        r = log_ratio(old, new, c, alpha, *told)
                        self.matrix[i, j] += math.exp(shares[i][c] + math.fsum(new.drawn[c:]) + min(0.0, r))
            self.matrix[i, i] += 1 - self.matrix[i].sum()  # what is not accepted

    @property
    def gap(self) -> float:
        return float(1 - np.sort(np.abs(np.linalg.eigvals(self.matrix)))[-2])

    @property
    def stationary(self) -> np.ndarray:
        """What the kernel comes to, from anywhere."""
        return np.linalg.matrix_power(self.matrix, 1 << 16)[0]


def distance(one, other) -> float:
    """Total variation."""
    return float(np.abs(np.asarray(one) - np.asarray(other)).sum() / 2)


@pytest.mark.parametrize(
    ("cut", "gap"), [(UNIFORM, 0.0212), (ENTROPY, 0.0120), (JUMP, 0.0615), (MIXTURE, 0.0575)], ids=str
)
def test_the_kernel_keeps_the_power_distribution(cut, gap):
    kernel = Kernel(table(3, 5, 1.0, 1), 5, 4.0, 0.25, cut)
    flows = kernel.target[:, None] * kernel.matrix
    assert len(kernel.texts) == 63 and np.allclose(kernel.matrix.sum(1), 1) and kernel.matrix.min() >= -1e-15
    assert np.abs(flows - flows.T).max() < 1e-12  # detailed balance
    assert np.abs(kernel.target @ kernel.matrix - kernel.target).sum() < 1e-12
    assert kernel.gap == pytest.approx(gap, abs=6e-5)


def test_a_missing_correction_for_the_cut_shows():
    """On this model a kernel without it comes to something else."""
    model = table(3, 4, 0.5, 27)
    exact = Kernel(model, 4, 2.0, 0.5, JUMP)
    assert len(exact.texts) == 31 and distance(exact.stationary, exact.target) < 1e-11
    assert exact.gap == pytest.approx(0.078, abs=5e-4)
    wrong = Kernel(model, 4, 2.0, 0.5, JUMP, corrected=False)
    assert distance(wrong.stationary, wrong.target) == pytest.approx(0.396, abs=1e-3)
    uniform = Kernel(table(3, 5, 1.0, 1), 5, 4.0, 0.25, UNIFORM, corrected=False)
    assert distance(uniform.stationary, uniform.target) == pytest.approx(0.037, abs=1e-3)


def test_low_temperature_is_something_else():
    model = table(3, 5, 1.0, 1)
    kernel = Kernel(model, 5, 4.0, 0.25, UNIFORM)
    cold = [math.exp(math.fsum(answer(model, text, 0.25).drawn)) for text in kernel.texts]
    assert distance(cold, kernel.target) == pytest.approx(0.074, abs=1e-3)


def test_without_a_power_nothing_is_rejected_but_for_the_cut():
    """alpha 1, temperature 1: r is the correction for the cut alone, 0 for texts of one length cut anywhere."""
    model = table(3, 5, 1.0, 1)
    one, two, short = (answer(model, text, 1.0) for text in ((1, 1, 2, 2, 1), (1, 2, 2, 1, 1), (1, 0)))
    assert log_ratio(one, two, 1, 1.0, -math.log(5), -math.log(5)) == pytest.approx(0, abs=1e-12)
    assert log_ratio(one, short, 1, 1.0, -math.log(5), -math.log(2)) == pytest.approx(math.log(5 / 2))


def test_where_cuts_fall():
    flat, nowhere = log_cuts([0.0, 0.0, 0.0], "jump", 4, 0.0)
    assert nowhere and flat == pytest.approx([-math.log(3)] * 3)
    shares, nowhere = log_cuts([0.5, 0.2, 0.7], "jump", 2, 0.1)
    assert not nowhere and np.exp(shares) == pytest.approx([0.1 / 3 + 0.45, 0.1 / 3, 0.1 / 3 + 0.45])
    assert log_cuts([0.5, 0.2, 0.7], "jump", 2, 0.0)[0][1] == -math.inf


class Toy:
    """An engine over a table; together as many as are asked for."""

    together, window = 0, 100

    def __init__(self, model: dict[Text, np.ndarray]):
        self.model, self.drawn = {}, 0
        self.steps = {
            prefix: (shares, np.log(shares), float(-(shares * np.log(shares)).sum()))
            for prefix, shares in model.items()
        }
        self.cold: dict = {}

    def extend(self, requests, *, temperature=0.0, stop=frozenset(), keep=False) -> Iterator[Extension]:
        number = 0
        while number < len(requests):
            request, made, draws = requests[number], Extension(number), random.Random(requests[number].seeds[0])
            prefix = tuple(request.beginning)
            for _ in range(request.budget):
                _, logprobs, entropy = self.steps[prefix]
                if (prefix, temperature) not in self.cold:
                    cold = logprobs / temperature
                    cold = cold - np.logaddexp.reduce(cold)
                    self.cold[prefix, temperature] = cold.tolist(), np.exp(cold).cumsum().tolist(), logprobs.tolist()
                cold, heap, hot = self.cold[prefix, temperature]
                u = draws.random()
                token = next((i for i, top in enumerate(heap) if u < top), len(heap) - 1)
                made.tokens.append(token)
                made.logprobs.append(hot[token])
                made.drawn.append(cold[token])
                made.entropies.append(entropy)
                prefix = (*prefix, token)
                self.drawn += 1
                if token == 0:
                    made.finish = "stop"
                    break
            yield made
            number += 1

    def text(self, tokens) -> str:
        return "".join(map(str, tokens))


def decoder(**changes) -> power.Decoder:
    entry = {"kind": "power", "k": 1, "alpha": 2.0, "temperature": 0.5, "seed": 3, "cut": "jump", "beta": 4.0,
             "uniform": 0.0, "blocks": 1, "steps": 1, "early_stop": False, "max_tokens": 4, "batch": 9}  # fmt: skip
    return read_decoder(entry | changes)


def chains(model, n: int, **settings) -> tuple[Counter, list[dict]]:
    """How often each text came out of n chains of the decoder, and their records."""
    engine = Toy(model)
    streams = [Stream(i, 0, Question(str(i), "toy", ""), []) for i in range(n)]
    (found,) = decoder(**settings).decode(engine, streams, 1)
    assert sum(each["n_decoded"] for each in found) == engine.drawn  # every token counts, rejected ones too
    return Counter(each["text"] for each in found), found


def shares(counts: Counter, kernel: Kernel) -> np.ndarray:
    return np.array([counts["".join(map(str, text))] for text in kernel.texts]) / sum(counts.values())


def test_the_decoder_draws_from_the_power_distribution(monkeypatch):
    """And would not without its correction for the cut."""
    model, n = table(3, 4, 0.5, 27), 4000
    kernel = Kernel(model, 4, 2.0, 0.5, JUMP)
    counts, found = chains(model, n, steps=30)
    assert distance(shares(counts, kernel), kernel.target) < 0.03
    assert sum(each["notes"]["proposed"] for each in found) == 30 * n
    assert 0.2 < sum(each["notes"]["accepted"] for each in found) / (30 * n) < 0.95
    monkeypatch.setattr(power, "log_ratio", lambda old, new, cut, alpha, *_: log_ratio(old, new, cut, alpha, 0, 0))
    counts, _ = chains(model, 600, steps=30)
    assert distance(shares(counts, kernel), kernel.target) > 0.3


@pytest.mark.parametrize("early", [False, True])
def test_blocks_are_walked_as_the_matrices_say(early):
    """Two blocks of few moves, not yet at the target: the decoder against the exact distribution of such a walk."""
    model, steps, horizon = table(3, 4, 1.0, 2), 3, 4
    settings = {"alpha": 4.0, "temperature": 0.25}
    half, whole = (Kernel(model, h, 4.0, 0.25, UNIFORM) for h in (2, horizon))
    cold = lambda text: math.exp(math.fsum(answer(model, text, 0.25).drawn))  # noqa: E731
    start = np.array([cold(text) for text in half.texts]) @ np.linalg.matrix_power(half.matrix, steps)
    grown, final = np.zeros(len(whole.texts)), np.zeros(len(whole.texts))
    for text, share in zip(half.texts, start, strict=True):
        for i, longer in enumerate(whole.texts):
            if text[-1] == 0:
                (final if early else grown)[i] += share * (longer == text)
            elif longer[:2] == text:
                grown[i] += share * cold(longer) / cold(text)
    exact = grown @ np.linalg.matrix_power(whole.matrix, steps) + final
    assert exact.sum() == pytest.approx(1) and distance(exact, whole.target) > 0.05
    counts, _ = chains(model, 4000, cut="uniform", blocks=2, steps=steps, early_stop=early, **settings)
    assert distance(shares(counts, whole), exact) < 0.03


def test_more_moves_come_nearer_and_ending_early_leaves_a_rest():
    """Three blocks of two tokens; the numbers of the method's description."""
    model = table(3, 6, 1.0, 1)
    kernels = {cut: [Kernel(model, h, 4.0, 0.25, cut) for h in (2, 4, 6)] for cut in (UNIFORM, JUMP)}

    def walked(cut: Cut, steps: int, early: bool = False) -> float:
        past: dict[Text, float] = {(): 1.0}
        final: Counter = Counter()
        for kernel in kernels[cut]:
            now = Counter()
            for text, share in past.items():
                for longer in [text] if text[-1:] == (0,) else kernel.texts:
                    if longer[: len(text)] == text:
                        rest = math.fsum(answer(model, longer, 0.25).drawn[len(text) :])
                        now[longer] += share * math.exp(rest)
            after = np.array([now[text] for text in kernel.texts]) @ np.linalg.matrix_power(kernel.matrix, steps)
            past = dict(zip(kernel.texts, after, strict=True))
            if early:
                final.update({text: share for text, share in past.items() if text[-1] == 0})
                past = {text: share for text, share in past.items() if text[-1] != 0}
        final.update(past)
        return distance([final[text] for text in kernels[cut][-1].texts], kernels[cut][-1].target)

    for cut, wanted in ((UNIFORM, (0.360, 0.095, 0.004)), (JUMP, (0.132, 0.061, 0.000))):
        assert [walked(cut, n) for n in (10, 50, 400)] == pytest.approx(wanted, abs=1e-3)
    assert walked(UNIFORM, 400, early=True) == pytest.approx(0.041, abs=1e-3)


@pytest.fixture(scope="module")
def talker(tmp_path_factory) -> str:
    return str(save_talker(tmp_path_factory.mktemp("power") / "backbone"))


def test_a_model_goes_on_from_the_cut_and_reads_nothing_twice(talker, monkeypatch):
    """The same answers as from an engine that keeps no state; every prompt is read once."""
    read = []
    prefill = slots_module.prefill
    monkeypatch.setattr(
        slots_module, "prefill", lambda model, prompts, pad: read.extend(prompts) or prefill(model, prompts, pad)
    )
    found = {}
    for name in ("slots", "generate"):
        engine = open_engine(Opening(talker, None, BackboneOptions(engine=name), 4))
        asking = [Question(str(i), "sums", f"Add: {i}") for i in range(3)]
        streams = [Stream(i, k, q, engine.begin(q)) for i, q in enumerate(asking) for k in range(2)]
        made = decoder(k=2, alpha=3.0, max_tokens=12, blocks=3, steps=4).decode(engine, streams, 1)
        found[name] = {(r["row"], r["sample"]): r for part in made for r in part}
    assert len(read) == 6 and len(found["slots"]) == 6
    for key, one in found["slots"].items():
        other = found["generate"][key]
        assert {**one, "logprob_sum": 0} == {**other, "logprob_sum": 0}
        assert one["logprob_sum"] == pytest.approx(other["logprob_sum"], abs=1e-3)
        assert one["n_decoded"] > one["n_tokens"] and one["notes"]["proposed"] == 12
    assert len({each["text"] for each in found["slots"].values()}) > 3


def test_cached_numbers_are_those_of_the_whole_text(talker):
    """What was kept over many cuts, against one pass over the final answer."""
    engine = open_engine(Opening(talker, None, BackboneOptions(), 4))
    question = Question("a", "sums", "Add: 1")
    stream = Stream(0, 0, question, engine.begin(question))
    chain = decoder(max_tokens=12, blocks=2, steps=8).chain(stream, engine.window, random.Random(1))
    ((_, (told, _)),) = driven(engine, [chain], temperature=0.5)
    (again,) = engine.extend([Request(stream.beginning + told.tokens[:-1], 1)])
    with torch.no_grad():
        logits = engine.model(torch.tensor([stream.beginning + told.tokens])).logits[0, len(stream.beginning) - 1 : -1]
    n = range(len(told.tokens))
    for temperature, kept in ((1.0, told.logprobs), (0.5, told.drawn)):
        assert kept == pytest.approx(torch.log_softmax(logits / temperature, -1)[n, told.tokens].tolist(), abs=1e-3)
    assert told.entropies == pytest.approx(torch.distributions.Categorical(logits=logits).entropy().tolist(), abs=1e-3)
    assert again.tokens


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 0}, "field k: 0 is not at least 1"),
        ({"alpha": 0}, "field alpha: 0 is not above 0"),
        ({"cut": "jumps"}, "field cut: 'jumps' is not one of uniform, entropy, jump"),
        ({"uniform": 1.0}, "field uniform: 1.0 is not a share from 0 to below 1"),
        ({"blocks": 9}, "field blocks: 9 blocks of 4 tokens"),
        ({"steps": 0}, "field steps: 0 is not at least 1"),
    ],
)
def test_settings_that_cannot_be(change, message):
    with pytest.raises(LabError, match=message):
        decoder(**change)
