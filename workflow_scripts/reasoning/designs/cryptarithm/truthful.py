"""truthful (the study's r3): wrong rules and taken digits are tried in plain sight.

Adds to decode-first comparisons that say no as well as match, and at times a digit that another letter holds. The
renderer still knows the answer, and the closing checks still all say match.
"""

from reasoning.designs.cryptarithm.engines.tree_search import Options, designs

DESIGNS = designs("truthful", Options(truth=True, collide=True))
