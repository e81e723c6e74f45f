"""tiered (the study's r1): the first render, by the kind of the query's operator.

The renderer knows the answer: a branch keeps the true digit, letters that only the query shows are given theirs. Pins
are mostly bare claims, and a check prints an expectation that is not read from the page, so every check says match.
"""

from reasoning.designs.cryptarithm.engines.tree_search import Options, designs

DESIGNS = designs("tiered", Options(truth=True, numbers=False, decode=False, refute=False, compare=False))
