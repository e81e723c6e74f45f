"""Both kinds of equations: their prompt, rules and prior, and the family whose digits are visible (numeric)."""
