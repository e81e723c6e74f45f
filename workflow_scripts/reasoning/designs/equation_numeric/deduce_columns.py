"""equation_numeric_deduce / columns: forward, with sums, differences and remainders written column by column."""

from functools import partial

from reasoning.designs.equation_numeric import deduce_forward
from reasoning.designs.equation_numeric.lines.column_lines import IN_COLUMNS
from reasoning.grammar.trace import Design

DESIGN = Design(
    "columns",
    "equation_numeric_deduce",
    IN_COLUMNS.kinds,
    partial(deduce_forward.render, wording=IN_COLUMNS),
)
