"""hardened (the study's r6): the symbol table is built up, tries are counted.

Adds to two-regime the scan of every example, the two disjoint glyph sets and a running number on every try. The
study's rows with a corrupted example, which no real row has, belong to a corpus of other prompts and are not made here.
"""

from reasoning.designs._cryptarithm_study import Options, designs

DESIGNS = designs("hardened", Options(refute=False, families=True, scans=True))
