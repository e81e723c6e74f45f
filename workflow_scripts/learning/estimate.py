"""Memory and time of an arm before its first step, from what was counted on shapes. No torch here.

Memory is what stands at once on a rank at the worst moment: weights, the adapter with its gradients and the optimiser's
numbers, what the forward pass keeps, and what the largest step of the backward pass adds. Time is the arithmetic that
has to be done, at a share of what the GPU can do at most; it says which size a run has, not when it ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from common.errors import LabError
from learning.loss_size import LOGITS
from learning.settings import BackboneOptions

GIB = 2**30
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
ON_A_GPU = GIB  # the driver's own, and what libraries keep for work
SPLIT = 1.1  # memory that is free in pieces too small to use, as a factor on what comes and goes
LIVE = 10**9  # numbers of weights that ZeRO-3 keeps gathered at most
START = 1 / 60  # hours until a job's first step and after its last
UTILISATION = 0.35  # of the most a GPU can do in training; of its memory's rate in decoding
GPUS = {  # name in lower case: (GiB that torch finds there, 10^12 operations a second in bf16, GB a second)
    "h200": (139, 989, 4800),
    "h100": (79, 989, 3350),
    "a100": (79, 312, 2039),
    "l40s": (44, 362, 864),
    "l4": (22, 121, 300),
    "a10": (22, 125, 600),
    "4090": (23, 165, 1008),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """parameters, adapter: numbers; active: of the parameters, those that one token meets; largest: the biggest tensor.

    layers: how many; saved: bytes that the forward pass keeps for the backward one, outside of layers; per_layer: in
    each layer; states: bytes of the states between two layers; vocabulary, context: of the model; kept: bytes of keys
    and values (or states) that a token of a text being written takes.
    """

    parameters: int
    adapter: int
    active: int
    largest: int
    layers: int
    outside: int
    per_layer: tuple[int, ...]
    states: int
    vocabulary: int
    kept: int

    @property
    def saved(self) -> int:
        """Everything that the forward pass keeps."""
        return self.outside + sum(self.per_layer)


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of one rank, by what they are for.

    again: of the layer whose forward pass is made again in the backward pass; host: in the CPU's memory instead;
    written: keys and values of the texts that the model writes between two steps.
    """

    weights: int
    adapter: int
    optimizer: int
    activations: int
    again: int
    loss: int
    transient: int
    host: int
    fixed: int
    written: int = 0

    @property
    def peak(self) -> int:
        """Everything that stands at once: when the loss is made, or in the backward pass of the largest layer."""
        moving = max(self.activations + max(self.loss, self.again + self.transient), self.written)
        factor = SPLIT if self.fixed else 1.0
        return int(self.weights + self.adapter + self.optimizer + factor * moving + self.fixed)


def memory(c: Counted, options: BackboneOptions, ranks: int, tokens: int, gpu: bool = True, written: int = 0) -> Memory:
    """What one rank of a training holds. tokens: that the count was made with, all of which may be learned; written: of
    the texts that the model writes at once."""
    size = BYTES[options.dtype]
    sharded = ranks if options.zero_stage == 3 else 1
    full = c.adapter >= c.parameters  # every parameter is trained
    frozen = 0 if full else c.parameters * size
    weights = frozen / sharded + (min(LIVE * size, frozen) if sharded > 1 else 0)
    adapter = c.adapter * size * (1 / sharded + 1)  # the numbers and their gradients
    optimizer = c.adapter * 12 / ranks  # in fp32: the numbers again, and two moments
    host = 0.0
    if options.offload:
        host, optimizer = optimizer, 0.0
        if options.zero_stage == 3:
            host, weights = host + frozen / sharded, min(LIVE * size, frozen)
    kept, again = c.outside + sum(c.per_layer), 0
    if options.checkpointing:
        kept, again = c.outside + c.layers * c.states, max(c.per_layer)
    logits = min(LOGITS, tokens * c.vocabulary)
    loss = logits * (2 * 4 + (0 if size == 4 else size))  # in fp32, their gradient, and a copy in the dtype
    # Backward through a layer: a gradient as large as what its largest parts keep; for fused experts one of the tensor.
    fused = c.largest * size if c.largest > c.vocabulary * c.states / max(1, tokens) / size else 0
    transient = max(4 * c.states, fused)
    parts = map(int, (weights, adapter, optimizer, kept, again, loss, transient, host))
    return Memory(*parts, fixed=ON_A_GPU if gpu else 0, written=written * c.kept)


def train_hours(c: Counted, options: BackboneOptions, tokens: float, teraflops: float) -> float:
    """GPU-hours for so many tokens, at UTILISATION of what the GPU can do."""
    passes = 6 if options.checkpointing else 4  # forward, again where it is not kept, and back to the inputs
    operations = tokens * (passes * c.active + 6 * min(c.adapter, c.active))
    return START + operations / (teraflops * 1e12 * UTILISATION) / 3600


def making_hours(c: Counted, options: BackboneOptions, teraflops: float) -> float:
    """GPU-hours of the pretraining of a backbone that is made here."""
    tokens = options.make.steps * options.make.batch if options.make else 0
    return START + 6 * tokens * c.active / (teraflops * 1e12 * UTILISATION) / 3600 if tokens else 0.0


def decode_hours(c: Counted, options: BackboneOptions, rows: int, new: int, batch: int, rate: float) -> float:
    """GPU-hours for so many rows of `new` tokens: a step reads the weights and the texts so far. rate: GB a second."""
    steps = -(-rows // batch) * new
    read = c.parameters * BYTES[options.dtype] + batch * c.kept * new / 2
    return START + steps * read / (rate * 1e9 * UTILISATION) / 3600


def disk(c: Counted, options: BackboneOptions) -> tuple[int, int, int]:
    """Bytes of the backbone, of an adapter, and of the two checkpoints that stand while it is trained."""
    size = BYTES[options.dtype]
    return c.parameters * size, c.adapter * size, 2 * c.adapter * (size + 12)


def ways_to_fit(
    c: Counted,
    options: BackboneOptions,
    ranks: int,
    tokens: int,
    room: int,
    shorter: Mapping[int, Counted] = {},
    written: int = 0,
) -> list[str]:
    """What would make a training fit into `room` bytes, in words, the cheapest first.

    shorter: counts with fewer tokens.
    """
    changes: list[tuple[str, dict]] = [
        ("zero_stage: 3", {"zero_stage": 3}),
        ("checkpointing: true", {"checkpointing": True}),
        ("checkpointing: true and zero_stage: 3", {"checkpointing": True, "zero_stage": 3}),
        ("checkpointing: true and offload: true", {"checkpointing": True, "offload": True}),
        ("checkpointing: true, zero_stage: 3 and offload: true",
         {"checkpointing": True, "zero_stage": 3, "offload": True}),
    ]  # fmt: skip
    found = []
    for words, change in changes:
        if any(getattr(options, name) != value for name, value in change.items()):
            if memory(c, replace(options, **change), ranks, tokens, written=written).peak <= room:
                found.append(words)
    for length, own in sorted(shorter.items(), reverse=True):
        if memory(own, options, ranks, length, written=written * length // tokens).peak <= room:
            found.append(f"micro_tokens and rows of {length} tokens at most")
            break
    return found


def require(needed: Memory, room: int, ways: list[str], what: str) -> None:
    """Raise LabError where a rank needs more than the GPU has."""
    if needed.peak > room:
        more = (needed.peak - room) / GIB
        fits = f"; it would fit with {'; or '.join(ways)}" if ways else "; nothing that is a setting makes it fit"
        parts = {
            "weights": needed.weights,
            "optimiser": needed.optimizer,
            "activations": needed.activations + needed.again,
            "texts being written": needed.written,
        }
        told = ", ".join(f"{name} {value / GIB:.1f}" for name, value in parts.items() if value)
        raise LabError(
            f"{what}: a rank needs {needed.peak / GIB:.1f} GiB ({told}), {more:.1f} more than the GPU's"
            f" {room / GIB:.1f}{fits}",
            field="backbone-options",
        )


def card(name: str) -> tuple[float, float, float]:
    """(GiB, 10^12 operations a second, GB a second) of a GPU by a name that contains one of GPUS."""
    for known, numbers in GPUS.items():
        if known in name.lower().replace("_", " ").replace("-", " ").split() or known == name.lower():
            return numbers
    raise LabError(f"{name!r} is none of the known GPUs: {', '.join(GPUS)}", field="gpu")
