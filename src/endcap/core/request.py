"""What a shop asks: one slate, or a page of several."""

import msgspec

MAX_COUNT = 100
MAX_PAGE = 1_000


class RecommendationRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One slate to make.

    `seed` are the products the placement is about, `cart` what is in the cart now; left out, the
    cart is the one known from events. `count` None means the placement's own number of slots.
    `fields` are the product fields to return; None means a ready set.
    """

    placement: str
    visitor: str | None = None
    session: str | None = None
    seed: list[str] = []
    cart: list[str] | None = None
    exclude: list[str] = []
    count: int | None = None
    category: str | None = None
    zone: str | None = None
    device: str | None = None
    fields: list[str] | None = None
    explain: bool = False


class PageRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Several slates in one call; `distinct` keeps a product from showing twice on the page.

    With `distinct`, requests are de-duplicated per visitor, in the order given.
    """

    requests: list[RecommendationRequest]
    distinct: bool = True
