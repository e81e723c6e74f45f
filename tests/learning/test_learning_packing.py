"""A packed step is the same training step as one row at a time; the plan is fixed and complete."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from common.errors import LabError
from learning import packing
from learning.backbones import load_model
from learning.packing import IGNORE, PAD_TO, Collator, Example, MicroBatches, plan
from learning.precision import computing, has_bf16
from learning.settings import BackboneOptions
from learning_fixtures import save_backbone

ROWS = [Example((5, 6, 7), (8, 9)), Example((10, 11), (12, 13, 14, 15)), Example((9,), (5, 6, 7, 8))]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model(save_backbone(tmp_path_factory.mktemp("backbone")), BackboneOptions(attention="packed"))


def step(model, rows, packing):
    """(sum of losses, gradient of the embedding) of one micro-batch."""
    batch = Collator(0, packing)([rows])
    labels = batch.pop("labels")[:, 1:]
    logits = model(**batch, use_cache=False).logits[:, :-1]
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum")
    model.zero_grad()
    loss.backward()
    return loss.item(), model.get_input_embeddings().weight.grad.clone()


@pytest.mark.parametrize("packing", [True, False])
def test_same_loss_and_gradient_as_separate_rows(model, packing):
    loss, grad = step(model, ROWS, packing)
    alone = [step(model, [row], False) for row in ROWS]
    assert loss == pytest.approx(sum(one for one, _ in alone), rel=1e-5)
    torch.testing.assert_close(grad, sum(g for _, g in alone), rtol=1e-4, atol=1e-5)


def test_in_16_bits_a_cpu_gets_nearly_the_same(model):
    """By other products than the fused kernel's, with the rows apart; and the format ends where its context ends."""
    loss, grad = step(model, ROWS, True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        near, close = step(model, ROWS, True)
    assert near == pytest.approx(loss, rel=1e-2) and near != loss
    assert float((close - grad).norm() / grad.norm()) < 2e-2
    with torch.autocast("cpu", enabled=False):  # as within DeepSpeed's engine
        with computing(model, "bfloat16", "cpu"):
            inside = step(model, ROWS, True)[0]
        assert inside == pytest.approx(loss, rel=1e-2) and (inside != loss) == has_bf16()
        with computing(model, "float32", "cpu"):
            assert step(model, ROWS, True)[0] == loss
    assert step(model, ROWS, True)[0] == loss and "forward" not in vars(model)


def test_boundaries_matter(model):
    """The check above can fail: without the boundaries the rows see each other."""
    batch = Collator(0, True)([ROWS])
    batch.pop("labels")
    inside = model(**batch, use_cache=False).logits
    length = batch["input_ids"].shape[1]
    batch["cu_seq_lens_q"] = batch["cu_seq_lens_k"] = torch.tensor([0, length], dtype=torch.int32)
    across = model(**batch, use_cache=False).logits
    assert torch.allclose(inside[:, : len(ROWS[0])], across[:, : len(ROWS[0])], atol=1e-5)
    assert not torch.allclose(inside[:, len(ROWS[0])], across[:, len(ROWS[0])], atol=1e-3)


@pytest.mark.parametrize("heads", [4, 2])
def test_one_call_for_all_rows_gets_what_the_calls_per_row_get(heads, monkeypatch):
    """The kernel for rows of any lengths, which needs a GPU, stood for by a mask over all pairs."""

    def kernel(query, key, value, cu_seq_q, cu_seq_k, max_q, max_k, *, scale, window_size, enable_gqa=False):
        assert window_size == (-1, 0) and max_q == max_k == 5 and all(p.is_contiguous() for p in (query, key, value))
        row = torch.bucketize(torch.arange(len(query)), cu_seq_q, right=True)
        mask = (row[:, None] == row) & torch.ones(len(query), len(query), dtype=torch.bool).tril()
        query, key, value = (part.transpose(0, 1) for part in (query, key, value))
        whole = torch.nn.functional.scaled_dot_product_attention
        return whole(query, key, value, attn_mask=mask, scale=scale, enable_gqa=enable_gqa).transpose(0, 1)

    monkeypatch.setattr(packing, "VARLEN", kernel)
    torch.manual_seed(0)
    parts = [torch.randn(1, n, 12, 8) for n in (4, heads, heads)]
    bounds = torch.tensor([0, 3, 8, 12], dtype=torch.int32)
    expected, _ = packing.packed_attention(torch.nn.Identity(), *parts, None, scaling=0.2, cu_seq_lens_q=bounds)
    found = packing.varlen_attention(*parts, bounds, 5, 0.2)[None]
    torch.testing.assert_close(found, expected)


def test_packed_tensors():
    batch = Collator(0, True)([ROWS])
    assert batch["input_ids"].shape == (1, PAD_TO)
    learned = batch["labels"][0] != IGNORE
    assert batch["labels"][0][learned].tolist() == [t for row in ROWS for t in row.completion]
    assert torch.equal(batch["labels"][0][learned], batch["input_ids"][0][learned])
    assert batch["position_ids"][0, :6].tolist() == [0, 1, 2, 3, 4, 0]
    assert batch["cu_seq_lens_q"].tolist() == [0, 5, 11, 16, PAD_TO]


def test_nothing_to_learn_is_an_error():
    with pytest.raises(LabError, match="without a single token to learn"):
        Collator(0, True)([[Broken()]])


class Broken:
    """A row whose completion is lost on the way to the labels."""

    prompt, completion, ids, labels = (5, 6), (7,), (5, 6, 7), (IGNORE,) * 3

    def __len__(self):
        return 3


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=60),
    st.integers(1, 16),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(0, 5),
)
def test_plan(lengths, batch, epochs, ranks, seed):
    settings = {"batch": batch, "epochs": epochs, "micro_tokens": 512, "seed": seed}
    micros, per_step = plan(lengths, ranks=ranks, **settings)
    assert (micros, per_step) == plan(lengths, ranks=ranks, **settings)
    size = per_step * ranks
    assert len(micros) % size == 0
    steps = [sorted(i for micro in micros[s : s + size] for i in micro) for s in range(0, len(micros), size)]
    assert len(steps) == epochs * max(1, len(lengths) // batch)
    assert all(len(step) == min(batch, len(lengths)) for step in steps)
    seen = Counter(i for step in steps for i in step)
    assert max(seen.values()) <= epochs
    alone, one = plan(lengths, ranks=1, **settings)
    assert steps == [sorted(i for micro in alone[s : s + one] for i in micro) for s in range(0, len(alone), one)]


def test_plan_balances_ranks():
    lengths = [50 + 37 * i % 400 for i in range(64)]
    micros, per_step = plan(lengths, batch=32, epochs=1, ranks=2, micro_tokens=100_000, seed=0)
    assert per_step == 1
    for first, second in zip(micros[::2], micros[1::2], strict=True):
        a, b = (sum(lengths[i] for i in micro) for micro in (first, second))
        assert abs(a - b) < 0.05 * (a + b)


def test_masked_thought():
    """Masking rises to its rate, leaves labels, prompts and the answer alone, and depends on seed and place only."""
    rows = [Example((1, 2), tuple(range(10, 60)), fixed=5)] * 300
    units, micros = [[row] for row in rows], [[i] for i in range(300)]
    masked, same = MicroBatches(units, micros, 0.4, seed=1), MicroBatches(units, micros, 0.4, seed=1)
    rate = []
    for k in range(300):
        (row,) = masked[k]
        assert row == same[k][0] and row.labels == rows[0].labels and row.ids[:2] == [1, 2]
        assert row.ids[-5:] == rows[0].ids[-5:]
        rate.append(sum(a != b for a, b in zip(row.ids, rows[0].ids, strict=True)) / 45)
    assert rate[0] == 0 and abs(sum(rate[200:]) / 100 - 0.4 * 49 / 50) < 0.03
    assert sum(rate[:100]) < sum(rate[100:200]) < sum(rate[200:])
    assert MicroBatches(units, micros)[299] == [rows[0]]
