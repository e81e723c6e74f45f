"""policy-search (the study's r4): a policy that sees the page alone, and its search.

Passes over order and vocabulary (plain rules, then all), propagation, the letter with the fewest digits, digits
ascending, at most 44 tries; tried sets, dead ends, exhausted levels. There is no failure ending: rows that no pass
solves are not rendered.
"""

from reasoning.designs.cryptarithm.engines.tree_search import Options, designs

DESIGNS = designs("policy-search", Options(refute=False))
