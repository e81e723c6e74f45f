"""Attention with sinks by torch's fused kernels, for models whose library knows only the plain way (gpt-oss).

A sink is a learned score per head that takes part in the softmax and has no value. The plain way holds every score of
the text at once. Here the sink is one more key, before the others: queries get one more dimension, which holds the
sink's score, keys get it too, zero in all but the first. So the fused kernel makes the same softmax.
"""

import torch
from torch.nn.functional import pad, scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

MORE = 8  # dimensions that are added: fused kernels want a multiple of it


def sink_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float,
    dropout: float = 0.0,
    s_aux: torch.Tensor,
    **kwargs: object,
) -> tuple[torch.Tensor, None]:
    """query (texts, heads, queries, size), key and value (texts, heads of keys, keys, size), s_aux (heads,) the sinks.

    attention_mask: true where a query sees a key, or None: it sees those that are not later.
    """
    sinks = (s_aux.to(query.dtype) / scaling).view(1, -1, 1, 1).expand(*query.shape[:3], 1)
    query = torch.cat([query, pad(sinks, (0, MORE - 1))], -1)
    key, value = (pad(each, (0, MORE, 1, 0)) for each in (key, value))
    first = torch.zeros(key.shape[-2:], dtype=key.dtype, device=key.device)
    first[0, -MORE] = 1
    key = key + first
    if attention_mask is None:
        queries, keys = query.shape[2], key.shape[2] - 1
        attention_mask = torch.ones(queries, keys, dtype=torch.bool, device=query.device).tril(keys - queries)
    mask = pad(attention_mask, (1, 0), value=True)
    out = scaled_dot_product_attention(
        query, key, value, attn_mask=mask, dropout_p=dropout, scale=scaling, enable_gqa=key.shape[1] != query.shape[1]
    )
    return out[..., :-MORE].transpose(1, 2).contiguous(), None


AttentionInterface.register("sinks", sink_attention)
AttentionMaskInterface.register("sinks", lambda *args, **kwargs: ALL_MASK_ATTENTION_FUNCTIONS["sdpa"](*args, **kwargs))
