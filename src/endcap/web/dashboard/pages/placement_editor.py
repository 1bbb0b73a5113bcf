"""Editing a placement: draft, compare with what is live, publish, and roll back."""

from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.errors import FieldProblem, InvalidInput, NotFound
from endcap.core.placement import Placement
from endcap.core.preview import Preview, PreviewRequest
from endcap.core.status import PlacementView, StrategyView
from endcap.web.dashboard.differences import Line, differences, pretty
from endcap.web.dashboard.page import Action, Page, PageCall

HOME = "/dashboard/placements"


class Editing(msgspec.Struct, frozen=True):
    """The draft, or what is live when there is none, with what it would change."""

    heading: str
    name: str
    live: PlacementView
    drafted: bool
    draft: Placement
    text: str
    changes: list[Line]
    asked: dict[str, str]
    preview: Preview
    strategies: list[StrategyView]


class Compared(msgspec.Struct, frozen=True):
    """Two versions."""

    heading: str
    name: str
    before: PlacementView
    after: PlacementView
    changes: list[Line]


async def editing(call: PageCall) -> Editing:
    """The editor of one placement."""
    name, services = call.path["name"], call.services
    live = await services.placements.get(call.shop, name)
    kept = await services.drafts.get(call.shop, name)
    assert live.placement is not None
    draft = kept.placement if kept is not None and kept.placement else live.placement
    asked = {field: call.query.get(field, "").strip() for field in ("seed", "cart", "visitor")}
    return Editing(
        heading=f"Edit {draft.title or name}",
        name=name,
        live=live,
        drafted=kept is not None,
        draft=draft,
        text=call.form.get("text", "") or pretty(draft),
        changes=differences(live.placement, draft),
        asked=asked,
        preview=await services.previews.preview(call.shop, _request(name, asked, draft)),
        strategies=services.placements.strategies(),
    )


async def compared(call: PageCall) -> Compared:
    """Two versions side by side; the newest and the one before when none are named."""
    name = call.path["name"]
    after = await call.services.placements.get(call.shop, name, _version(call.query.get("to")))
    older = _version(call.query.get("from")) or max(1, after.version - 1)
    before = await call.services.placements.get(call.shop, name, older)
    heading = f"{name}: version {before.version} → {after.version}"
    changes = differences(before.placement, after.placement)
    return Compared(heading, name, before, after, changes)


async def save(call: PageCall) -> Response:
    """Keep the draft, from the text or from the fields."""
    name = call.path["name"]
    if "text" in call.form:
        body = call.form["text"].encode("utf-8", "surrogatepass")
    else:
        page = await editing(call)
        body = msgspec.json.encode(_from_fields(msgspec.to_builtins(page.draft), call.form))
    await call.services.drafts.put(call.shop, name, body, call.author)
    return call.go(f"{HOME}/{name}/edit", said="The draft is kept. Nothing of it is live yet.")


async def publish(call: PageCall) -> Response:
    """Make the draft live."""
    name, services = call.path["name"], call.services
    kept = await services.drafts.get(call.shop, name)
    if kept is None or kept.placement is None:
        raise NotFound("there is no draft to publish")
    body = msgspec.json.encode(kept.placement)
    expected = _version(call.form.get("expected"))
    note = call.form.get("note", "").strip()[:2_000]
    view = await services.placements.put(call.shop, name, body, expected, call.author, note)
    await services.drafts.discard(call.shop, name, call.author)
    return call.go(f"{HOME}/{name}", said=f"Version {view.version} is live.")


async def discard(call: PageCall) -> Response:
    """Drop the draft."""
    name = call.path["name"]
    await call.services.drafts.discard(call.shop, name, call.author)
    return call.go(f"{HOME}/{name}", said="The draft is gone; what is live stayed.")


async def roll_back(call: PageCall) -> Response:
    """Make an older version live again, as a new version."""
    name, services = call.path["name"], call.services
    version = _version(call.form.get("version"))
    older = await services.placements.get(call.shop, name, version)
    if older.placement is None:
        raise NotFound(f"version {older.version} deleted the placement")
    body, note = msgspec.json.encode(older.placement), f"back to version {older.version}"
    view = await services.placements.put(call.shop, name, body, None, call.author, note)
    said = f"Version {older.version} is live again, as version {view.version}."
    return call.go(f"{HOME}/{name}", said=said)


def _from_fields(draft: dict[str, Any], form: dict[str, str]) -> dict[str, Any]:
    """The draft with what the simple fields say. Raises InvalidInput naming the field."""
    problems: list[FieldProblem] = []

    def number(field: str, pointer: str, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            problems.append(FieldProblem(pointer, "wrong_type", "must be a number"))
            return 0.0

    draft["title"] = form.get("title", "").strip()
    draft["slots"] = int(number("slots", "/slots", form.get("slots", "8")))
    strategies = []
    for place, strategy in enumerate(draft.get("strategies", [])):
        if form.get(f"drop_{place}"):
            continue
        at = f"/strategies/{place}/weight"
        weight = number(f"weight_{place}", at, form.get(f"weight_{place}", "1"))
        strategies.append({**strategy, "weight": weight})
    if form.get("add"):
        weight = number("add_weight", "/add_weight", form.get("add_weight") or "1")
        strategies.append({"retriever": form["add"], "weight": weight})
    if problems:
        raise InvalidInput("the draft cannot be kept", problems)
    return {**draft, "strategies": strategies}


def _request(name: str, asked: dict[str, str], draft: Placement) -> PreviewRequest:
    def several(field: str) -> list[str]:
        return [one.strip() for one in asked[field].split(",") if one.strip()]

    return PreviewRequest(
        placement=name,
        visitor=asked["visitor"] or None,
        seed=several("seed"),
        cart=several("cart") or None,
        draft=draft,
    )


def _version(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        problem = FieldProblem("/version", "wrong_type", "must be the number of a version")
        raise InvalidInput("there is no such version", [problem])
    return int(text)


PAGES = (
    Page(
        id="placement_editor",
        path="/placements/{name}/edit",
        title="Edit a placement",
        template="placement_editor.html",
        data=editing,
        scope="rules:edit",
    ),
    Page(
        id="placement_versions",
        path="/placements/{name}/compare",
        title="Versions of a placement",
        template="compared.html",
        data=compared,
    ),
)


def _action(name: str, act: Any, scope: str, page: str = "") -> Action:
    path = f"/placements/{{name}}/{name}"
    return Action(id=f"placement_{name}", path=path, act=act, scope=scope, page=page)


ACTIONS = (
    _action("draft", save, "rules:edit", "placement_editor"),
    _action("publish", publish, "rules:publish", "placement_editor"),
    _action("discard", discard, "rules:edit"),
    _action("rollback", roll_back, "rules:publish"),
)
