"""From a product as sent to a product that can be stored, or all that is wrong with it."""

import difflib
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from endcap.core.errors import FieldProblem, InvalidInput, MalformedBody
from endcap.core.ids import id_problem
from endcap.core.money import is_currency, to_minor
from endcap.core.pointers import escaped, problem_of, refusal
from endcap.core.product import AttributeValue, Product
from endcap.core.times import parse_time

MAX_INT = 2**31 - 1
LIMITS = {"categories": 20, "attributes": 100, "tags": 100, "zones": 500}
_KEY = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
_DECODER = msgspec.json.Decoder(Product)
_ENCODER = msgspec.json.Encoder()


def decode_product(body: bytes, product: str | None, currency: str) -> Product:
    """Read, check and complete a product; `product` is the id the address names.

    A price without a currency takes `currency`. Raises MalformedBody or InvalidInput with every
    problem.
    """
    fields = decode_object(body)
    if product is not None:
        fields.setdefault("id", product)
    return checked(converted(fields), product, currency)


def decode_object(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises MalformedBody when the body is not JSON, InvalidInput for no object."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal(error, body, "the body must be a JSON object") from error


def converted(fields: dict[str, Any]) -> Product:
    """Fields as a product. Raises InvalidInput naming the field."""
    try:
        # Decoded again from JSON, because a converted float keeps digits that were never sent.
        return _DECODER.decode(_ENCODER.encode(fields))
    except msgspec.ValidationError as error:
        problem = problem_of(error)
        if problem.code == "unknown_field":
            name = problem.pointer.rpartition("/")[2]
            near = difflib.get_close_matches(name, Product.__struct_fields__, 1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            message = f"no field `{name}`{hint} Free fields go into `attributes`."
            problem = FieldProblem(problem.pointer, problem.code, message)
        raise InvalidInput("the product cannot be read", [problem]) from error
    except (msgspec.DecodeError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise MalformedBody(f"the body is not valid JSON: {error}") from error


def checked(given: Product, product: str | None, currency: str) -> Product:
    """The product with its currency set and its paths in order. Raises InvalidInput."""
    problems = list(_problems(given, product))
    priced = any(price is not None for price in (given.price, given.list_price, given.cost)) or any(
        zone.price is not None for zone in given.zones.values()
    )
    if priced and given.currency is None:
        given.currency = currency
    problems += _money(given)
    given.categories = [" > ".join(_levels(path)) for path in given.categories]
    if problems:
        raise InvalidInput("the product cannot be taken", problems)
    return given


def canonical(product: Product) -> bytes:
    """The product as stored: JSON with the fields in one order, defaults left out."""
    return _ENCODER.encode(product)


def merged(document: bytes, patch: bytes) -> dict[str, Any]:
    """The document changed by a JSON merge patch (RFC 7396): null removes, objects merge."""
    fields: dict[str, Any] = msgspec.json.decode(document)
    return _merge(fields, decode_object(patch))


def _merge(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        elif isinstance(value, dict):
            before = target.get(name)
            target[name] = _merge(before if isinstance(before, dict) else {}, value)
        else:
            target[name] = value
    return target


def _problems(given: Product, product: str | None) -> Iterator[FieldProblem]:
    if product is not None and given.id != product:
        yield FieldProblem("/id", "differs", "is not the id in the address")
    yield from _ids(given)
    yield from _texts(given)
    for name, limit in LIMITS.items():
        count = len(getattr(given, name))
        if count > limit:
            yield FieldProblem(f"/{name}", "too_many", f"has {count}, at most {limit}")
    for place, path in enumerate(given.categories):
        levels = _levels(path)
        good = all(level and len(level) <= 100 and level.isprintable() for level in levels)
        if not good or len(levels) > 8:
            message = "must be up to 8 levels of 1 to 100 characters, like `Home > Kitchen`"
            yield FieldProblem(f"/categories/{place}", "invalid", message)
    for key, value in given.attributes.items():
        if not _KEY.fullmatch(key):
            message = "a name must be 1 to 64 of letters, digits, `_`, `.`, `-`"
            yield FieldProblem(f"/attributes/{escaped(key)}", "invalid_name", message)
        elif problem := _attribute(value):
            yield FieldProblem(f"/attributes/{key}", "invalid", problem)
    yield from _numbers(given)
    yield from _dates(given)


def _ids(given: Product) -> Iterator[FieldProblem]:
    named = [("/id", given.id), ("/group", given.group), ("/brand", given.brand)]
    named += [(f"/tags/{place}", tag) for place, tag in enumerate(given.tags)]
    named += [(f"/zones/{escaped(zone)}", zone) for zone in given.zones]
    if given.links is not None:
        for kind in ("accessories", "upgrades"):
            ids = getattr(given.links, kind)
            named += [(f"/links/{kind}/{place}", one) for place, one in enumerate(ids)]
        members = enumerate(given.links.bundle)
        named += [(f"/links/bundle/{place}/id", member.id) for place, member in members]
    for pointer, value in named:
        if value is not None and (problem := id_problem(value, pointer)):
            yield problem


def _texts(given: Product) -> Iterator[FieldProblem]:
    if len(given.title) > 500 or (given.title and not given.title.isprintable()):
        yield FieldProblem("/title", "invalid", "must be up to 500 printable characters")
    text = given.description or ""
    plain = text.replace("\n", "").replace("\r", "").replace("\t", "")
    if len(text) > 20_000 or (plain and not plain.isprintable()):
        yield FieldProblem("/description", "invalid", "must be up to 20,000 printable characters")
    for name in ("url", "image"):
        value = getattr(given, name)
        if value is None:
            continue
        begins = value.startswith(("https://", "http://", "/"))
        if not begins or len(value) > 2_000 or not value.isprintable():
            yield FieldProblem(f"/{name}", "invalid", "must be an http(s) address or begin with /")


def _attribute(value: AttributeValue) -> str | None:
    values = value if isinstance(value, list) else [value]
    if len(values) > 50:
        return f"has {len(values)} values, at most 50"
    for one in values:
        if isinstance(one, str):
            if not 1 <= len(one) <= 500 or not one.isprintable():
                return "must be 1 to 500 printable characters"
        elif isinstance(one, float):
            if not math.isfinite(one):
                return "must be a finite number"
        elif abs(one) > 2**53:
            return "must be within 2^53, the range every JSON reader keeps exactly"
    return None


def _numbers(given: Product) -> Iterator[FieldProblem]:
    if given.rating is not None and not 0 <= given.rating <= 5:
        yield FieldProblem("/rating", "out_of_range", "must be 0 to 5")
    counts: list[tuple[str, int | None]] = [
        ("/rating_count", given.rating_count),
        ("/stock", given.stock),
    ]
    counts += [(f"/zones/{escaped(name)}/stock", zone.stock) for name, zone in given.zones.items()]
    for pointer, value in counts:
        if value is not None and not 0 <= value <= MAX_INT:
            yield FieldProblem(pointer, "out_of_range", f"must be 0 to {MAX_INT:,}")


def _dates(given: Product) -> Iterator[FieldProblem]:
    moments: list[int] = []
    for name in ("available_from", "available_until"):
        value = getattr(given, name)
        if value is None:
            continue
        try:
            moments.append(parse_time(value))
        except ValueError:
            message = "must be ISO 8601, like 2026-01-31T12:00:00Z"
            yield FieldProblem(f"/{name}", "invalid", message)
    if len(moments) == 2 and moments[0] >= moments[1]:
        yield FieldProblem("/available_until", "out_of_range", "must be after available_from")


def _money(given: Product) -> Iterator[FieldProblem]:
    currency = given.currency
    if currency is None:
        return
    if not is_currency(currency):
        yield FieldProblem("/currency", "invalid", "must be ISO 4217, like EUR")
        return
    amounts: list[tuple[str, Decimal | None]] = [
        ("/price", given.price),
        ("/list_price", given.list_price),
        ("/cost", given.cost),
    ]
    amounts += [(f"/zones/{escaped(name)}/price", zone.price) for name, zone in given.zones.items()]
    for pointer, amount in amounts:
        if amount is None:
            continue
        try:
            if to_minor(amount, currency) < 0:
                yield FieldProblem(pointer, "out_of_range", "must not be negative")
        except ValueError as error:
            yield FieldProblem(pointer, "invalid", str(error))


def _levels(path: str) -> list[str]:
    return [level.strip() for level in path.split(">")]
