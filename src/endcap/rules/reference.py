"""The tables of docs/expressions.md, made from the operators and fields themselves."""

from .fields import ROOTS
from .operators import OPERATORS


def operators_table() -> str:
    """Every operator and function as Markdown."""
    rows = ["| written | takes | in English |", "|---|---|---|"]
    for row in OPERATORS.values():
        symbol = "-x" if row.symbol == "neg" else row.symbol.replace("|", "\\|")
        rows.append(f"| `{symbol}` | {row.takes} | {row.english.format('a', 'b', 'c')} |")
    return "\n".join(rows)


def fields_table() -> str:
    """Every field as Markdown; `seed` has those of `product`."""
    rows = ["| field | kind | meaning |", "|---|---|---|"]
    for root, fields in ROOTS.items():
        if root == "seed":
            continue
        rows += [f"| `{root}.{f.name}` | {f.kind} | {f.about} |" for f in fields.values()]
    return "\n".join(rows)
