"""The parameters of a build: gates, caps and windows; low defaults, so a young shop is served."""

import msgspec

from endcap.core.errors import ConfigurationError
from endcap.core.times import MINUTE


class Following(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one kind of transition is weighted; see `build.transitions` for the formula."""

    reach: int = 10
    fade: float = 1.0
    backward: float = 0.6
    recency: float = 0.8
    niche: float = 0.1
    partners: int = 100


class BuildParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of the kernels; all are printed in the snapshot's manifest.

    Gates: a pair needs `min_pairs` units that hold both, its product `min_orders` units, and a
    lift of `min_lift`. Caps bound the work: the `max_products_per_visitor` most recent products of
    a visitor count, baskets above `max_basket_lines` products are left out (wholesale), a visit
    counts `max_session_products`. `bought_window_days` is the longest time between two purchases
    of one visitor that still make a pair. `shrink` and `popularity_offset` are added to the totals
    of the two products, and `niche` is the exponent on the partner's total: 0 favours popular
    partners, 1 niche ones. `similar_pairs` is about how many pairs of products with a feature in
    common are compared.

    `trend_hours` is the recent stretch of a trend, `trend_stretches` how many such stretches before
    it are its baseline; where no product has `trend_volume` visitors in one, weeks are compared.
    `min_intervals` repeat purchases make a product's own repurchase interval. A look or a purchase
    counts for a search of at most `search_window_ms` before it. Each zone and cohort keeps its
    `max_audience` best sellers; `new_days`, `loyal_orders`, `lapsed_days` and `big_spend` (minor
    units) say who is new, loyal, lapsed and a big spender; by default they are the ready segments
    of these names. Sessions end after `session_minutes` without a click unless the shop sent a
    session id; the newest `max_sessions` count with their last `max_session_clicks` clicks, and per
    product the `session_postings` newest are kept. Customers' baskets count `basket_decay` to the
    power of their number since, at most `max_baskets`; per product `customer_postings` of the
    newest `max_customers` customers are kept. `following` are the kinds of transition.
    """

    min_pairs: int = 2
    min_orders: int = 2
    min_lift: float = 1.0
    max_partners: int = 100
    bought_window_days: int = 365
    max_products_per_visitor: int = 500
    max_basket_lines: int = 2_000
    max_session_products: int = 100
    shrink: float = 10.0
    popularity_offset: float = 5.0
    niche: float = 0.2
    similar_pairs: int = 40_000_000
    windows: tuple[int, ...] = (1, 7, 30, 365)
    weight_purchase: float = 1.0
    weight_cart: float = 0.3
    weight_view: float = 0.05
    trend_hours: int = 24
    trend_stretches: int = 28
    trend_volume: int = 5
    min_intervals: int = 5
    search_window_ms: int = 30 * MINUTE
    max_audience: int = 1_000
    new_days: int = 7
    loyal_orders: int = 3
    lapsed_days: int = 180
    big_spend: int = 50_000
    session_minutes: int = 30
    max_sessions: int = 5_000_000
    max_session_clicks: int = 100
    session_postings: int = 1_000
    basket_decay: float = 0.9
    max_baskets: int = 50
    max_customers: int = 2_000_000
    customer_postings: int = 2_000
    following: dict[str, Following] = msgspec.field(
        default_factory=lambda: {
            "next": Following(),
            "near": Following(fade=0.8, niche=0.4, partners=50),
        }
    )

    def __post_init__(self) -> None:
        for field in msgspec.structs.fields(type(self)):
            value = getattr(self, field.name)
            if isinstance(value, int | float) and value < 0:
                raise ConfigurationError(f"build.{field.name}: {value} is below 0")
        if not self.windows or min(self.windows) < 1:
            raise ConfigurationError("build.windows: needs whole days of at least 1")
