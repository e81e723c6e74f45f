"""An adapter as servers and challenges take it: the hub checkpoint's names, one pair of matrices per linear layer.

Since version 5 transformers renames what it loads and fuses the experts of a layer into one tensor. A server has the
checkpoint's own names and one matrix per expert, and passes over tensors that it does not know. So the renaming is
undone here, the experts are taken apart, and the result is loaded by peft into a model that has the hub's names.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from peft.tuners.lora.layer import ParamWrapper
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel
from transformers.core_model_loading import revert_weight_conversion

from common.artifacts import write_json
from common.errors import LabError
from learning import adapters
from learning.autopsy import PREFIX, singular
from learning.settings import CONFIG, MAX_RANK, WEIGHTS

ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the same adapter is the same archive


@dataclass(frozen=True, slots=True)
class Place:
    """Where a checkpoint's matrix lies in a parameter here: its expert, its rows (outputs) and columns (inputs)."""

    key: str
    expert: int | None
    rows: torch.Tensor
    columns: torch.Tensor


@dataclass(frozen=True, slots=True)
class Pair:
    """The low-rank update of one module as the checkpoint names it: scale * b @ a; a (rank, in), b (out, rank)."""

    module: str
    a: torch.Tensor
    b: torch.Tensor
    scale: float


def checkpoint_keys(folder: str | Path) -> set[str]:
    """The names of all tensors in a backbone's weight files."""
    index = Path(folder, "model.safetensors.index.json")
    if index.is_file():
        return set(json.loads(index.read_text())["weight_map"])
    with safe_open(Path(folder, "model.safetensors"), "pt") as handle:
        return set(handle.keys())


def places(model: PreTrainedModel, name: str, transposed: bool = False) -> list[Place] | None:
    """The checkpoint's matrices that make up one parameter; None where the checkpoint has its experts fused, too.

    Found by sending the coordinates of its elements through the library's own way back. transposed: (experts, in, out).
    Raises LabError where they do not come out as whole rows and columns of one expert.
    """
    shape = model.get_parameter(name).shape
    ways = []
    for dimension, size in enumerate(shape):
        line = torch.arange(size, dtype=torch.int32).view([-1 if d == dimension else 1 for d in range(len(shape))])
        try:
            back = revert_weight_conversion(model, {name: line.expand(shape)})
        except (RuntimeError, ValueError, KeyError, IndexError) as error:
            raise LabError(f"{name} cannot be named as in the checkpoint: {error}") from error
        ways.append(back)
    if len(shape) == 3 and all(value.ndim == 3 for value in ways[0].values()):
        return None
    found = []
    for key in ways[0]:
        *experts, out, into = (way[key] for way in ways)
        if transposed:
            out, into = into, out
        if out.ndim != 2:
            raise LabError(f"{name}, {tuple(shape)}, becomes {key}, {tuple(out.shape)}: an unknown layout")
        rows, columns = out[:, 0], into[0]
        same = bool((out == rows[:, None]).all() and (into == columns).all())
        expert = int(experts[0][0, 0]) if experts else None
        if not same or any(bool((each != expert).any()) for each in experts):
            raise LabError(f"{name} becomes {key}, which is not rows and columns of one expert: an unknown layout")
        found.append(Place(key, expert, rows.long(), columns.long()))
    return found


def base_name(name: str) -> str:
    """A module's name in the model without its adapter."""
    return ".".join(part for part in name.removeprefix(PREFIX).split(".") if part != "base_layer")


def factors(layer: LoraLayer) -> tuple[torch.Tensor, torch.Tensor, float]:
    """(a, b, scale) of a module's adapter; of fused experts a (experts, rank, in) and b (experts, out, rank)."""
    a, b = layer.lora_A["default"].weight.detach(), layer.lora_B["default"].weight.detach()
    if isinstance(layer, ParamWrapper):
        a = a.reshape(layer.num_experts, -1, a.shape[-1])
        b = b.reshape(b.shape[0], -1, layer.num_experts).permute(2, 0, 1)
    return a.float().cpu(), b.float().cpu(), float(layer.scaling["default"])


def adapted(model: PeftModel) -> Iterator[tuple[str, LoraLayer]]:
    """(name of the adapted parameter in the model without its adapter, the module that adapts it)."""
    for name, layer in model.named_modules():
        if isinstance(layer, ParamWrapper):
            yield f"{base_name(name)}.{layer.parameter_name}", layer
        elif isinstance(layer, LoraLayer):
            yield f"{base_name(name)}.weight", layer


def on_the_hub(
    model: PeftModel, base: PreTrainedModel, keys: set[str]
) -> tuple[list[Pair], dict[str, torch.Tensor], list[str]]:
    """(updates by the checkpoint's module names, tensors of experts that stay fused, the names of those parameters).

    base: the same backbone without an adapter. Raises LabError for a module that the checkpoint does not have.
    """
    pairs, fused, names = [], {}, []
    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    for name, layer in adapted(model):
        a, b, scale = factors(layer)
        transposed = isinstance(layer, ParamWrapper) and not layer._did_swap_in_out_features
        found = places(base, name, transposed)
        if found is None:
            names.append(name)
            owner = name.rpartition(".")[0] + "."
            own = {k: v for k, v in state.items() if base_name(k).startswith(owner) and k.count("lora_")}
            fused |= {k: v.float().cpu() for k, v in own.items()}
            continue
        for place in found:
            if place.key not in keys:
                some = sorted(keys)[0]
                raise LabError(
                    f"the checkpoint has no tensor {place.key}, which {name} would be there; it has {some}, say"
                )
            mine = (a, b) if place.expert is None else (a[place.expert], b[place.expert])
            module = place.key.removesuffix(".weight")
            pairs.append(Pair(module, mine[0][:, place.columns], mine[1][place.rows], scale))
    return sorted(pairs, key=lambda pair: pair.module), fused, sorted(names)


def check_loaded(model: PeftModel, folder: Path) -> None:
    """Raise LabError unless the tensors of an adapter file are those of the model that it was loaded into.

    peft passes over a tensor that names no module, and leaves a module without one as it is.
    """
    with safe_open(folder / WEIGHTS, "pt") as handle:
        here = set(handle.keys())
    there = set(get_peft_model_state_dict(model, save_embedding_layers=False))
    for what, lacking in (("name no module of this backbone", here - there), ("are missing for it", there - here)):
        if lacking:
            message = f"{len(lacking)} tensors {what}, first {min(lacking)}: it was trained on another backbone"
            raise LabError(message, file=folder / WEIGHTS)


def reduced(pair: Pair, rank: int) -> tuple[Pair, float]:
    """The nearest update of a lower rank, and the share of the squared norm that is lost."""
    if len(pair.a) <= rank:
        return pair, 0.0
    u, values, v = singular(pair.a, pair.b)
    lost = float(values[rank:].square().sum() / values.square().sum().clamp_min(1e-300))
    root = values[:rank].sqrt()
    return Pair(pair.module, (root[:, None] * v[:rank]).float(), (u[:, :rank] * root).float(), pair.scale), lost


def within(pairs: Sequence[Pair], rank: int, lose: float) -> tuple[list[Pair], float]:
    """The updates at ranks of at most `rank`, and the largest share of a squared norm that this loses.

    Raises LabError where one would lose more than the share `lose`.
    """
    made = [reduced(pair, rank) for pair in pairs]
    lost, worst = max(((share, pair.module) for pair, share in made), default=(0.0, ""))
    if lost > lose:
        high = max(len(pair.a) for pair in pairs)
        message = f"rank {high}, above the {rank} that servers take; {worst} would lose {lost:.2%} of its squared norm"
        raise LabError(f"{message} at rank {rank}, allowed are {lose:.2%}", field="--lose")
    return [pair for pair, _ in made], lost


def tensors_of(pairs: Sequence[Pair]) -> tuple[dict[str, torch.Tensor], int, float]:
    """(tensors by their names in the file, rank, alpha). A file has one rank and one scale: lower ranks are filled with
    zeros, other scales go into b."""
    rank, scale = max(len(pair.a) for pair in pairs), pairs[0].scale
    tensors = {}
    for pair in pairs:
        gap = rank - len(pair.a)
        b = pair.b * (pair.scale / scale)
        tensors[f"{PREFIX}{pair.module}.lora_A.weight"] = torch.nn.functional.pad(pair.a, (0, 0, 0, gap)).contiguous()
        tensors[f"{PREFIX}{pair.module}.lora_B.weight"] = torch.nn.functional.pad(b, (0, gap)).contiguous()
    return tensors, rank, scale * rank


def check_served(modules: Sequence[str], served: Sequence[str]) -> None:
    """Raise LabError naming what a server that knows only these modules would drop; none given: it knows all."""
    dropped = [name for name in modules if served and name.rpartition(".")[2] not in served]
    if dropped:
        kinds = sorted({name.rpartition(".")[2] for name in dropped})
        message = (
            f"the server takes {', '.join(served)}; it would drop {2 * len(dropped)} tensors of {', '.join(kinds)}"
        )
        raise LabError(f"{message}, first {PREFIX}{dropped[0]}.lora_A.weight", field="--served")


def write(
    folder: Path, pairs: Sequence[Pair], fused: Mapping[str, torch.Tensor], names: Sequence[str], hub: str, dtype: str
) -> dict:
    """The two files of the export; what stands in them. names: the parameters whose experts stay fused."""
    tensors, rank, alpha = tensors_of(pairs)
    tensors = {name: value.to(getattr(torch, dtype)) for name, value in sorted((tensors | dict(fused)).items())}
    config = LoraConfig(
        r=rank,
        lora_alpha=int(alpha) if alpha == int(alpha) else alpha,
        target_modules=sorted({pair.module.rpartition(".")[2] for pair in pairs}),
        target_parameters=sorted({".".join(name.split(".")[-2:]) for name in names}) or None,
        bias="none",
        task_type="CAUSAL_LM",
        inference_mode=True,
        base_model_name_or_path=hub,
    )
    config.save_pretrained(folder)
    adapters.sort_config(folder)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / WEIGHTS).chmod(0o644)
    return {
        "tensors": len(tensors),
        "modules": len(pairs),
        "fused": list(names),
        "rank": rank,
        "alpha": alpha,
        "dtype": dtype,
        "bytes": (folder / WEIGHTS).stat().st_size,
    }


class Tree(torch.nn.Module):
    """A model whose linear layers stand under the checkpoint's names, each by itself: what a server has.

    The layers are the backbone's own; it computes with them wherever they stand, with an adapter or without. The
    backbone is not a part of the tree, so peft sees nothing else and takes it for no model of the library's.
    """

    def __init__(self, model: PreTrainedModel):
        super().__init__()
        self.__dict__["_whole"] = model
        experts: dict[str, dict[str, list[Place]]] = {}
        moved: dict[str, tuple[torch.nn.Module, str]] = {}  # layers of the model, and where they stand in the tree
        for name, parameter in model.named_parameters():
            owner_name, _, leaf = name.rpartition(".")
            owner = model.get_submodule(owner_name)
            if parameter.ndim == 3 and hasattr(owner, "is_transposed"):
                found = places(model, name, owner.is_transposed)
                if found is None:
                    moved[owner_name] = self.put(owner_name, owner)
                    continue
                experts.setdefault(owner_name, {})[leaf] = found
                for place in found:
                    weight = parameter.detach()[place.expert]
                    weight = (weight.T if owner.is_transposed else weight)[place.rows][:, place.columns]
                    self.put(place.key.removesuffix(".weight"), linear(weight))
            elif isinstance(owner, torch.nn.Linear) and leaf == "weight":
                (place,) = places(model, name)
                moved[owner_name] = self.put(place.key.removesuffix(".weight"), owner)
        for name, where in moved.items():
            self.swap(model, name, Elsewhere(*where))
        for name, parts in experts.items():
            self.swap(model, name, Assembled(model.get_submodule(name), self, parts))

    def put(self, name: str, module: torch.nn.Module) -> tuple[torch.nn.Module, str]:
        """Hang a module into the tree; its parent and its name there."""
        parent = self
        *path, leaf = name.split(".")
        for part in path:
            if part not in parent._modules:
                parent.add_module(part, torch.nn.Module())
            parent = parent._modules[part]
        parent.add_module(leaf, module)
        return parent, leaf

    @staticmethod
    def swap(model: torch.nn.Module, name: str, module: torch.nn.Module) -> None:
        parent, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(parent), leaf, module)

    def forward(self, *args, **kwargs):
        return self.__dict__["_whole"](*args, **kwargs)

    def prepare_inputs_for_generation(self, *args, **kwargs):
        """peft asks for it, and calls it for generation only."""
        return self.__dict__["_whole"].prepare_inputs_for_generation(*args, **kwargs)


def linear(weight: torch.Tensor) -> torch.nn.Linear:
    """A linear layer with this weight (out, in)."""
    layer = torch.nn.Linear(*weight.shape[::-1], bias=False, device="meta")
    layer.weight = torch.nn.Parameter(weight, requires_grad=False)
    return layer


class Elsewhere(torch.nn.Module):
    """Computes with whatever now stands at a place of the tree."""

    def __init__(self, parent: torch.nn.Module, leaf: str):
        super().__init__()
        self.__dict__["there"] = (parent, leaf)

    def forward(self, *args, **kwargs):
        parent, leaf = self.__dict__["there"]
        return parent._modules[leaf](*args, **kwargs)


class Assembled(torch.nn.Module):
    """The experts of a layer, fused anew from the tree's single ones, adapters and all, at every call."""

    def __init__(self, experts: torch.nn.Module, tree: Tree, parts: Mapping[str, list[Place]]):
        super().__init__()
        self.__dict__.update(experts=experts, tree=tree, parts=parts)

    def forward(self, *args, **kwargs):
        experts, tree, parts = (self.__dict__[name] for name in ("experts", "tree", "parts"))
        whole = {}
        for name, found in parts.items():
            before = getattr(experts, name)
            whole[name] = made = torch.empty_like(before)
            for place in found:
                layer = tree.get_submodule(place.key.removesuffix(".weight"))
                one = torch.eye(len(place.columns), dtype=before.dtype, device=before.device)
                weight = layer(one)  # (in, out): a linear layer shows its weight, whatever it is made of
                target = made[place.expert] if experts.is_transposed else made[place.expert].T
                target[place.columns[:, None], place.rows] = weight
        return torch.func.functional_call(experts, whole, args, kwargs)


@torch.no_grad()
def log_probabilities(model: torch.nn.Module, ids: Sequence[int]) -> torch.Tensor:
    """Of each token after the first, given those before it; fp32 on the CPU."""
    device = next(model.parameters()).device
    tokens = torch.tensor([ids], device=device)
    logits = model(input_ids=tokens, use_cache=False).logits[0, :-1].float()
    return torch.log_softmax(logits, -1).gather(1, tokens[0, 1:, None])[:, 0].cpu()


def check(
    folder: Path,
    base: PreTrainedModel,
    texts: Sequence[Sequence[int]],
    expected: Sequence[torch.Tensor],
    allowed: float,
) -> dict:
    """Load the export with peft into a model with the hub's names; raise LabError unless it is the same adapter.

    base: the backbone, which is taken apart. texts: tokens, expected: their log-probabilities under the trained model,
    from which those found may differ by `allowed`.
    """
    tree = Tree(base)
    known = {name for name, module in tree.named_modules() if isinstance(module, torch.nn.Linear)}
    tensors = load_file(folder / WEIGHTS)
    check_names(tensors, known, json.loads((folder / CONFIG).read_text()).get("target_parameters"), folder)
    loaded = PeftModel.from_pretrained(tree, folder).eval()
    has = get_peft_model_state_dict(loaded, save_embedding_layers=False)
    if ignored := sorted(set(tensors) ^ set(has)):
        raise LabError(f"peft loads {len(has)} of {len(tensors)} tensors; not {ignored[0]}", file=folder / WEIGHTS)
    for name, value in tensors.items():
        if not torch.equal(has[name].to(value.dtype).cpu(), value):
            raise LabError(f"peft loads {name} with other values", file=folder / WEIGHTS)
    found = [log_probabilities(tree.eval(), ids) for ids in texts]  # peft has put its layers into the tree
    differences = [float((a - b).abs().max()) for a, b in zip(found, expected, strict=True)]
    if max(differences) > allowed:
        message = f"on the hub's names a log-probability differs by {max(differences):.3g}, allowed are {allowed}"
        raise LabError(message, file=folder)
    return {"texts": len(texts), "tokens": sum(map(len, texts)), "largest_difference": round(max(differences), 8)}


def check_names(
    tensors: Mapping[str, torch.Tensor], modules: set[str], fused: Sequence[str] | None, folder: Path
) -> None:
    """Raise LabError naming the tensors whose module a server with these linear layers does not have: it drops them."""
    owners = {name: name.removeprefix(PREFIX).partition(".lora_")[0] for name in tensors}
    experts = tuple({f".{name.rpartition('.')[0]}" for name in fused or ()})
    dropped = [
        name
        for name, owner in sorted(owners.items())
        if owner not in modules and not (experts and f".{owner.removesuffix('.base_layer')}".endswith(experts))
    ]
    if dropped:
        some = ", ".join(dropped[:3])
        message = f"a server would drop {len(dropped)} of {len(tensors)} tensors, which name no module there: {some}"
        raise LabError(message, file=folder / WEIGHTS)


def archive(folder: Path, out: Path) -> None:
    """The two files as a zip, the same bytes for the same adapter."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made:
        for name in (CONFIG, WEIGHTS):
            info = zipfile.ZipInfo(name, ZIP_DATE)
            info.external_attr = 0o644 << 16
            with open(folder / name, "rb") as source, made.open(info, "w", force_zip64=True) as target:
                while block := source.read(1 << 24):
                    target.write(block)


def export(
    model: PeftModel,
    base: PreTrainedModel,
    backbone: Path,
    folder: Path,
    texts: Sequence[Sequence[int]],
    *,
    hub: str,
    dtype: str,
    rank: int = MAX_RANK,
    lose: float = 0.0,
    served: Sequence[str] = (),
) -> dict:
    """Write the export of an adapter and check it; what it is, and what the check found.

    model: the backbone with the adapter; base: the same without, which is used up. texts: tokens to compare on.
    """
    pairs, fused, names = on_the_hub(model, base, checkpoint_keys(backbone))
    pairs, lost = within(pairs, rank, lose)
    for name, value in fused.items():
        if "lora_A" in name and (high := len(value) // experts_of(model, name)) > rank:
            raise LabError(f"{name} has rank {high} per expert, above the {rank} that servers take")
    check_served([*(pair.module for pair in pairs), *(name for name in names)], served)
    expected = [log_probabilities(model, ids) for ids in texts]
    made = write(folder, pairs, fused, names, hub, dtype)
    made["lost"] = round(lost, 6)
    allowed = (
        float("inf") if lost else 1e-3 if dtype == "float32" else 0.1
    )  # what is lost on purpose is told, not refused
    made["check"] = check(folder, base, texts, expected, allowed)
    write_json(folder / "export.json", made)
    return made


def experts_of(model: PeftModel, tensor: str) -> int:
    """How many experts share a tensor of the adapter file."""
    return model.get_submodule(tensor.partition(".lora_")[0]).num_experts
