"""A structured start for the small backbone: heads that look one and two tokens back, and heads that match.

Copying and looking things up in context need two attention layers to form one circuit, which takes a random start
millions of tokens. Here the first layer starts with previous-token heads and the second with heads that attend to
what followed the same token (or pair of tokens) earlier: an induction circuit (Olsson et al., 2022) given as a
mimetic initialisation (Trockman and Kolter, 2023). Everything is trained on from there; nothing is frozen.
"""

import torch
from transformers import LlamaForCausalLM

SCALE = 0.15  # entries of a token's code in the embedding


@torch.no_grad()
def structured_start(model: LlamaForCausalLM, seed: int, reach: int = 1024) -> None:
    """Overwrite the embedding and some heads of the first two layers. Needs 4 heads, 2 layers, width >= 124.

    The width is split into the token's code (A), the previous token's (B), the one's before (C), and a constant.
    `reach` is the distance in tokens over which a match must not be disturbed by the rotary position.
    """
    config = model.config
    size, width = config.head_dim, config.hidden_size
    n = (width - 4) // 3
    g = torch.Generator().manual_seed(seed)
    code, before, earlier = (slice(i * n, (i + 1) * n) for i in range(3))
    constant = 3 * n

    table = model.get_input_embeddings().weight
    table.normal_(0, 0.02, generator=g)
    table[:, code] = SCALE * torch.sign(torch.randn(len(table), n, generator=g))
    table[:, constant] = SCALE * n**0.5

    half = size // 2
    speed = model.model.rotary_emb.inv_freq[:half]
    fast = torch.arange(half)[:6]
    slow = torch.arange(half)[speed * reach < 1.0]
    slow = torch.cat([slow, slow + half])
    first, second = model.model.layers[0].self_attn, model.model.layers[1].self_attn

    def look_back(attention, head: int, distance: int, norm: float) -> None:
        """Attend to the token `distance` back, whatever it is: the constant turned by that many positions."""
        rows = head * size + fast
        strength = 10.0 / (norm * n**0.5)
        angle = -distance * speed[fast]
        for proj in (attention.q_proj, attention.k_proj):
            proj.weight[head * size : (head + 1) * size] = 0
        attention.k_proj.weight[rows, constant] = strength
        attention.q_proj.weight[rows, constant] = strength * angle.cos()
        attention.q_proj.weight[rows + half, constant] = strength * angle.sin()

    def carry(attention, head: int, source: slice, target: slice, gain: float) -> None:
        """Move the code found at `source` to `target`."""
        k = min(n, size)
        where = slice(head * size, (head + 1) * size)
        attention.v_proj.weight[where] = 0
        attention.o_proj.weight[:, where] = 0
        attention.v_proj.weight[head * size : head * size + k, source.start : source.start + k] = torch.eye(k)
        attention.o_proj.weight[target.start : target.start + k, head * size : head * size + k] = gain * torch.eye(k)

    def match(attention, head: int, pairs: list[tuple[slice, slice]], strength: float) -> None:
        """Attend where the codes at the second slices equal ours at the first, in the dimensions that turn slowly."""
        where = slice(head * size, (head + 1) * size)
        attention.q_proj.weight[where] = 0
        attention.k_proj.weight[where] = 0
        for mine, theirs in pairs:
            mix = torch.randn(len(slow), n, generator=g) / n**0.5
            attention.q_proj.weight[head * size + slow, mine] = strength * mix
            attention.k_proj.weight[head * size + slow, theirs] = strength * mix

    look_back(first, 0, 1, 1.0)
    carry(first, 0, code, before, SCALE)
    look_back(first, 1, 2, 1.0)
    carry(first, 1, code, earlier, SCALE)
    match(second, 0, [(code, before)], 1.6)
    carry(second, 0, code, code, 3 * SCALE)
    match(second, 1, [(code, before), (before, earlier)], 1.6)
    carry(second, 1, code, code, 3 * SCALE)
    look_back(second, 2, 0, 0.75)
    carry(second, 2, code, code, -SCALE)
    match(second, 3, [(code, before), (before, code)], 1.6)  # `3=` finds an earlier `x=3` and brings its x
    carry(second, 3, earlier, code, 3 * SCALE)
