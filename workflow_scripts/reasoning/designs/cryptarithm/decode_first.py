"""decode-first (the study's r2): the output is read before it is compared.

Adds to tiered numbers on the pins where there are any, the list of distinct digits, the refutation of the standard
order, and checks that read the output first. Only right rows are kept, so every check still says match.
"""

from reasoning.designs.cryptarithm.engines.tree_search import Options, designs

DESIGNS = designs("decode-first", Options(truth=True, compare=False))
