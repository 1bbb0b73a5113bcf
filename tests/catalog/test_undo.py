"""Columns taken back to what they were equal columns that never saw the later changes."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.catalog.columns import Columns
from endcap.catalog.undo import Undo
from endcap.core.product import ProductDocument

FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "stock": st.integers(0, 3),
        "brand": st.sampled_from(["X", "Y"]),
        "categories": st.lists(st.sampled_from(["A", "A > B", "C"]), max_size=3, unique=True),
        "price": st.sampled_from(["1.00", "2.50"]),
        "tags": st.lists(st.sampled_from(["t", "u"]), max_size=2, unique=True),
        "attributes": st.dictionaries(st.sampled_from(["colour", "size"]), st.sampled_from("rgb")),
    },
)
CHANGES = st.lists(
    st.tuples(st.sampled_from("abcde"), st.one_of(st.none(), FIELDS)), min_size=1, max_size=12
)


def documents(changes):
    version: dict[str, int] = {}
    for change, (name, fields) in enumerate(changes, 1):
        version[name] = version.get(name, 0) + 1
        body = msgspec.json.encode({"id": name, "currency": "EUR", **(fields or {})})
        yield ProductDocument(name, version[name], change, 0, fields is None, body)


def seen(columns):
    """What a request can see: per live product its values."""
    live = {}
    for row, name in enumerate(columns.ids):
        if columns.alive[row]:
            live[name] = {
                "brand": columns.names.names[columns.brand[row]],
                "stock": int(columns.stock[row]),
                "price": int(columns.price[row]),
                "sellable": bool(columns.sellable[row]),
                "version": int(columns.version[row]),
                "body": columns.body(row),
                "categories": sorted(
                    columns.tree.symbols.names[code] for code in columns.categories[row] if code
                ),
            }
    return live


@settings(max_examples=200, deadline=None)
@given(CHANGES, st.data())
def test_the_past_is_what_it_was(changes, data):
    made = list(documents(changes))
    start = data.draw(st.integers(0, len(made)))
    target = data.draw(st.integers(start, len(made)))
    live, then = Columns(), Columns()
    live.apply(made[:start])
    undo = Undo(live)
    for document in made[start:]:
        undo.before([document.id], document.change)
        live.apply([document])
    then.apply(made[:target])
    now = seen(live)
    past = undo.at(target)
    assert past is not None
    assert seen(past) == seen(then)
    assert seen(live) == now
    if start:
        assert undo.at(start - 1) is None


def test_what_is_too_long_ago_is_not_known():
    made = list(documents([("a", {"stock": n % 4}) for n in range(30)]))
    live = Columns()
    undo = Undo(live, limit=10)
    for document in made:
        undo.before([document.id], document.change)
        live.apply([document])
    assert undo.at(15) is None
    past = undo.at(22)
    assert past is not None
    assert past.stock[0] == 21 % 4
