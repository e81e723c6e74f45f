"""truthful (the study's r3): wrong rules and taken digits are tried in plain sight.

Adds to decode-first comparisons that say no as well as match, and at times a digit that another letter holds. The
lines that leave an operator few rules leave it up to three wrong ones of its shape; the frequent ones are compared
sooner, wrong ones until the right one matches, so that any number from none to three says no. The renderer still knows
the answer, and the closing checks still all say match.
"""

from reasoning.designs.cryptarithm.engines.tree_search import Options, designs

DESIGNS = designs("truthful", Options(truth=True, collide=True))
