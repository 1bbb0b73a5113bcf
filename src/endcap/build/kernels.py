"""The kernels: SQL files with named placeholders, bound to numbers only."""

import re
from collections.abc import Mapping
from importlib import resources

PLACEHOLDER = re.compile(r"(?<!:):([a-z_]+)")


def kernel(name: str, values: Mapping[str, int | float]) -> str:
    """The text of `sql/<name>.sql` with each `:placeholder` replaced by its number.

    Raises KeyError for a placeholder without a value.
    """
    text = resources.files(__package__).joinpath(f"sql/{name}.sql").read_text("utf-8")
    body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return PLACEHOLDER.sub(lambda match: _number(values[match[1]]), body)


def _number(value: int | float) -> str:
    if not isinstance(value, int | float):
        raise TypeError(f"a kernel takes numbers, not {value!r}")
    return repr(value)
