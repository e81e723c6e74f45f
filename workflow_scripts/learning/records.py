"""What a completion may consist of, checked before it is kept: a bad field would break the table that it goes into."""


def fault(record: object, places: bool = False) -> str:
    """The first field of a completion that does not fit into the table; "" where all do.

    places: the numbers of its row and sample are asked for, too.
    """
    if not isinstance(record, dict):
        return "completion"
    fits = {
        "text": is_text,
        "finish": is_text,
        "n_tokens": lambda value: value is None or is_count(value),
        "n_decoded": lambda value: value is None or is_count(value),
        "logprob_sum": lambda value: value is None or type(value) in (int, float),
        "served": lambda value: value is None or is_text(value),
        "notes": lambda value: value is None or (isinstance(value, dict) and all(map(is_count, value.values()))),
    }
    fits |= {"row": is_count, "sample": is_count} if places else {}
    return next((name for name, fit in fits.items() if not fit(record.get(name))), "")


def is_count(value: object) -> bool:
    """Whether a value is a whole number from 0 that fits into 32 bits."""
    return type(value) is int and 0 <= value < 2**31


def is_text(value: object) -> bool:
    """Whether a value is a text of whole characters; halves of them (lone surrogates) can come from a server."""
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)
