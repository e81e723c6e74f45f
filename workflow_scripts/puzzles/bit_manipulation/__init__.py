"""One boolean expression over at most three taps of a byte, the same for all eight bits."""
