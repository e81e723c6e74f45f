"""Other training rows than a design's own: simpler tasks on the same inputs, and drills of what a design recalls."""
