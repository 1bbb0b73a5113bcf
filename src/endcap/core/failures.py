"""What may be said of an error nobody expected: where it happened, not with whose data.

The text of an exception and the values in its frames may hold what a visitor sent; its kind and
its places in the code do not. Of a driver's message the quoted parts are left out, as those are
values.
"""

import re
import traceback
from collections.abc import Iterator
from pathlib import Path

from .errors import EndcapError

MAX_LINES = 200
MAX_TEXT = 300
# From the first quote or bracket to the last: a value with a quote inside must not slip out.
_VALUES = re.compile("""['"`«“{\\[].*['"`»”}\\]]|['"`«“{\\[].*""")


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from."""
    current: BaseException | None = error
    for _ in range(20):
        if current is None:
            return
        yield current
        current = current.__cause__ or current.__context__


def described(error: BaseException) -> str:
    """Kind and places of an error and of its causes, without any text of theirs."""
    lines: list[str] = []
    for one in chain(error):
        lines.append(kind_of(one))
        frames = traceback.extract_tb(one.__traceback__)
        lines += [f"  {short(f.filename)}:{f.lineno} in {f.name}" for f in frames]
    return "\n".join(lines[:MAX_LINES])


def kind_of(error: BaseException) -> str:
    """The error's class with its module."""
    return f"{type(error).__module__}.{type(error).__qualname__}"


def short(file: str) -> str:
    """The end of a path: enough to find the file, without the folders of this machine."""
    return "/".join(Path(file).parts[-3:])


def said(error: BaseException | None) -> str:
    """The first line of a driver's message, its quoted values left out; else the error's kind."""
    if error is None:
        return "no cause given"
    parts = [str(one) for one in error.args] or [""]
    text = ", ".join(part.partition("\n")[0] for part in parts)
    return _VALUES.sub("…", text).strip()[:MAX_TEXT] or kind_of(error)


def own_words(error: BaseException | None) -> str:
    """The text of an error of ours that blames the server; other texts may hold anything."""
    return error.detail if isinstance(error, EndcapError) and error.status >= 500 else ""
