"""What a training holds in memory, counted on a model without weights: every shape is real, no number is.

torch's meta device runs a model's own code on shapes alone. What asks for values there (masks, the choice of experts)
is replaced by something of the same shapes; attention is that of a fused kernel, which keeps no scores, unless the
backbone asks for the plain one.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from unittest import mock

import torch
from transformers import AttentionInterface, AttentionMaskInterface, AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.integrations.moe import ExpertsInterface

from common.errors import LabError
from learning.estimate import Counted
from learning.settings import BackboneOptions

COUNTED = "counted"
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


class _Fused(torch.autograd.Function):
    """Attention as a fused kernel keeps it: queries, keys, values, the output, and a number per query and head."""

    @staticmethod
    def forward(ctx, query, key, value):
        out = query.new_empty((*query.shape[:3], value.shape[-1]))
        ctx.save_for_backward(query, key, value, out, query.new_empty(query.shape[:3], dtype=torch.float32))
        return out

    @staticmethod
    def backward(ctx, grad):
        return tuple(map(torch.empty_like, ctx.saved_tensors[:3]))


def _attention(module, query, key, value, attention_mask, **kwargs):
    return _Fused.apply(query, key, value).transpose(1, 2).contiguous(), None


def _experts(self, states, top_k_index, top_k_weights):
    """Every expert takes as many tokens; the products keep what the library's grouped ones keep."""
    gated = hasattr(self, "gate_up_proj")
    first = self.gate_up_proj if gated else self.up_proj
    tokens, per = len(states), top_k_index.shape[-1]
    each = -(-tokens * per // self.num_experts)
    taken = torch.nn.functional.pad(states.repeat(per, 1), (0, 0, 0, each * self.num_experts - tokens * per))
    made = torch.bmm(taken.view(self.num_experts, each, -1), first if self.is_transposed else first.transpose(1, 2))
    made = self._apply_gate(made) if gated else self.act_fn(made)
    out = torch.bmm(made, self.down_proj if self.is_transposed else self.down_proj.transpose(1, 2))
    out = out.reshape(each * self.num_experts, -1)[: tokens * per] * top_k_weights.reshape(-1, 1)
    return out.view(per, tokens, -1).sum(0).to(states.dtype)


AttentionInterface.register(COUNTED, _attention)
AttentionMaskInterface.register(COUNTED, lambda *args, **kwargs: None)
ExpertsInterface.register(COUNTED, _experts)


def skeleton(options: BackboneOptions, folder: str | Path | None) -> PreTrainedModel:
    """The backbone without weights: by its folder, else by how it is made, else by the sizes in its entry.

    Raises LabError where nothing says how large it is.
    """
    if folder and Path(folder, "config.json").is_file():
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
    elif options.make:
        from learning.backbone.pretrain import config_of
        from learning.tokens import character_tokenizer

        tokenizer = character_tokenizer()
        config = config_of(options.make, len(tokenizer), tokenizer)
    elif options.shape:
        config = AutoConfig.for_model(**options.shape)
    else:
        raise LabError("neither a folder nor a `shape` says how large the backbone is", field="shape")
    attention = "eager" if options.attention == "eager" else COUNTED
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(
            config, dtype=getattr(torch, options.dtype), attn_implementation=attention, experts_implementation=COUNTED
        )


@contextmanager
def shapes_alone() -> Iterator[None]:
    """Within it, nothing that a forward pass asks for needs a value."""
    with ExitStack() as stack:
        stack.enter_context(
            mock.patch("transformers.masking_utils.find_packed_sequence_indices", lambda *_, **__: None)
        )
        stack.enter_context(mock.patch("torch.autocast", lambda *_, **__: nullcontext()))
        yield


def count(options: BackboneOptions, recipe, folder: str | Path | None, rows: int, tokens: int) -> Counted:
    """Run one forward pass of (rows, tokens) on shapes and add up what it keeps."""
    model = skeleton(options, folder)
    parameters = sum(p.numel() for p in model.parameters())
    largest = max(p.numel() for p in model.parameters())
    active = parameters - idle(model)
    wrapped = recipe.trainable(model, options, None).train()
    if options.dtype != "float32":
        wrapped = wrapped.to(getattr(torch, options.dtype))  # as DeepSpeed does
    adapter = sum(p.numel() for p in wrapped.parameters() if p.requires_grad)
    own = {p.untyped_storage()._cdata for p in wrapped.parameters()}
    base = wrapped.get_base_model() if hasattr(wrapped, "get_base_model") else wrapped
    layers = next(m for m in base.get_decoder().modules() if isinstance(m, torch.nn.ModuleList))
    sizes: Counter[int] = Counter()
    seen: dict[int, object] = {}  # storages, which keep their identity only while they live
    here = [-1]
    for number, layer in enumerate(layers):
        layer.register_forward_pre_hook(lambda *_, number=number: here.__setitem__(0, number))
        layer.register_forward_hook(lambda *_: here.__setitem__(0, -1))

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own and storage._cdata not in seen:
            seen[storage._cdata] = storage
            sizes[here[0]] += storage.nbytes()
        return tensor

    ids = torch.zeros((rows, tokens), dtype=torch.long, device="meta")
    with shapes_alone(), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        states = base.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state
    config = base.config.get_text_config()
    return Counted(
        parameters,
        adapter,
        active,
        largest,
        len(layers),
        sizes[-1],
        tuple(sizes[i] for i in range(len(layers))),
        states.numel() * states.element_size(),
        config.vocab_size,
        kept_by_token(config, BYTES[options.dtype]),
    )


def idle(model: PreTrainedModel) -> int:
    """The parameters of routed experts that a token does not meet, and the embedding, which is looked up."""
    per = getattr(model.config.get_text_config(), "num_experts_per_tok", 0)
    found = 0
    for module in model.modules():
        if hasattr(module, "is_transposed") and per:
            fused = sum(p.numel() for p in module.parameters(recurse=False))
            found += fused - fused * per // module.num_experts
    tied = model.get_input_embeddings().weight is model.get_output_embeddings().weight
    return found + (0 if tied else model.get_input_embeddings().weight.numel())


def kept_by_token(config, size: int) -> int:
    """Bytes of keys and values of one token in all layers that keep them."""
    kinds = getattr(config, "layer_types", None) or ["full_attention"] * config.num_hidden_layers
    attending = sum("attention" in kind and "linear" not in kind for kind in kinds)
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return 2 * attending * config.num_key_value_heads * head * size


_KNOWN: dict[tuple, tuple[Counted, int]] = {}


def counted(name: str, options: BackboneOptions, recipe: Mapping, folder: str | None) -> tuple[Counted, int]:
    """(what the longest micro-batch of a recipe on a backbone holds, its tokens), counted once."""
    from learning.methods import read_recipe

    settings = read_recipe(recipe)
    tokens = max(settings.micro_tokens, settings.max_length)
    if not options.packing:  # padded rows, each a sequence of its own
        rows, length = max(1, tokens // settings.max_length), settings.max_length
    else:
        rows, length = 1, tokens
    key = (name, settings.method, getattr(settings, "rank", None), rows, length)
    if key not in _KNOWN:
        here = next((place for place in (folder, options.path) if place and Path(place, "config.json").is_file()), None)
        _KNOWN[key] = count(options, settings, here, rows, length), rows * length
    return _KNOWN[key]
