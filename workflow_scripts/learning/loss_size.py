"""How many logits exist at once in training."""

LOGITS = 1 << 26  # numbers in fp32 (256 MiB)
