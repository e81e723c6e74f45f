"""two-regime (the study's r5): literal signs keep to their own family of rules first.

Adds to policy-search the regime line, family passes before the full vocabulary, the letters that cannot be zero, and
comparisons inside the family.
"""

from reasoning.designs.cryptarithm.engines.tree_search import Options, designs

DESIGNS = designs("two-regime", Options(refute=False, families=True))
