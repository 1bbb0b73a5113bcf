"""Which offers a request gets, and which are kept back from its visitor as the control."""

import hashlib
from typing import NamedTuple

from endcap.catalog.arrays import IntArray
from endcap.core.answer import OfferView
from endcap.core.merchant import Offer

from .merchandising import RequestRules
from .merchant import ActiveOffer
from .query import Query, State


class Chosen(NamedTuple):
    """Offers to make, the first ones first, and names of those withheld."""

    made: list[tuple[str, ActiveOffer]]
    withheld: list[str]


def choose(query: Query, state: State) -> Chosen:
    """The offers whose conditions the request meets; one decision for the whole request.

    A slate that is made again takes the offers that were decided on then.
    """
    if query.chosen is None:
        query.chosen = _decided(query, state) if query.offers is not None else _choose(query, state)
    chosen: Chosen = query.chosen
    return chosen


def decided(query: Query) -> tuple[tuple[str, int], ...]:
    """Names and versions of the offers decided on, the first ones first; none if nobody asked."""
    chosen: Chosen | None = query.chosen
    return () if chosen is None else tuple((name, one.version) for name, one in chosen.made)


def _decided(query: Query, state: State) -> Chosen:
    offers = state.merchant.offers
    return Chosen([(name, offers[name]) for name, _ in query.offers or () if name in offers], [])


def _choose(query: Query, state: State) -> Chosen:
    made: list[tuple[str, ActiveOffer]] = []
    withheld: list[str] = []
    for name, active in state.merchant.offers.items():
        if not _meant(active, query) or not _left(name, active.offer, query, state):
            continue
        if query.visitor and kept_back(name, query.visitor, active.offer.holdout):
            withheld.append(name)
        else:
            made.append((name, active))
    made.sort(key=lambda one: (-one[1].offer.priority, one[0]))
    return Chosen(made, sorted(withheld))


def carried(
    chosen: Chosen, rows: IntArray, rules: RequestRules, query: Query, state: State
) -> list[OfferView]:
    """The offers that an answer with these rows carries.

    One about products is carried when it shows one of them; one without is carried as it is, or
    on the products that a rule puts it on.
    """
    ids = [state.columns.ids[row] for row in rows.tolist()]
    found: list[OfferView] = []
    ruled = {rule.effect.offer: rule for rule in rules.offers}  # type: ignore[union-attr]
    for name, active in chosen.made:
        products = [one for one in ids if one in active.offer.products]
        rule = ruled.get(name)
        if rule is not None and len(rows):
            matched = rule.matches(rows, query, state).tolist()
            products += [o for o, m in zip(ids, matched, strict=True) if m and o not in products]
        if products or not (active.offer.products or rule is not None):
            offer = active.offer
            found.append(
                OfferView(name, active.version, offer.title, offer.text, said(offer), products)
            )
    return found


def said(offer: Offer) -> str | None:
    """The discount in words."""
    discount = offer.discount
    if discount is None:
        return None
    if discount.percent is not None:
        return f"{discount.percent:g} %"
    return f"{discount.amount} {discount.currency or ''}".strip()


def kept_back(offer: str, visitor: str, part: float) -> bool:
    """Whether the visitor belongs to the control of the offer; always the same answer."""
    if part <= 0:
        return False
    digest = hashlib.blake2b(f"{offer}\0{visitor}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) < part * 2**64


def _meant(active: ActiveOffer, query: Query) -> bool:
    offer = active.offer
    if not offer.enabled or (active.holds is not None and not active.holds(query.now)):
        return False
    if offer.zones and query.zone not in offer.zones:
        return False
    if offer.placements and query.placement not in offer.placements:
        return False
    return not offer.segments or not query.traits.segments.isdisjoint(offer.segments)


def _left(name: str, offer: Offer, query: Query, state: State) -> bool:
    """Whether budget and cap allow it once more; a stranger's cap cannot be kept."""
    ledger = state.merchant.ledger
    if offer.budget is not None:
        if ledger.shared and not ledger.left(name):
            return False
        logged = state.joined.offers_made.get(name, 0) + state.tail.offers[name]
        if ledger.total(name, logged) >= offer.budget:
            return False
    if offer.per_visitor is None:
        return True
    if not query.visitor or not ledger.knows(query.visitor):
        return False
    return ledger.times(name, query.visitor, query.now, offer.per_days) < offer.per_visitor
