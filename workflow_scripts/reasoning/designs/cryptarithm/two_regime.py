"""two-regime (the study's r5): literal signs keep to their own family of rules first.

Adds to policy-search the regime line, the letters that cannot be zero, and for literal signs four passes before the two
of all rules: plain rules of the family in both orders, then all of the family in both.
"""

from reasoning.designs.cryptarithm.engines.tree_search import Options, designs

DESIGNS = designs("two-regime", Options(refute=False, families=True))
