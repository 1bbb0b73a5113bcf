from endcap.core.times import DAY
from endcap.recommend.offer_ledger import OfferLedger
from endcap.recommend.offers import kept_back


def test_the_control_is_always_the_same_part():
    visitors = [f"v{n}" for n in range(4_000)]
    kept = [v for v in visitors if kept_back("spring", v, 0.25)]
    assert 900 < len(kept) < 1_100
    assert kept == [v for v in visitors if kept_back("spring", v, 0.25)]
    # A larger part holds the smaller one, and another offer keeps back others.
    assert set(kept) <= {v for v in visitors if kept_back("spring", v, 0.5)}
    assert set(kept) != {v for v in visitors if kept_back("autumn", v, 0.25)}
    assert not any(kept_back("spring", v, 0.0) for v in visitors)


def test_what_was_made_a_moment_ago_counts_before_the_log_has_it():
    ledger = OfferLedger()
    assert ledger.total("a", 5) == 5
    ledger.made(["a"], "v", 1)
    ledger.made(["a"], "v", 2)
    assert ledger.total("a", 5) == 7
    # The log catches up, and then other processes' come on top.
    assert ledger.total("a", 7) == 7
    assert ledger.total("a", 9) == 9


def test_times_of_one_visitor_within_some_days():
    ledger = OfferLedger()
    assert not ledger.knows("v")
    ledger.remember("v", {"a": [0, 5 * DAY]})
    ledger.made(["a", "b"], "v", 6 * DAY)
    assert ledger.times("a", "v", 6 * DAY, 7) == 3
    assert ledger.times("a", "v", 8 * DAY, 7) == 2
    assert ledger.times("b", "v", 8 * DAY, 7) == 1
    assert ledger.times("a", "w", 8 * DAY, 7) == 0
    ledger.forget("v")
    assert not ledger.knows("v")
