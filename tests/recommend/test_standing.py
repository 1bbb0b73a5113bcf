"""Flags kept over the catalogue say what the filters themselves would say, whatever changes."""

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.core.product import ProductDocument
from endcap.core.times import format_time
from endcap.recommend.eligibility import Eligibility
from endcap.recommend.filters.available import Available
from endcap.recommend.filters.not_in_cart import NotInCart
from endcap.recommend.plan import Plan
from endcap.recommend.query import Query, State
from endcap.recommend.stages import NamedFilter
from endcap.recommend.standing import Standing
from endcap.relations.joined import Joined
from shop_in_memory import Cards, Columns

FILTERS = (NamedFilter("available", Available()), NamedFilter("not_in_cart", NotInCart()))
PLAN = Plan(
    name="p",
    version=1,
    slots=4,
    personal=True,
    blend="weighted",
    boost_cap=2,
    strategies=(),
    filters=FILTERS,
    rerankers=(),
    fallback=(),
)
DAY = 86_400_000

dates = st.none() | st.integers(1, 9).map(lambda day: format_time(day * DAY))
changes = st.builds(
    dict,
    id=st.sampled_from("abcdef"),
    stock=st.integers(0, 2),
    available_from=dates,
    available_until=dates,
    zones=st.dictionaries(
        st.sampled_from(["NO", "DE"]), st.fixed_dictionaries({"stock": st.integers(0, 1)})
    ),
)
looks = st.tuples(
    st.integers(0, 10 * DAY), st.sampled_from([None, "NO", "DE"]), st.sets(st.sampled_from("abz"))
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(changes | st.sampled_from("abcdef"), looks), min_size=1, max_size=30))
def test_kept_flags_are_what_the_filters_say(steps):
    columns = Columns()
    state = State(columns, Joined(None, columns), Cards(columns))
    standing = Standing()
    for number, (change, (now, zone, cart)) in enumerate(steps, 1):
        deleted = isinstance(change, str)
        body = b"" if deleted else msgspec.json.encode({k: v for k, v in change.items() if v})
        product = change if deleted else change["id"]
        columns.apply([ProductDocument(product, number, number, 0, deleted, body)])
        query = Query(now=now, count=4, zone=zone, cart=columns.rows(sorted(cart)))
        rows = np.arange(len(columns), dtype=np.int32)
        expected = columns.alive[rows]
        for named in FILTERS:
            expected &= named.filter.keep(rows, query, state)
        with Eligibility(PLAN, query, state, standing) as allow:
            assert allow(rows).tolist() == expected.tolist()
