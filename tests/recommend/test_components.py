"""Laws that every component found in the tree obeys, and how a wrong one is refused."""

from types import ModuleType

import msgspec
import numpy as np
import pytest

from endcap.core.answer import Reason
from endcap.core.errors import ConfigurationError
from endcap.core.merchant import CuratedList, Offer
from endcap.core.times import DAY
from endcap.recommend import retrievers
from endcap.recommend.merchant import ActiveOffer
from endcap.recommend.query import KIND, Query, Trail
from endcap.recommend.registry import Components, Registry
from endcap.recommend.stages import Retriever
from shop_in_memory import product, shop

COMPONENTS = Components()
NOW = 100 * DAY
# Each is a little dearer than the one before; a pack holds two of them and saves a little.
PRODUCTS = [
    product(i, title=i.upper(), brand="Acme", categories=["A"], price=f"1.{n}0", currency="EUR")
    for n, i in enumerate("abcde")
] + [
    product(
        "f",
        price="2.00",
        currency="EUR",
        links={"bundle": [{"id": "a"}, {"id": "b"}]},
    )
]
PRODUCTS[0]["links"] = {"accessories": ["d"], "upgrades": ["e"]}
PAIRS = {"a": [("b", 4.0, 40), ("c", 2.0, 20), ("d", 2.0, 10)], "b": [("a", 1.0, 2)]}
RELATIONS = dict.fromkeys(("also_bought", "bought_together", "also_viewed", "similar"), PAIRS)
every_retriever = pytest.mark.parametrize("name", sorted(COMPONENTS.retrievers.found))
every_component = pytest.mark.parametrize(
    ("kind", "name"),
    [
        (registry.kind, name)
        for registry in (COMPONENTS.retrievers, COMPONENTS.filters, COMPONENTS.rerankers)
        for name in sorted(registry.found)
    ],
)


def full_tables():
    """Everything a build counts, for the products a to f."""
    best = {"product": ints(1, 2), "buyers": ints(3, 2), "viewers": ints(3, 2)}
    searched = {"product": ints(1, 2), "clicks": ints(4, 1), "carts": ints(1, 0)}
    return {
        "trend": {
            "recent": ints(0, 30, 9, 0, 0, 0),
            "baseline": ints(5, 40, 10, 0, 0, 0),
            "shape": np.array([DAY, 10, NOW]),
        },
        "repurchase": {
            "days": np.full(6, 30.0),
            "intervals": np.full(6, 8),
            "basis": np.full(6, 1),
        },
        "searched": {
            **searched,
            "purchases": ints(2, 0),
            "score": np.array([3.3, 0.2]),
            "offsets": ints(0, 2),
        },
        "audience.30d": {**best, "score": np.array([3.0, 2.0]), "offsets": ints(0, 2)},
    }


def ints(*values):
    return np.array(values, np.int32)


def full_state():
    texts = {"terms": ["blue mug"], "audiences": ["zone:UK"]}
    visits = [["c", "b", "f"], ["a", "d"], ["c", "d", "c", "b"], ["b", "e"]]
    popular = {"a": 1, "b": 5, "c": 3}
    state = shop(PRODUCTS, RELATIONS, popular, full_tables(), texts, visits)
    state.merchant.lists["featured"] = CuratedList(title="Our picks", products=("c", "b", "gone"))
    offer = Offer(title="Two for one", products=("d", "e"))
    state.merchant.offers["two"] = ActiveOffer(offer, 1)
    return state


def full_query(state):
    rows = state.columns.rows
    trail = Trail(
        rows("cde"),
        np.array([KIND["view"], KIND["view"], KIND["purchase"]], np.int8),
        np.array([NOW - DAY, NOW - 2 * DAY, NOW - 31 * DAY]),
    )
    return Query(
        now=NOW,
        count=4,
        seeds=rows("a"),
        cart=rows("b"),
        viewed=rows("cd"),
        bought=rows("e"),
        owned=rows("e"),
        trail=trail,
        search="Blue MUG",
        zone="UK",
        session=rows("cdc"),
    )


def allow_all(state):
    return lambda rows: state.columns.alive[rows]


def test_there_are_components():
    assert {"popular", "also_bought", "bought_together", "similar", "recently_viewed"} <= set(
        COMPONENTS.retrievers.found
    )
    assert "available" in COMPONENTS.filters.found


@every_component
def test_options_have_defaults_and_round_trip(kind, name):
    registry = getattr(COMPONENTS, f"{kind}s")
    made = registry.make({kind: name}, "")
    data = msgspec.to_builtins(made)
    assert registry.make({kind: name, **data}, "") == made


@every_component
def test_it_says_what_it_is(kind, name):
    component = getattr(COMPONENTS, f"{kind}s").found[name]
    assert component.__doc__
    assert __import__(component.__module__, fromlist=["x"]).__doc__


@every_retriever
def test_an_empty_shop_gives_nothing(name):
    state = shop([])
    found = COMPONENTS.retrievers.found[name]().retrieve(
        Query(now=0, count=4), state, allow_all(state), 10
    )
    assert len(found.items) == 0


@every_retriever
def test_it_finds_something_and_explains_each(name):
    state = full_state()
    retriever = COMPONENTS.retrievers.found[name]()
    found = retriever.retrieve(full_query(state), state, allow_all(state), 10)
    assert len(found.items) > 0
    assert len(found.items) == len(found.scores) == len(set(found.items.tolist()))
    for place in range(len(found.items)):
        reason = retriever.reason(state, found.evidence, place)
        assert isinstance(reason, Reason)
        assert reason.text
        assert reason.code
        msgspec.json.encode(reason)


@every_retriever
def test_it_proposes_only_what_is_allowed(name):
    state = full_state()
    retriever = COMPONENTS.retrievers.found[name]()
    everything = retriever.retrieve(full_query(state), state, allow_all(state), 10)
    barred = int(everything.items[0])
    found = retriever.retrieve(full_query(state), state, lambda rows: rows != barred, 10)
    assert barred not in found.items.tolist()


@every_retriever
def test_the_same_question_has_the_same_answer(name):
    state = full_state()
    retriever = COMPONENTS.retrievers.found[name]()
    one, two = (
        retriever.retrieve(full_query(state), state, allow_all(state), 10) for _ in range(2)
    )
    assert one.items.tolist() == two.items.tolist()
    assert one.scores.tolist() == two.scores.tolist()


def module_with(**members):
    module = ModuleType("plugin")
    for name, member in members.items():
        member.__module__ = "plugin"
        setattr(module, name, member)
    return module


def test_two_components_in_a_file_are_refused():
    one, two = (type(n, (Retriever,), {}, frozen=True) for n in ("One", "Two"))
    registry = Registry("retriever", retrievers, Retriever)
    with pytest.raises(ConfigurationError, match="plugin has 2 retrievers"):
        registry.add("plugin", module_with(one=one, two=two))


def test_a_name_taken_twice_is_refused():
    one = type("One", (Retriever,), {}, frozen=True)
    registry = Registry("retriever", retrievers, Retriever)
    with pytest.raises(ConfigurationError, match="`popular` is taken"):
        registry.add("popular", module_with(one=one))


def test_an_option_without_default_is_refused():
    one = msgspec.defstruct("One", [("size", int)], bases=(Retriever,), frozen=True, kw_only=True)
    registry = Registry("retriever", retrievers, Retriever)
    with pytest.raises(ConfigurationError, match="every option needs a default"):
        registry.add("plugin", module_with(one=one))
