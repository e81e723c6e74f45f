"""The loss in pieces is the loss, with the same gradients and a fraction of the memory."""

import subprocess
import sys

import pytest
import torch

import tiny_models
from learning.loss import summed_loss
from learning.packing import IGNORE
from learning_fixtures import ROOT, environment

GROWTH = """
import sys
import torch
from transformers import LlamaConfig, LlamaForCausalLM
sys.path[:0] = ["workflow_scripts"]
from learning.loss import summed_loss
size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
model = LlamaForCausalLM(LlamaConfig(vocab_size=131072, num_key_value_heads=1, tie_word_embeddings=True, **size))
model.requires_grad_(False)
ids = torch.randint(0, 131072, (1, 768))
def peak():  # in KiB; of this process alone, where ru_maxrss begins at that of the one which started it
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
for tokens, logits in ((8, 1 << 40), (768, 1 << 23), (768, 1 << 40)):  # to warm up, in pieces, at once
    before = peak()
    inputs = model.get_input_embeddings()(ids[:, :tokens]).detach().requires_grad_()
    with summed_loss(model, ids[:, :tokens], logits):
        model(inputs_embeds=inputs).logits.sum().backward()
    print((peak() - before) / 2**10)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tiny_models.save("nemotron-nano-30b", tmp_path_factory.mktemp("loss") / "backbone")
    return tiny_models.fresh(folder, tiny_models.options("nemotron-nano-30b"))


@pytest.mark.parametrize("logits", [171 * 5, 1 << 26])
def test_pieces_have_the_same_loss_and_gradients(model, logits):
    """Also with LoRA on the output layer itself, and rows that are padded."""
    torch.manual_seed(3)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
    ids = torch.randint(5, 100, (2, 24))
    labels = ids.clone()
    labels[:, :7] = labels[1, 15:] = IGNORE

    def gradients(loss):
        model.zero_grad()
        loss.backward()
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.requires_grad}

    whole = model(input_ids=ids, use_cache=False).logits[:, :-1].float()
    plain = torch.nn.functional.cross_entropy(whole.transpose(1, 2), labels[:, 1:], reduction="sum")
    expected = gradients(plain)
    with summed_loss(model, labels, logits):
        total = model(input_ids=ids, use_cache=False).logits.sum()
    found = gradients(total)
    assert float(total.detach()) == pytest.approx(float(plain.detach()), rel=1e-5)
    assert set(found) == set(expected)
    for name, gradient in expected.items():
        assert torch.allclose(found[name], gradient, rtol=1e-3, atol=1e-4), name
    assert model(input_ids=ids, use_cache=False).logits.shape == (2, 24, 171)  # as before


def test_a_row_of_nothing_has_no_loss_and_takes_part(model):
    model.zero_grad()
    with summed_loss(model, torch.full((1, 8), IGNORE)):
        total = model(input_ids=torch.ones((1, 8), dtype=torch.long), use_cache=False).logits.sum()
    total.backward()
    assert float(total) == 0
    assert all(p.grad is not None and not p.grad.any() for n, p in model.named_parameters() if "lm_head.lora_A" in n)


@pytest.mark.slow
def test_memory_at_a_large_vocabulary():
    """768 tokens of 131,072 logits are 384 MiB in fp32, and their loss needs several times that; pieces do not."""
    line = [sys.executable, "-c", GROWTH]
    done = subprocess.run(line, capture_output=True, text=True, env=environment(), cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    _, pieces, more = map(float, done.stdout.split())
    print(f"in pieces {pieces} MiB, at once {pieces + more} MiB")
    assert pieces + more > 700 and pieces < (pieces + more) / 4
