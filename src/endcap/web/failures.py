"""What the log says of an error nobody expected: where it happened, not with whose data.

The text of an exception and the values in its frames may hold what a visitor sent; their places in
the code do not.
"""

import traceback
from pathlib import Path


def described(error: BaseException) -> str:
    """Kind and places of an error and of its causes, without any text of theirs."""
    lines: list[str] = []
    current: BaseException | None = error
    while current is not None and len(lines) < 200:
        kind = type(current)
        lines.append(f"{kind.__module__}.{kind.__qualname__}")
        frames = traceback.extract_tb(current.__traceback__)
        lines += [f"  {_short(f.filename)}:{f.lineno} in {f.name}" for f in frames]
        current = current.__cause__ or current.__context__
    return "\n".join(lines)


def _short(file: str) -> str:
    parts = Path(file).parts
    return "/".join(parts[-3:])
