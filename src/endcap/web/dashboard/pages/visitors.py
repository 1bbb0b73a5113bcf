"""Visitors: what one did, what is known, what we would show now, and their rights."""

import msgspec
from starlette.responses import Response

from endcap.core.consent import PURPOSES, Consent, ConsentView
from endcap.core.erasure import Erasure
from endcap.core.errors import FieldProblem, InvalidInput, VisitorErased
from endcap.core.event import Event
from endcap.core.merchant import Profile
from endcap.core.preview import Preview, PreviewRequest
from endcap.web.dashboard.page import Action, Page, PageCall

HOME = "/dashboard/visitors"
SHOWN = 100


class Step(msgspec.Struct, frozen=True):
    """One event of the timeline."""

    at: int
    type: str
    products: list[str]
    query: str | None
    placement: str | None
    token: str | None


class Person(msgspec.Struct, frozen=True):
    """One visitor; `known_as` is the start of the pseudonym."""

    known_as: str
    events: list[Step]
    segments: list[str]
    preview: Preview
    profile: Profile
    consent: ConsentView


class Visitors(msgspec.Struct, frozen=True):
    """The visitor asked for, if any, and the erasures that were asked for."""

    asked: str
    placement: str
    placements: list[str]
    person: Person | None
    erasures: list[Erasure]
    purposes: tuple[str, ...] = PURPOSES


async def visitors(call: PageCall) -> Visitors:
    """One visitor by the id that the shop knows; reading it is written to the audit log."""
    services, shop = call.services, call.shop
    asked = (call.form.get("id") or call.query.get("id", "")).strip()
    placements = [view.name for view in await services.placements.list(shop)]
    placement = call.query.get("placement") or ("home" if "home" in placements else "")
    person = await _person(call, asked, placement) if asked else None
    erasures = await services.privacy.erasures.all(shop)
    erasures.sort(key=lambda one: -one.requested_at)
    return Visitors(asked, placement, placements, person, erasures[:20])


async def _person(call: PageCall, visitor: str, placement: str) -> Person:
    services, shop = call.services, call.shop
    call.about_visitor = visitor
    name, events = await services.privacy.latest(shop, visitor, SHOWN)
    request = PreviewRequest(placement=placement or "home", visitor=visitor)
    preview = await services.previews.preview(shop, request)
    return Person(
        known_as=name[:8],
        events=[_step(event) for event in events],
        segments=preview.segments,
        preview=preview,
        profile=await _profile(call, visitor),
        consent=await services.privacy.consent(shop, visitor),
    )


async def _profile(call: PageCall, visitor: str) -> Profile:
    """The visitor's affinities; none while the visitor is being erased."""
    try:
        return await call.services.visitors.profile(call.shop, visitor)
    except VisitorErased:
        return Profile([], [], 0)


def _step(event: Event) -> Step:
    products = [line.product for line in event.lines[:8]]
    return Step(event.occurred_at, event.type, products, event.query, event.placement, event.token)


async def choose(call: PageCall) -> Response:
    """Keep what the visitor chose."""
    visitor = _visitor(call)
    given = {purpose: call.form.get(purpose, "unknown") for purpose in PURPOSES}
    try:
        choice = msgspec.convert(given, Consent)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"the choice cannot be taken: {error}") from error
    await call.services.privacy.choose(call.shop, visitor, choice, call.caller.audited_as)
    return call.go(HOME, id=visitor, said="The choice is kept.")


async def mute(call: PageCall) -> Response:
    """Mute a facet of the profile, or listen to it again."""
    visitor, facet = _visitor(call), call.form.get("facet", "")
    profile = await call.services.visitors.profile(call.shop, visitor)
    muted = [one for one in profile.muted if one != facet]
    if facet not in profile.muted:
        muted.append(facet)
    await call.services.visitors.correct(call.shop, visitor, {"muted": muted})
    return call.go(HOME, id=visitor, said="The profile is changed.")


async def erase(call: PageCall) -> Response:
    """Erase the visitor, or keep the events without the person; typed again to be sure."""
    visitor = _visitor(call)
    if call.form.get("again", "").strip() != visitor:
        problem = FieldProblem("/again", "invalid", "type the same id once more")
        raise InvalidInput("nothing was erased", [problem])
    mode = "anonymise" if call.form.get("mode") == "anonymise" else "erase"
    done = await call.services.privacy.erase(call.shop, visitor, mode)  # type: ignore[arg-type]
    return call.go(HOME, said=f"The erasure {done.id} is {done.state}.")


def _visitor(call: PageCall) -> str:
    visitor = call.form.get("id", "").strip()
    if not visitor:
        problem = FieldProblem("/id", "missing", "name the visitor")
        raise InvalidInput("there is no visitor to act on", [problem])
    call.about_visitor = visitor
    return visitor


PAGES = (
    Page(
        id="visitors",
        path="/visitors",
        title="Visitors",
        template="visitors.html",
        data=visitors,
        scope="privacy:erase",
        group="Understand",
        place=20,
    ),
)


def _action(name: str, act: object) -> Action:
    return Action(
        id=f"visitor_{name}",
        path=f"/visitors/{name}",
        act=act,  # type: ignore[arg-type]
        scope="privacy:erase",
        page="visitors",
    )


ACTIONS = (_action("consent", choose), _action("mute", mute), _action("erase", erase))
