"""The facets of a product are the facets by which columns find it again."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.recommend.affinity import FacetReader
from shop_in_memory import product, shop

values = st.one_of(
    st.sampled_from(["red", "blue", "1.5"]),
    st.integers(0, 3),
    st.booleans(),
    st.lists(st.sampled_from(["red", "blue", "x"]), min_size=1, max_size=3, unique=True),
)
products = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "brand": st.sampled_from(["Acme", "Zen"]),
            "categories": st.lists(
                st.sampled_from(["Home > Kitchen", "Home", "Garden"]), max_size=2, unique=True
            ),
            "price": st.sampled_from(["0.50", "9.99", "10.00", "120"]),
            "attributes": st.dictionaries(st.sampled_from(["colour", "size"]), values, max_size=2),
        },
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=80, deadline=None)
@given(products)
def test_a_row_has_exactly_the_facets_that_find_it(made):
    state = shop([product(f"p{n}", currency="EUR", **fields) for n, fields in enumerate(made)])
    rows = np.arange(len(made), dtype=np.int32)
    own = [dict(state.cards.facets(row)) for row in rows.tolist()]
    for facet in {facet for facets in own for facet in facets}:
        having = [facet in facets for facets in own]
        assert FacetReader(rows, state).has(facet).tolist() == having, facet


def test_what_is_no_facet_finds_nothing():
    state = shop([product("a", price="5", attributes={"size": 3})])
    rows = np.array([0], np.int32)
    for facet in (
        "brand:Nobody",
        "category:Nowhere",
        "price:much",
        "size:large",
        "shape:round",
        "",
    ):
        assert FacetReader(rows, state).has(facet).tolist() == [False]
