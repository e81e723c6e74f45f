"""Can an arm do the single steps of its procedure? The rule of evidence (measuring/evidence.py)."""

import pandas as pd

from measuring import evidence

NEEDS = ("lines", "texts", "arms")
CAPTION = """Per arm, family, evaluation set and decoder, seeds and samples together: the shares of lines that are
copied (transcription; malformed lines count as wrong) and computed (arithmetic) without a mistake, both up to the first
wrong conclusion of a completion, with 95 % intervals clustered by row, and how much of the thought is written.
installed: yes where both shares are at least .97 and at least half is written; no: the arm is no evidence about its
procedure, in this and every other table and figure; empty: the design has no steps."""
CHANGE = """that an arm fails at its procedure is contradicted by installed ``no``: it fails at the steps before that,
and says nothing of it. That it fails at the steps is contradicted by ``yes``."""


def make(lines: list[str], texts: list[str], arms: pd.DataFrame) -> pd.DataFrame:
    """One line per arm, family, eval set and decoder."""
    return evidence.steps(lines, texts, arms)
