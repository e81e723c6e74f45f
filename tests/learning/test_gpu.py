"""What only a GPU runs: skipped without one. The numbers must be the CPU's, as far as the format allows."""

import json

import pyarrow.parquet as pq
import pytest
import torch

from common.artifacts import write_table
from common.gpus import present
from learning import packing
from learning_fixtures import RECIPE, ROOT, asked, greedy, run, save_backbone, save_corpus

pytestmark = [pytest.mark.gpu, pytest.mark.slow]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpu")
    save_backbone(folder / "backbone", head_size=32)
    save_corpus(folder / "corpus.parquet")
    write_table(folder / "texts.parquet", asked(12, seed=1))
    return folder


def trained(place, name, gpus, options=None, zero="zero2", ranks=1, **recipe):
    """The last loss of a training."""
    line = ["--corpus", place / "corpus.parquet", "--backbone", place / "backbone", "--out", place / name]
    line += ["--state", place / f"{name}-state", "--seed", 3, "--ranks", ranks, "--gpus", gpus, "--threads", 2]
    line += ["--recipe", json.dumps({**RECIPE, **recipe}), "--backbone-options", json.dumps(options or {})]
    done = run("train", *line, "--deepspeed", ROOT / f"config/deepspeed/{zero}.json")
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((place / name / "metrics.jsonl").read_text().splitlines()[-1])["loss"]


@pytest.mark.skipif(packing.VARLEN is None, reason="this torch has no attention over rows of any lengths")
@pytest.mark.parametrize("heads", [(4, 4), (4, 2)])
def test_all_packed_rows_in_one_call(heads):
    torch.manual_seed(0)
    bounds = torch.tensor([0, 37, 128, 200], dtype=torch.int32, device="cuda")
    shapes = [(1, n, 200, 64) for n in (heads[0], heads[1], heads[1])]
    parts = [torch.randn(shape, device="cuda", dtype=torch.bfloat16, requires_grad=True) for shape in shapes]
    module = torch.nn.Identity().train()
    more = {"cu_seq_lens_q": bounds, "max_length_q": 91, "scaling": 0.11}
    one, _ = packing.packed_attention(module, *parts, None, **more)
    gradients = torch.autograd.grad(one.float().pow(2).sum(), parts)
    row_by_row = packing.packed_attention(module, *(p.float() for p in parts), None, **more)[0]
    expected = torch.autograd.grad(row_by_row.pow(2).sum(), parts)
    assert torch.allclose(one.float(), row_by_row, atol=2e-2)
    for found, wanted in zip(gradients, expected, strict=True):
        assert float((found - wanted).float().norm() / wanted.float().norm()) < 2e-2


def test_training_is_that_of_the_cpu(place):
    cpu = trained(place, "cpu", 0)
    assert trained(place, "fp32", 1) == pytest.approx(cpu, rel=1e-2)
    assert trained(place, "bf16", 1, {"dtype": "bfloat16"}) == pytest.approx(cpu, rel=0.2)
    assert trained(place, "zero3", 1, zero="zero3") == pytest.approx(cpu, rel=1e-2)


@pytest.mark.skipif(len(present()) < 2, reason="one GPU here")
def test_two_ranks_over_nccl(place):
    assert trained(place, "two", 2, ranks=2) == pytest.approx(trained(place, "one", 1), rel=1e-2)


def test_decoding_writes_what_the_cpu_writes(place):
    texts = {}
    for gpus in (0, 1):
        line = ["--backbone", place / "backbone", "--texts", place / "texts.parquet", *greedy(24, 5), "--gpus", gpus]
        done = run("sample", *line, "--state", place / f"s{gpus}", "--out", place / f"{gpus}.parquet")
        assert done.returncode == 0, done.stderr[-2000:]
        texts[gpus] = pq.read_table(place / f"{gpus}.parquet")["text"].to_pylist()
    same = sum(a == b for a, b in zip(texts[0], texts[1], strict=True))
    assert same >= len(texts[0]) - 1  # two tokens may tie
