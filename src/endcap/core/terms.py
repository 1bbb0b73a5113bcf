"""Search terms in the form they are counted in: `Blue  Mugs!` and `blue mugs` are one term."""

import unicodedata

MAX_TERM = 100


def normalised(query: str) -> str:
    """Compatibility forms unified (NFKC), case folded, all but letters and digits made one space.

    Marks that belong to a letter stay, so `café` keeps its accent. Empty when nothing is left.
    """
    text = unicodedata.normalize("NFKC", query).casefold()
    kept = (c if unicodedata.category(c)[0] in "LNM" else " " for c in text)
    return " ".join("".join(kept).split())[:MAX_TERM]
