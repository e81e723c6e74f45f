"""What a training adds to a backbone, on disk: a LoRA adapter, or with method `full` the new value of every parameter.

Both are the same two files, so that nothing downstream asks which it is: `attach` puts either on its backbone. Here is
what the files must contain, and the proof that they give the trained model back.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer, LoraModel
from peft.tuners.lora.layer import ParamWrapper
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from common.artifacts import write_json
from common.errors import LabError
from learning.backbones import load_model
from learning.settings import CONFIG, WEIGHTS, BackboneOptions

SETS = ("target_modules", "target_parameters")


class Lora(Protocol):
    """The settings of an adapter."""

    rank: int
    alpha: float
    dropout: float


def add_lora(model: PreTrainedModel, recipe: Lora, options: BackboneOptions) -> PeftModel:
    """Wrap the model in a fresh LoRA adapter on `options.targets` and `options.experts`; everything else is frozen.

    Raises LabError for a target that is not there, that LoRA cannot be put on, or that shares its weight with another
    module: merging the adapter would change that one, too.
    """
    holders: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        holders.setdefault(id(parameter), []).append(name.rpartition(".")[0])
    for target in options.targets:
        own = {name for name, _ in model.named_modules() if f".{name}".endswith(f".{target}")}
        if not own:
            raise LabError(f"the backbone has no module called {target}", field="targets")
        for names in holders.values():
            if own & set(names) and len(names) > 1:
                raise LabError(
                    f"{' and '.join(names)} share one weight; an adapter on {target} cannot be merged into it",
                    field="targets",
                )
    check_experts(model, options.experts)
    if options.experts and recipe.dropout:
        raise LabError("LoRA on fused experts knows no dropout; expected 0", field="dropout")
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=list(options.targets),
        target_parameters=list(options.experts) or None,
        bias="none",
        task_type="CAUSAL_LM",
    )
    try:
        with mamba_outputs():
            wrapped = get_peft_model(model, config)
    except ValueError as error:
        raise LabError(f"LoRA cannot be put on these modules: {error}", field="targets") from error
    return seen_by_kernels(wrapped)


def check_experts(model: torch.nn.Module, experts: tuple[str, ...]) -> None:
    """Raise LabError for a name of fused experts that no parameter has, or whose layout is unknown.

    A layout is known where the module says whether its tensors are (experts, in, out) or (experts, out, in).
    """
    for target in experts:
        found = [name for name, _ in model.named_parameters() if f".{name}".endswith(f".{target}")]
        if not found:
            fused = sorted(
                {".".join(n.split(".")[-2:]) for n, p in model.named_parameters() if len(full_shape(p)) == 3}
            )
            raise LabError(f"no parameter is called {target}; of three dimensions are: {fused}", field="experts")
        for name in found:
            shape, owner = full_shape(model.get_parameter(name)), model.get_submodule(name.rpartition(".")[0])
            if len(shape) != 3 or not hasattr(owner, "is_transposed"):
                message = f"{name} {shape} of {type(owner).__name__} has an unknown layout"
                raise LabError(f"{message}; expected (experts, out, in), or transposed and said so", field="experts")


@contextmanager
def mamba_outputs() -> Iterator[None]:
    """Let peft put LoRA on the output of a Mamba layer, which it refuses because a fused kernel passes it by.

    Here the kernel does not: see `seen_by_kernels`.
    """
    name = "_check_target_module_compatiblity"
    before = getattr(LoraModel, name)
    setattr(LoraModel, name, lambda *_: None)
    try:
        yield
    finally:
        setattr(LoraModel, name, before)


def seen_by_kernels(wrapped: PeftModel) -> PeftModel:
    """Give the outputs of Mamba layers a `weight` with the adapter in it: a fused kernel reads it and calls no module.

    Without that, the adapter on `out_proj` gets no gradient where the kernels are installed, and says nothing.
    """
    for module in wrapped.modules():
        output = getattr(module, "out_proj", None)
        if hasattr(module, "A_log") and isinstance(output, LoraLayer):
            output.__class__ = type(output.__class__.__name__, (_Seen, output.__class__), {})
    return wrapped


def gathered_whole(model: torch.nn.Module) -> None:
    """Have ZeRO-3 gather fused experts and Mamba layers as a whole.

    Their parameters are read where no module is called: by a kernel, or by the sum of weight and adapter.
    """
    from deepspeed.utils import set_z3_leaf_module

    for module in model.modules():
        if isinstance(module, ParamWrapper) or hasattr(module, "A_log"):
            set_z3_leaf_module(module, True)


class _Seen:
    """A LoRA layer whose `weight` is what it multiplies by."""

    @property
    def weight(self) -> torch.Tensor:
        weight = self.get_base_layer().weight
        if not self.merged and not self.disable_adapters:
            for name in self.active_adapters:
                weight = weight + self.get_delta_weight(name).to(weight.dtype)
        return weight


def reached(model: torch.nn.Module) -> dict[str, float]:
    """Share of the backbone's parameters that the adapter changes, in total and by the name of the module."""
    total = sum(full_shape(p).numel() for n, p in model.named_parameters() if "lora_" not in n)
    sizes: Counter[str] = Counter()
    for name, module in model.named_modules():
        if isinstance(module, ParamWrapper):
            sizes[f"experts.{module.parameter_name}"] += full_shape(module.get_param()).numel()
        elif isinstance(module, LoraLayer):
            owner, _, leaf = name.rpartition(".")
            leaf = f"shared.{leaf}" if "shared" in owner.rpartition(".")[2] else leaf
            sizes[leaf] += full_shape(module.get_base_layer().weight).numel()
    return {"all": sum(sizes.values()) / total, **{name: n / total for name, n in sorted(sizes.items())}}


def check_like(folder: str | Path, recipe: Lora, options: BackboneOptions) -> None:
    """Raise LabError unless the adapter to start from has the shape and the scale of the one to be trained."""
    found = json.loads(Path(folder, CONFIG).read_text())
    if found.get("method") == "full":
        raise LabError("every parameter was trained there, an adapter cannot start from it", file=folder)
    targets, experts = sorted(found["target_modules"]), sorted(found.get("target_parameters") or ())
    for field, has, wanted in (
        ("rank", found["r"], recipe.rank),
        ("alpha", found["lora_alpha"], recipe.alpha),
        ("targets", targets, sorted(options.targets)),
        ("experts", experts, sorted(options.experts)),
    ):
        if has != wanted:
            raise LabError(f"the adapter to start from has {has}, expected {wanted}", file=folder, field=field)


def restore(model: torch.nn.Module, folder: str | Path) -> None:
    """Give everything that is to be trained the values in an adapter folder; under ZeRO-3 all ranks call it."""
    try:
        tensors = load_file(Path(folder, WEIGHTS))
    except (SafetensorError, OSError) as error:
        raise LabError(f"no whole {WEIGHTS} to start from ({error})", file=folder) from error
    named = {file_name(n): p for n, p in model.named_parameters() if p.requires_grad}
    if wrong := sorted(set(named) ^ set(tensors)):
        raise LabError(f"{len(wrong)} tensors are missing or unknown, first {wrong[0]}", file=folder)
    for name, parameter in named.items():
        if full_shape(parameter) != tuple(tensors[name].shape):
            shapes = f"{tuple(tensors[name].shape)}, expected {full_shape(parameter)}"
            raise LabError(f"{name} has shape {shapes}", file=folder)
    sharded = [p for p in named.values() if hasattr(p, "ds_id")]
    gathered = nullcontext()
    if sharded:
        import deepspeed

        gathered = deepspeed.zero.GatheredParameters(sharded, modifier_rank=0)
    with gathered, torch.no_grad():
        for name, parameter in named.items():
            if parameter.shape == tensors[name].shape:  # under ZeRO-3, every rank has the whole of it here
                parameter.copy_(tensors[name])


def adapter_shapes(model: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    """Name in the file -> shape of every trained tensor; call before any sharding. Tied ones count once."""
    return {file_name(n): full_shape(p) for n, p in model.named_parameters() if p.requires_grad}


def full_shape(p: torch.Tensor) -> torch.Size:
    """The shape of a parameter, also where ZeRO-3 has left an empty shard in its place."""
    return torch.Size(getattr(p, "ds_shape", p.shape))


def file_name(parameter: str) -> str:
    """peft's name of a parameter in the adapter file: the adapter's own name drops out."""
    return re.sub(r"(lora_\w+)\.default", r"\1", parameter)


def gather(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The trained tensors under their file names, in full, on the CPU; all ranks must call it together.

    Under ZeRO-3 a parameter outside its own forward pass is an empty tensor, and saving those is how 40-byte adapters
    are made (peft issue 2892), hence the gathering.
    """
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    if any(hasattr(p, "ds_id") for _, p in named):
        import deepspeed

        with deepspeed.zero.GatheredParameters([p for _, p in named]):
            return {file_name(n): p.detach().cpu().clone() for n, p in named}
    return {file_name(n): p.detach().cpu().clone() for n, p in named}


def save_config(model: torch.nn.Module, folder: Path, backbone: str) -> None:
    """The adapter's configuration: peft's own, or a note that the weights are all of the model's."""
    if not isinstance(model, PeftModel):
        write_json(folder / CONFIG, {"method": "full", "base_model_name_or_path": backbone})
        return
    config = model.peft_config["default"]
    config.base_model_name_or_path = backbone
    config.inference_mode = True
    config.save_pretrained(folder)
    sort_config(folder)


def sort_config(folder: Path) -> None:
    """Put the sets in peft's file into an order: theirs changes from run to run."""
    written = json.loads((folder / CONFIG).read_text())
    write_json(folder / CONFIG, {k: sorted(v) if k in SETS and v else v for k, v in written.items()})


def attach(model: PreTrainedModel, folder: str | Path) -> torch.nn.Module:
    """The backbone with what was trained: a PeftModel, or for method `full` the same model with the new weights.

    Raises ValueError or RuntimeError when the tensors are not those of this backbone.
    """
    if json.loads(Path(folder, CONFIG).read_text()).get("method") != "full":
        with mamba_outputs():
            return seen_by_kernels(PeftModel.from_pretrained(model, folder))
    found = model.load_state_dict(load_file(Path(folder, WEIGHTS)), strict=False)
    absent = {name for name, _ in model.named_parameters()} & set(found.missing_keys)
    if wrong := sorted(absent) + found.unexpected_keys:
        raise LabError(f"{len(wrong)} tensors are missing or unknown, first {wrong[0]}", file=folder)
    return model


def check_file(folder: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise LabError unless the file holds exactly the expected tensors, finite, with no `lora_B` left at zero."""
    path = folder / WEIGHTS
    if not path.is_file() or not (folder / CONFIG).is_file():
        raise LabError(f"the adapter lacks {WEIGHTS} or {CONFIG}", file=folder)
    try:
        with safe_open(path, "pt") as handle:
            tensors = {name: handle.get_tensor(name) for name in handle.keys()}
    except SafetensorError as error:
        raise LabError(f"not a whole safetensors file ({error})", file=path) from error
    if missing := sorted(set(shapes) - set(tensors)):
        raise LabError(f"{len(missing)} of {len(shapes)} adapter tensors are missing, first {missing[0]}", file=path)
    if extra := sorted(set(tensors) - set(shapes)):
        raise LabError(f"{len(extra)} unexpected adapter tensors, first {extra[0]}", file=path)
    for name, shape in shapes.items():
        if tuple(tensors[name].shape) != tuple(shape):
            raise LabError(f"{name} has shape {tuple(tensors[name].shape)}, expected {tuple(shape)}", file=path)
        if not bool(torch.isfinite(tensors[name]).all()):
            raise LabError(f"{name} has values that are not finite", file=path)
        if "lora_B" in name and not bool(tensors[name].any()):
            raise LabError(f"{name} is zero everywhere: it was never trained or not saved", file=path)


@torch.no_grad()
def probe(model: torch.nn.Module, ids: list[int]) -> torch.Tensor:
    """Logits after the last token of `ids`, shape (vocabulary,), fp32 on the CPU."""
    device = next(model.parameters()).device
    was = model.training
    model.eval()
    logits = model(input_ids=torch.tensor([ids], device=device), use_cache=False).logits[0, -1].float().cpu()
    model.train(was)
    return logits


def gap(found: torch.Tensor, expected: torch.Tensor, dtype: str) -> float:
    """The largest difference of two rows of logits; 0 where it is within what the dtype's rounding explains."""
    tolerance = (1e-3 if dtype == "float32" else 5e-2) * max(float(expected.abs().max()), 1.0)
    difference = float((found - expected).abs().max())
    return 0.0 if difference <= tolerance else difference


def merged(wrapped: PeftModel, ids: list[int], dtype: str) -> tuple[PreTrainedModel, float]:
    """The model with its adapter merged in, and by how much that changes the logits after `ids` (see `gap`)."""
    before = probe(wrapped, ids)
    model = wrapped.merge_and_unload()
    return model, gap(probe(model, ids), before, dtype)


def check_reload(
    folder: Path, backbone: Path, options: BackboneOptions, ids: list[int], expected: torch.Tensor
) -> None:
    """Raise LabError unless backbone + adapter, loaded anew from disk, give the trained model's logits `expected`."""
    model = attach(load_model(backbone, options), folder)
    if difference := gap(probe(model, ids), expected, options.dtype):
        raise LabError(f"the reloaded adapter's logits differ by {difference:.3g}", file=folder)


def write(model: torch.nn.Module, tensors: Mapping[str, torch.Tensor], folder: Path, backbone: Path) -> None:
    """The two files of an adapter."""
    save_config(model, folder, backbone.name)
    save_file(dict(tensors), folder / WEIGHTS, metadata={"format": "pt"})
    (folder / WEIGHTS).chmod(0o644)
