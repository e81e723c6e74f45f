"""Muon (Jordan et al., 2024) for the hidden matrices, batched over equal shapes.

`torch.optim.Muon` always orthogonalises in bf16, which a CPU without bf16 units runs about fifty times slower than
fp32; here that follows the machine.
"""

import torch

from learning.precision import has_bf16


def orthogonalize(grads: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Newton-Schulz iteration towards the nearest semi-orthogonal matrix; `grads` is (n, rows, columns)."""
    flip = grads.size(1) > grads.size(2)
    x = grads.mT if flip else grads
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    x = x.to(torch.bfloat16) if has_bf16(x.device.type) else x
    for _ in range(steps):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return (x.mT if flip else x).to(grads.dtype)


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised, for groups with `muon=True`; AdamW (betas 0.9, 0.95) for the others."""

    def __init__(self, groups: list[dict], lr: float, momentum: float = 0.95, betas: tuple[float, float] = (0.9, 0.95)):
        super().__init__(groups, {"lr": lr, "momentum": momentum, "betas": betas, "eps": 1e-10, "muon": False})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            live = [p for p in group["params"] if p.grad is not None]
            (self._muon if group["muon"] else self._adam)(group, live)

    def _muon(self, group: dict, params: list[torch.Tensor]) -> None:
        shapes: dict[torch.Size, list[torch.Tensor]] = {}
        for p in params:
            shapes.setdefault(p.shape, []).append(p)
        for (rows, columns), same in shapes.items():
            steps = []
            for p in same:
                buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                steps.append(p.grad.lerp(buffer, group["momentum"]))
            scale = max(1.0, rows / columns) ** 0.5
            for p, update in zip(same, orthogonalize(torch.stack(steps)), strict=True):
                p.add_(update, alpha=-group["lr"] * scale)

    def _adam(self, group: dict, params: list[torch.Tensor]) -> None:
        low, high = group["betas"]
        for p in params:
            state = self.state[p]
            if not state:
                state.update(step=0, mean=torch.zeros_like(p), square=torch.zeros_like(p))
            state["step"] += 1
            state["mean"].lerp_(p.grad, 1 - low)
            state["square"].lerp_(p.grad.square(), 1 - high)
            mean = state["mean"] / (1 - low ** state["step"])
            square = state["square"] / (1 - high ** state["step"])
            p.addcdiv_(mean, square.sqrt().add_(group["eps"]), value=-group["lr"])
