"""Options of `endcap preview` and `endcap backtest` that name drafts."""

from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer

from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.placement import Placement
from endcap.core.pointers import problem_of
from endcap.core.rule import Rule
from endcap.services.rules import RuleService, RuleSet

T = TypeVar("T")
Drafts = Annotated[
    list[str] | None,
    typer.Option("--rule", help="NAME: its newest draft; NAME=FILE: the rule in a JSON file."),
]
Without = Annotated[list[str] | None, typer.Option(help="Leave this published rule out.")]
DraftFile = Annotated[
    Path | None, typer.Option("--draft", help="The placement as it would be, a JSON file.")
]


async def drafted(
    rules: RuleService, shop: str, drafts: list[str], without: list[str]
) -> tuple[RuleSet, dict[str, Rule]]:
    """The rule set with the drafts, and the drafts by name. Raises InvalidInput or NotFound."""
    found: dict[str, Rule] = {}
    for draft in drafts:
        name, _, file = draft.partition("=")
        if file:
            found[name] = read_json(Path(file), Rule)
            continue
        view = await rules.get(shop, name)
        if view.rule is not None:
            found[name] = view.rule
    made = rules.published(shop)
    for name, rule in found.items():
        made = made.with_rule(name, 0, rule)
    for name in without:
        made = made.with_rule(name, 0, None)
    return made, found


def read_placement(file: Path | None) -> Placement | None:
    """The placement of a file. Raises InvalidInput."""
    return None if file is None else read_json(file, Placement)


def read_json(file: Path, kind: type[T]) -> T:
    """A JSON file as a struct. Raises InvalidInput naming the file and the field."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except OSError as error:
        problem = FieldProblem(f"/{file}", "missing", f"cannot be read: {error.strerror}")
        raise InvalidInput("a file cannot be read", [problem]) from error
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{file} cannot be used", [problem_of(error)]) from error
    except msgspec.DecodeError as error:
        problem = FieldProblem("", "invalid", f"is not valid JSON: {error}")
        raise InvalidInput(f"{file} cannot be used", [problem]) from error
