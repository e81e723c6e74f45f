"""equation_numeric_guess / columns: forward, with sums, differences and remainders written column by column."""

from functools import partial

from reasoning.designs.equation_numeric import guess_forward
from reasoning.designs.equation_numeric.lines.column_lines import IN_COLUMNS
from reasoning.designs.equation_numeric.lines.equation_lines import Bet
from reasoning.grammar.trace import Design

DESIGN = Design(
    "columns",
    "equation_numeric_guess",
    (*IN_COLUMNS.kinds, Bet),
    partial(guess_forward.render, wording=IN_COLUMNS),
)
