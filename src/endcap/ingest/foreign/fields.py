"""Reading fields of objects that somebody else made, and saying which one is wrong."""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.money import exponent, is_currency
from endcap.core.times import format_time

Fields = dict[str, Any]
Mapper = Callable[[Mapping[str, Any]], list[Fields]]
"""From one foreign object to our event's JSON fields; an object that is no event gives none.

Raises InvalidInput naming the field.
"""


def bad(pointer: str, message: str) -> InvalidInput:
    """The error for one field."""
    return InvalidInput("cannot be mapped", [FieldProblem(pointer, "wrong_type", message)])


def text(source: Mapping[str, Any], *names: str) -> str | None:
    """The first of the fields that is there, as text; numbers are taken as they are written."""
    for name in names:
        value = source.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            raise bad(f"/{name}", "must be a text or a number")
        return str(value)
    return None


def objects(source: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects; empty when the field is not there."""
    value = source.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise bad(f"/{name}", "must be a list of objects")
    return value


def child(source: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object inside; empty when the field is not there."""
    value = source.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise bad(f"/{name}", "must be an object")
    return value


def money(value: str | None, currency: str | None, pointer: str) -> str | None:
    """An amount as a decimal text, rounded to the currency's places.

    Others send floats (3.3333333333333335), so what has more places is rounded, half up.
    """
    if value is None:
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation as error:
        raise bad(pointer, f"`{value[:50]}` is no number") from error
    if not amount.is_finite() or abs(amount) > 10**12:
        raise bad(pointer, "must be a finite number")
    places = exponent(currency) if currency and is_currency(currency) else 2
    return str(amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def whole(value: str | None, pointer: str, default: int = 1) -> int:
    """A quantity; `2.0` is 2."""
    if value is None:
        return default
    try:
        return int(Decimal(value))
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise bad(pointer, f"`{value[:50]}` is no number") from error


def moment(micros: str | None, pointer: str) -> str | None:
    """Microseconds since 1970 as ISO 8601."""
    if micros is None:
        return None
    try:
        return format_time(int(micros) // 1_000)
    except (ValueError, OverflowError, OSError) as error:
        raise bad(pointer, "must be microseconds since 1970") from error


def one_each(event: Fields, lines: list[Fields]) -> list[Fields]:
    """An event about one product for each of the lines; ids, where there are any, kept apart."""
    made = []
    for number, line in enumerate(lines, 1):
        own = event | {"products": [line]}
        if "event_id" in event and len(lines) > 1:
            own["event_id"] = f"{event['event_id']}#{number}"
        made.append(own)
    return made


def filled(fields: Mapping[str, Any]) -> Fields:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


SINGLE = frozenset({"view", "click", "cart_add", "cart_remove", "wishlist_add"})


def events_with(event: Fields, lines: list[Fields]) -> list[Fields]:
    """The event with its lines, or one event per line for types that are about one product."""
    event = filled(event)
    if event["type"] in SINGLE:
        return one_each(event, lines)
    return [filled(event | {"products": lines})]
