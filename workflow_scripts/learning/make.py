"""Shape and pretraining of a backbone that is made here; checked before anything is planned (no torch here)."""

from dataclasses import dataclass

from common import typed
from common.errors import LabError
from common.typed import setting

SHORTEST = 192  # tokens of a worksheet that has room for a page and some lines


@dataclass(frozen=True, slots=True)
class Make:
    """A Llama-style model with tied embeddings, trained on worksheets of skills."""

    width: int = setting("of the residual stream", 128, low=1)
    layers: int = setting("of attention and feed-forward", 4, low=1)
    heads: int = setting("attention heads per layer", 4, low=1)
    head_size: int = setting("even, for the rotary positions", 48, low=2)
    theta: float = setting("base of the rotary positions", 1e8, above=0)
    start: str = setting("weights before pretraining (structured: see circuits.py)", "structured",
                         among=("structured", "random"))  # fmt: skip
    optimizer: str = setting("muon: lr is then for the embedding and norms", "muon", among=("muon", "adamw"))
    feed_forward: int = setting("width between the two matrices", 384, low=1)
    context: int = setting("positions that it learns: the longest text in tokens", 2048, low=SHORTEST)
    length: int = setting("tokens of a worksheet", 256, low=SHORTEST)
    batch: int = setting("worksheets per step", 4, low=1)
    steps: int = setting("of pretraining; 0 for none", 4000, low=0)
    lr: float = setting("learning rate", 2e-3, above=0)
    matrix_lr: float = setting("learning rate of the weight matrices", 0.01, above=0)
    warmup: float = setting("share of the steps", 0.02, low=0, high=1)
    seed: int = setting("of weights and worksheets", 1, low=0)

    def __post_init__(self):
        typed.check(self)
        if self.head_size % 2:
            raise LabError(f"a rotary head has an even size, not {self.head_size}", field="head_size")
        if self.start == "structured" and not (self.width >= 124 and self.layers >= 2 and self.heads >= 4):
            raise LabError("a structured start needs width 124, 2 layers and 4 heads at least", field="start")
        if self.length > self.context:
            raise LabError(f"{self.length} is more than the context of {self.context}", field="length")
