"""gravity / columns: forward, with every long difference and sum written column by column."""

from functools import partial

from reasoning.designs import proportion
from reasoning.designs.gravity import forward
from reasoning.grammar.trace import Design

DESIGN = Design(
    "columns",
    "gravity",
    (forward.Example, forward.Square, *proportion.IN_COLUMNS.kinds),
    partial(forward.render, wording=proportion.IN_COLUMNS),
)
