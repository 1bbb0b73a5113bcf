"""`./run docs`: pages made from the code. With `--check` it fails when one of them is stale."""

import sys
from pathlib import Path

import msgspec

from endcap.recommend.describe import strategies
from endcap.recommend.registry import Components
from endcap.settings import FILE, PREFIX, Settings

HERE = Path(__file__).parent
NOTE = "<!-- Made by `./run docs`; edit the code instead. -->"


def pages() -> dict[str, str]:
    """Every page made from the code, by file name."""
    return {"settings.md": settings_page(), "strategies.md": strategies_page()}


def settings_page() -> str:
    """The table of settings, in the order of the code."""
    rows = []
    for field in msgspec.structs.fields(Settings):
        meta = msgspec.inspect.type_info(field.type)
        about = (getattr(meta, "extra_json_schema", None) or {}).get("description", "")
        default = msgspec.json.encode(field.default).decode()
        variable = f"{PREFIX}{field.name.upper()}"
        rows.append(f"| `{field.name}` | `{default}` | `{variable}` | {about} |")
    return "\n".join([NOTE, "", _SETTINGS.format(file=FILE), *rows, ""])


def strategies_page() -> str:
    """Every strategy: what it does, its options, what it reads, the codes of its reasons."""
    parts = [NOTE, "", _STRATEGIES]
    for one in strategies(Components()):
        codes = ", ".join(f"`{code}`" for code in one.reasons)
        needs = ", ".join(one.needs) or "nothing"
        parts.append(f"| [`{one.name}`](#{one.name}) | {one.about} | {needs} | {codes} |")
    for one in strategies(Components()):
        parts += ["", f"## {one.name}", "", f"{one.about} {one.detail}"]
        if one.options:
            parts += ["", "| option | type | default |", "|---|---|---|"]
        for option in one.options:
            kind = option.type.replace("|", "\\|")
            default = msgspec.json.encode(option.default).decode()
            parts.append(f"| `{option.name}` | {kind} | `{default}` |")
    return "\n".join([*parts, ""])


_STRATEGIES = """# Strategies

A strategy proposes products for a placement. Placements name strategies with their options and a
`weight`; the [pipeline](../ARCHITECTURE.md) blends what they find. Each product in an answer says
which strategies proposed it: a reason has a `code`, a `text` to show, and the `counts` behind it.
`GET /v1/strategies` gives this page as data.

| strategy | what it proposes | goes by | codes of its reasons |
|---|---|---|---|"""


_SETTINGS = """# Settings

Each setting has a default that works. What is set counts in this order, the later one first:
command-line options (`--data`, `--port` and so on), environment variables, the file `{file}` of
the folder the command runs in (or `--config FILE`), the default. An unknown name or a value that
cannot work stops the start with a sentence that names it. `endcap init` writes a commented
`{file}`.

| setting | default | environment | what it is |
|---|---|---|---|"""


def stale() -> list[str]:
    """The pages that are not what the code says."""
    found = pages()
    return [
        name
        for name, text in found.items()
        if not (HERE / name).exists() or (HERE / name).read_text("utf-8") != text
    ]


def main() -> None:
    """Write the pages, or only check them."""
    if "--check" in sys.argv[1:]:
        names = stale()
        if names:
            sys.exit(f"stale: {', '.join(names)}; run ./run docs")
        return
    for name, text in pages().items():
        (HERE / name).write_text(text, "utf-8")
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
