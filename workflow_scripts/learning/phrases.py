"""Which phrases are one token each, and the spare tokens for those that come after a backbone was made."""

import re

MIN_PHRASE = 6  # shorter phrases (" m", "s, ") would swallow characters that also occur by themselves
SPARE, SPARES = "<|spare-{}|>", 64


def is_spare(token: str) -> bool:
    """Whether no phrase has this token yet."""
    return bool(re.fullmatch(r"<\|spare-\d+\|>", token))
