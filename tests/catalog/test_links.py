from endcap.catalog.links import LinkIndex
from endcap.core.product import BundleMember, Links, Product


def bundle(*members):
    return Product(id="kit", links=Links(bundle=[BundleMember(id=m) for m in members]))


def test_bundles_are_found_by_what_is_inside():
    index = LinkIndex()
    index.fill(4, bundle("pan", "lid"))
    index.fill(2, bundle("pan"))
    assert index.holding("pan") == [2, 4]
    assert index.holding("lid") == [4]
    assert index.holding("cup") == []


def test_a_change_takes_the_place_of_the_links_before():
    index = LinkIndex()
    index.fill(4, bundle("pan", "lid"))
    index.fill(4, bundle("lid"))
    assert index.holding("pan") == []
    assert index.holding("lid") == [4]
    index.fill(4, Product(id="kit"))
    assert index.holding("lid") == []
    assert not index.bundles


def test_links_keep_their_order_and_lose_repeats():
    index = LinkIndex()
    index.fill(1, Product(id="a", links=Links(accessories=["c", "b", "c"], upgrades=["d"])))
    assert index.accessories[1] == ("c", "b")
    assert index.upgrades[1] == ("d",)
