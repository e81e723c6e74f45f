"""Shape and pretraining of a backbone that is made here; checked before anything is planned (no torch here)."""

from dataclasses import dataclass

from common import typed
from common.errors import LabError
from common.typed import setting

SHORTEST = 192  # tokens of a worksheet that has room for a page and some lines


@dataclass(frozen=True, slots=True)
class Make:
    """A Llama-style model with tied embeddings, trained on worksheets of skills.

    The learning rate is constant, and falls linearly to zero in the last steps.
    """

    width: int = setting("of the residual stream", 128, low=1)
    layers: int = setting("of attention and feed-forward", 4, low=1)
    heads: int = setting("attention heads per layer", 4, low=1)
    head_size: int = setting("even, for the rotary positions", 48, low=2)
    theta: float = setting("base of the rotary positions", 1e8, above=0)
    start: str = setting("weights before pretraining (structured: see circuits.py)", "structured",
                         among=("structured", "random"))  # fmt: skip
    optimizer: str = setting("muon: lr is then for the embedding and norms", "muon", among=("muon", "adamw"))
    feed_forward: int = setting("width between the two matrices", 384, low=1)
    context: int = setting("positions that it learns: the longest text in tokens", 3072, low=SHORTEST)
    lengths: tuple[int, ...] = setting("tokens of a worksheet, in turn from step to step", (256, 512, 256, 1024))
    batch: int = setting("tokens of a step", 4096, low=SHORTEST)
    steps: int = setting("of pretraining; 0 for none", 4000, low=0)
    decay: int = setting("the last steps, with a falling rate", 400, low=0)
    check: int = setting("steps between held-out tables", 200, low=1)
    table: int = setting("answers per skill in the last held-out table", 500, low=1)
    lr: float = setting("learning rate", 6e-4, above=0)
    matrix_lr: float = setting("learning rate of the weight matrices", 0.003, above=0)
    warmup: int = setting("steps", 30, low=1)
    seed: int = setting("of weights and worksheets", 1, low=0)

    def __post_init__(self):
        typed.check(self)
        if self.head_size % 2:
            raise LabError(f"a rotary head has an even size, not {self.head_size}", field="head_size")
        if self.start == "structured" and not (self.width >= 124 and self.layers >= 2 and self.heads >= 4):
            raise LabError("a structured start needs width 124, 2 layers and 4 heads at least", field="start")
        if not self.lengths:
            raise LabError("no lengths of worksheets", field="lengths")
        for length in self.lengths if self.steps else ():
            if not SHORTEST <= length <= self.context:
                message = f"a worksheet has {SHORTEST}..{self.context} (the context) tokens, not {length}"
                raise LabError(message, field="lengths")
            if self.batch % length:
                raise LabError(f"a batch of {self.batch} tokens is no whole number of {length}", field="batch")
