"""What a training moved: per module the size of the low-rank update, how many directions it uses, and what is dead.

A module whose adapter never gets a gradient does no harm that anyone would notice: the loss falls, the adapter loads,
and a part of the model stays as it was.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median

import torch
from safetensors.torch import load_file

from common.errors import LabError
from learning.settings import CONFIG, WEIGHTS

PREFIX = "base_model.model."  # of every name in an adapter file
DEAD = 0.01  # below this share of the median norm of its kind, a module counts as one that never moved


def read(folder: str | Path) -> tuple[dict[str, torch.Tensor], dict]:
    """(the tensors of an adapter file, its configuration). Raises LabError where it is no LoRA adapter."""
    config = json.loads(Path(folder, CONFIG).read_text())
    if config.get("method") == "full" or config.get("peft_type") != "LORA":
        raise LabError("no LoRA adapter", file=Path(folder, CONFIG))
    return load_file(Path(folder, WEIGHTS)), config


def singular(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The singular value decomposition of b @ a without making it: (out, k), (k,), (k, in)."""
    left, upper = torch.linalg.qr(b.double())
    right, lower = torch.linalg.qr(a.double().T)
    u, values, v = torch.linalg.svd(upper @ lower.T)
    return left @ u, values, v @ right.T


def rank_of(module: str, config: Mapping) -> int:
    """The rank of a module: the adapter's, or that of the first of its own patterns."""
    for pattern, rank in (config.get("rank_pattern") or {}).items():
        if re.fullmatch(rf"(.*\.)?({pattern})", module):
            return rank
    return config["r"]


def scale_of(module: str, config: Mapping) -> float:
    """What b @ a is multiplied by."""
    alpha, rank = config["lora_alpha"], rank_of(module, config)
    for pattern, own in (config.get("alpha_pattern") or {}).items():
        if re.fullmatch(rf"(.*\.)?({pattern})", module):
            alpha = own
            break
    return alpha / (rank**0.5 if config.get("use_rslora") else rank)


def pairs(
    tensors: Mapping[str, torch.Tensor], config: Mapping
) -> Iterable[tuple[str, int | None, torch.Tensor, torch.Tensor]]:
    """(module, expert or None, a, b) of every update in an adapter file; fused experts one by one."""
    for name, a in tensors.items():
        if ".lora_A." not in name:
            continue
        module, b = name.removeprefix(PREFIX).partition(".lora_A.")[0], tensors[name.replace(".lora_A.", ".lora_B.")]
        rank = rank_of(module, config)
        experts = len(a) // rank
        if experts == 1:
            yield module, None, a, b
            continue
        for expert, own in enumerate(a.reshape(experts, rank, -1)):
            yield module, expert, own, b.reshape(len(b), rank, experts)[:, :, expert]


def effective_rank(values: torch.Tensor) -> float:
    """The exponential of the entropy of the squared singular values' shares: 1 for one direction, k for k like it."""
    shares = values.square() / values.square().sum().clamp_min(1e-300)
    return float(torch.special.entr(shares).sum().exp()) if float(values.sum()) else 0.0


def examine(tensors: Mapping[str, torch.Tensor], config: Mapping) -> list[dict]:
    """A row per module, and per expert where they are fused: norm of the update, effective rank, whether it is dead."""
    rows = []
    for module, expert, a, b in pairs(tensors, config):
        _, values, _ = singular(a.float(), b.float())
        rows.append(
            {
                "module": module,
                "expert": expert,
                "kind": kind_of(module, expert),
                "rank": len(a),
                "norm": scale_of(module, config) * float(values.square().sum().sqrt()),
                "effective_rank": effective_rank(values),
            }
        )
    usual = {kind: median(r["norm"] for r in rows if r["kind"] == kind) for kind in {r["kind"] for r in rows}}
    highest = max(usual.values(), default=0.0)
    for row in rows:
        near = usual[row["kind"]]
        row["dead"] = row["norm"] <= DEAD * near or near <= DEAD**2 * highest
    return sorted(rows, key=lambda row: (row["module"], row["expert"] or 0))


def kind_of(module: str, expert: int | None) -> str:
    """What a module is compared with: those of the same name in all layers."""
    parts = [part for part in module.split(".") if not part.isdigit()]
    if expert is None:
        return ".".join(parts[-2:]) if "expert" in parts[-2:][0] else parts[-1]
    return ".".join(["experts", *(part for part in parts[-1:] if part == "base_layer")])


def dead(rows: Iterable[Mapping]) -> list[str]:
    """The modules that never moved, for a message: experts of a layer together."""
    found: dict[str, int | None] = {}
    for row in rows:
        if row["dead"]:
            found[row["module"]] = None if row["expert"] is None else (found.get(row["module"]) or 0) + 1
    return [name if n is None else f"{name} ({n} experts)" for name, n in found.items()]


class FirstGradients:
    """Watches what reaches each lora_B in the first step; at its end, one that nothing reached is an error.

    Every other module has a gradient then, because A is random and B is zero or trained.
    """

    def __init__(self, model: torch.nn.Module):
        self.largest: dict[str, float] = {}
        self.hooks = []
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and "lora_B" in name:
                self.largest[name] = 0.0
                self.hooks.append(parameter.register_hook(lambda grad, name=name: self.see(name, grad)))

    def see(self, name: str, grad: torch.Tensor) -> None:
        self.largest[name] = max(self.largest[name], float(grad.detach().abs().max()))

    def seen(self) -> bool:
        """Whether anything got a gradient yet."""
        return any(self.largest.values())

    def close(self) -> None:
        """Stop watching. Raises LabError where some modules got a gradient and others did not."""
        for hook in self.hooks:
            hook.remove()
        unreached = [name for name, size in self.largest.items() if size == 0]
        if unreached and len(unreached) < len(self.largest):
            names = ", ".join(name.partition(".lora_B")[0].removeprefix(PREFIX) for name in unreached[:3])
            raise LabError(
                f"no gradient reaches the adapter of {len(unreached)} of {len(self.largest)} modules, {names}:"
                " they would stay as they are",
                field="targets",
            )


def first_gradients(model: torch.nn.Module, texts: Iterable[tuple[list[int], list[int]]]) -> dict[str, float]:
    """Norm of the gradient of each lora_B of a fresh adapter, by module; texts: (tokens, labels)."""
    model.train()
    for ids, labels in texts:
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, :-1]
        torch.nn.functional.cross_entropy(logits.float(), torch.tensor(labels[1:]), ignore_index=-100).backward()
    named = {n: p.grad for n, p in model.named_parameters() if "lora_B" in n}
    return {
        n.partition(".lora_B")[0].removeprefix(PREFIX): 0.0 if grad is None else float(grad.float().norm())
        for n, grad in named.items()
    }
