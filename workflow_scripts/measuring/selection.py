"""What a figure shows and nothing else: said on the picture, and kept apart where there are several."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from common.config import IN_CONTEXT

QUOTAS = ("bad-10", "ends-55-30-15", "ends-55-30-15-wrong-9", "even", "wrong-9", "wrong-19")
"""The selections of the study's corpora; figures that show such arms name them at the arm."""


def quota(selection: str) -> str:
    """What an arm's label says of its selection."""
    return f", {selection}" if selection in QUOTAS else ""


@dataclass(frozen=True)
class Selection:
    """The arms of a figure. backbone None: every one, `how` says where."""

    decoder: str = "greedy"
    corruption: str = "none"
    selections: tuple[str, ...] = ("all", "right")
    backbone: str | None = None
    how: str = "each in its own panels"

    def of(self, accuracy: pd.DataFrame) -> pd.DataFrame:
        """The lines of the table of accuracies that are selected."""
        kept = (accuracy.decoder == self.decoder) & (accuracy.corruption == self.corruption)
        kept &= accuracy.selection.isin(self.selections)
        if self.backbone is not None:
            kept &= accuracy.backbone == self.backbone
        return accuracy[kept]

    def left_out(self, accuracy: pd.DataFrame) -> list[str]:
        """Arms, of those in the table, of which no line is selected."""
        return sorted(set(accuracy.arm) - set(self.of(accuracy).arm))

    def __str__(self) -> str:
        return (
            f"decoder {self.decoder}, corruption {self.corruption}, selection {' or '.join(self.selections)},"
            f" backbone {self.backbone or self.how}"
        )


def by_backbone(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """(backbone, its trained arms, and untrained ones of it or of a backbone on which nothing here is trained)."""
    trained = sorted(frame[frame.trained.astype(bool)].backbone.unique())
    for name in trained or [""]:
        elsewhere = set(trained) - {name}
        yield name, frame[~frame.backbone.isin(elsewhere)]


def with_arms(frame: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """The frame with what its arms are: corruption, selection, backbone, recipe, arm_n (training rows), trained."""
    told = arms[["corruption", "selection", "backbone", "recipe"]]
    told = told.assign(arm_n=arms.n.astype(int), trained=arms.recipe != IN_CONTEXT)
    return frame.join(told, on="arm")


def with_corpora(frame: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """The frame with what else decides what its arms learn: shown (the column reveal of the table of arms), families
    (joined by commas), the arms that they learn from (source) and go on from (start)."""
    told = arms[["source", "start"]].assign(shown=arms.reveal, families=arms.families.map(",".join))
    return frame.join(told, on="arm")
