"""A random small model, a corpus and a texts table for the tests of the learning room."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import forked
from common.artifacts import write_table

ROOT = Path(__file__).resolve().parents[1]
PHRASES = ("Add the two numbers of this line:", "\nNow, give the sum.")
RECIPE = {"rank": 4, "alpha": 8, "lr": 0.01, "schedule": "linear", "batch": 8, "epochs": 2, "max_length": 256}
RECIPE |= {"save_every": 2}


def save_backbone(folder: Path, seed: int = 0, **config) -> Path:
    """A Llama of two layers with random weights and the single-character tokenizer, as a transformers folder."""
    import torch

    from learning.backbone.pretrain import Make, build
    from learning.tokens import character_tokenizer

    torch.manual_seed(seed)
    tokenizer = character_tokenizer(PHRASES, 512)
    make = Make(
        **{
            "width": 32,
            "layers": 2,
            "heads": 2,
            "head_size": 16,
            "feed_forward": 64,
            "context": 512,
            "lengths": (256,),
            "batch": 256,
            "start": "random",
            "steps": 0,
            **config,
        }
    )
    build(make, len(tokenizer), tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_talker(folder: Path, **config) -> Path:
    """A random model that writes various characters, never the role tokens that servers leave out, and often ends."""
    from learning.backbones import load_model, load_tokenizer
    from learning.phrases import is_spare
    from learning.settings import BackboneOptions

    save_backbone(folder, **{"seed": 3, "head_size": 32, **config})
    model, tokenizer = load_model(folder, BackboneOptions()), load_tokenizer(folder)
    tokens = model.get_input_embeddings().weight.data
    spare = [i for text, i in tokenizer.get_vocab().items() if is_spare(text)]
    tokens[[*tokenizer.all_special_ids, *spare]] = 0
    tokens[tokenizer.eos_token_id] = 1.1 * tokens[tokenizer.convert_tokens_to_ids("Z")]
    for name, weight in model.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            weight.data *= 100
    model.save_pretrained(folder)
    return folder


def rows(n: int, seed: int = 0) -> list[dict]:
    """Sums of two numbers, of different lengths, in the columns of a corpus and of a texts table."""
    rng = random.Random(seed)
    out = []
    for i in range(n):
        a, b = rng.randint(1, 10 ** rng.randint(1, 5)), rng.randint(1, 999)
        out.append(
            {
                "id": f"row-{i}",
                "family": "sums",
                "design": "plain",
                "reveal": "0",
                "stratum": "all",
                "prompt": f"{PHRASES[0]} {a} {b}{PHRASES[1]}",
                "completion": f"<think>\n{a}+{b}={a + b}\n</think>\n\\boxed{{{a + b}}}",
                "answer": str(a + b),
                "status": "rendered",
            }
        )
    return out


def asked(n: int, seed: int = 0) -> list[dict]:
    """The same as problems without a text of their own, which any decoder may cut short."""
    return [row | {"completion": "", "status": "asked"} for row in rows(n, seed)]


def settings(**changes) -> dict:
    """RECIPE with other settings; only an adapter has a rank."""
    full = changes.get("method") == "full"
    return {name: value for name, value in (RECIPE | changes).items() if not (full and name in ("rank", "alpha"))}


def recipe(**changes):
    """The same as training reads it."""
    from learning.methods import read_recipe

    return read_recipe(settings(**changes))


def greedy(max_tokens: int, batch: int = 64) -> list[str]:
    """The option of sample.py for greedy decoding."""
    return ["--decoder", json.dumps({"kind": "greedy", "max_tokens": max_tokens, "batch": batch})]


def save_corpus(path: Path, n: int = 32) -> Path:
    write_table(path, rows(n))
    return path


def script(name: str, *args: object, root: Path = ROOT) -> list[str]:
    """The command line of a workflow script, of this project or of a copy of it."""
    return [sys.executable, str(root / "workflow_scripts" / f"{name}.py"), *map(str, args)]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def run(name: str, *args: object, root: Path = ROOT) -> subprocess.CompletedProcess:
    """Run a workflow script to its end, its output as text."""
    return forked.run(*script(name, *args, root=root)[1:], env=environment(), cwd=root, timeout=300)


def last_error(done: subprocess.CompletedProcess) -> str:
    """The last `error:` line, after checking that the run failed with status 1."""
    assert done.returncode == 1, done.stderr[-2000:]
    return [line for line in done.stderr.splitlines() if line.startswith("error: ")][-1]
