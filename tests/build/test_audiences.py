"""Who a build counts to a segment is who belongs to it live at that moment."""

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from test_kernels import NOW, SHOP, products_of

from endcap.build.archive import archive, parts
from endcap.build.audiences import Audiences, countable, needed, store_members
from endcap.build.catalogue_export import export_catalogue
from endcap.build.engines.duckdb import DuckEngine
from endcap.core.event import Event, Line, VisitorState
from endcap.core.times import DAY
from endcap.ingest.fold import KEPT, fold
from endcap.recommend.environment import values_of
from endcap.recommend.query import Query
from endcap.recommend.traits import traits_of
from endcap.rules.expression import compile_expression
from endcap.rules.fields import VISITOR_ONLY
from endcap.storage.memory_log import MemoryEventLog
from shop_in_memory import shop

CATEGORIES = {"a": ["Tea"], "b": ["Tea > Green", "Gifts"], "c": ["Cake"], "d": []}
SEGMENTS = {
    "twice": "visitor.orders == 2",
    "spent": "visitor.spend >= 20.0 || visitor.spend < 0.0",
    "away": "visitor.days_since_seen > 10 && visitor.days_since_first_seen < 60.5",
    "waiting": "!(visitor.days_since_order < 20)",
    "tea": "visitor.favourite_category in ['Tea', 'Tea > Green']",
    "no_favourite": "!has(visitor.favourite_category)",
    "phones": "visitor.device == 'mobile' && visitor.zone != 'UK'",
    "friends": "'friend' in visitor.tags && size(visitor.tags) < 3",
    "march": "visitor.known && now.month == 11",
    "ratio": "visitor.spend / visitor.orders > 8.0",
}
TAGS = {
    "v0": frozenset({"friend"}),
    "v1": frozenset({"friend", "press", "vip"}),
    "v9": frozenset({"x"}),
}
KINDS = "view click cart_add wishlist_add purchase refund search impression rate".split()
events = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.integers(0, 3),
        st.sampled_from("abcdx"),
        st.integers(0, 90 * DAY),
        st.sampled_from([None, "UK", "DE"]),
        st.sampled_from([None, "mobile", "desktop"]),
        st.sampled_from(["GBP", "GBP", "EUR"]),
    ),
    max_size=25,
)


def event(n, drawn):
    kind, visitor, product, ago, zone, device, currency = drawn
    return Event(
        shop=SHOP,
        source="t",
        event_id=str(n),
        type=kind,
        visitor=f"v{visitor}",
        zone=zone,
        device=device,
        currency=currency,
        query="tea" if kind == "search" else None,
        occurred_at=NOW - ago,
        received_at=NOW,
        lines=() if kind == "search" else (Line(product, quantity=1 + n % 2, price=500 + n),),
    )


def counted(log, folder):
    """The visitors of each segment, as a build has them."""
    catalogue = products_of(*({"id": i, "categories": c} for i, c in CATEGORIES.items()))
    exported = folder / "exported"
    exported.mkdir(parents=True)
    archive(log, folder / "archive", SHOP, lambda done: None)
    export_catalogue(catalogue, SHOP, exported)
    audiences = Audiences(SEGMENTS, TAGS, "GBP")
    own = countable(audiences)
    assert [one.name for one in own] == list(SEGMENTS)
    with DuckEngine(folder, "500MB", 1) as engine:
        engine.load(parts(folder / "archive"), exported, needed(own, "GBP"))
        store_members(engine, own, audiences, 7, NOW)
        rows = engine.query(
            "SELECT m.audience, v.name FROM members AS m JOIN visitors AS v ON v.number = m.visitor"
        )
        everybody = engine.query("SELECT name FROM visitors")["name"].tolist()
    found = {name: set() for name in SEGMENTS}
    for number, name in zip(rows["audience"].tolist(), rows["name"].tolist(), strict=True):
        found[list(SEGMENTS)[number - 7]].add(name)
    return found, everybody


@settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(drawn=events)
@example(
    drawn=[("impression", 0, "a", 0, None, None, "GBP"), ("view", 2, "a", 0, None, None, "GBP")]
)
def test_a_build_counts_who_is_a_member_live(tmp_path_factory, drawn):
    log = MemoryEventLog()
    made = [event(n, one) for n, one in enumerate(drawn)]
    log.append(made, [])
    found, everybody = counted(log, tmp_path_factory.mktemp("audiences"))
    state = shop([{"id": one, "categories": paths} for one, paths in CATEGORIES.items()])
    # Who only saw or searched something did nothing that could be counted.
    active = {one.visitor for one in made if one.type in KEPT}
    for visitor in sorted(active.intersection(everybody)):
        known = VisitorState()
        fold(known, [one for one in made if one.visitor == visitor])
        tags = TAGS.get(visitor, frozenset())
        traits = traits_of(known, state, NOW, "GBP", tags)
        values = values_of(Query(now=NOW, count=1, traits=traits), state)
        for name, when in SEGMENTS.items():
            live = compile_expression(when, VISITOR_ONLY).holds(values)
            assert (visitor in found[name]) is live, (visitor, name, traits)


def test_a_segment_that_cannot_be_counted_is_left_out_alone():
    audiences = Audiences({"first": "visitor.tags[0] == 'a'", "plain": "visitor.orders > 1"})
    assert [one.name for one in countable(audiences)] == ["plain"]
    assert needed([], "GBP") == []
