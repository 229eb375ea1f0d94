"""The data curator silences readers of what went missing and coins that came late or in another unit."""

from dataclasses import replace

from check_curator import COINS, DAY, honest_facts, nudges, vetoed

from lotus.curation.facts import NightFacts
from lotus.curation.feed_health import DECIMALS, LAG, MID, OI, FeedDay
from lotus.curation.sig.data import judge
from lotus.timebase import next_day


def with_feed(nulls: dict[tuple[str, str], float], values: dict[tuple[str, str], float]) -> NightFacts:
    facts = honest_facts()
    return replace(facts, feed=FeedDay(DAY, {**facts.feed.nulls, **nulls}, {**facts.feed.values, **values}))


def test_a_column_that_went_null_on_half_of_the_coins_silences_its_readers() -> None:
    gone = with_feed({("BTC", "imb_5"): 0.3, ("ETH", "imb_5"): 0.21}, {})
    assert vetoed(judge(gone, 0.15)) == ["drift"]
    (proposal,) = judge(gone, 0.15)
    assert proposal.reason == "imb_5 is null on BTC, ETH"
    assert not judge(with_feed({("BTC", "imb_5"): 1.0}, {}), 0.15), "one coin of three"
    assert not judge(with_feed({(c, "imb_5"): 0.2 for c in COINS}, {}), 0.15), "at the bound"
    assert not judge(replace(gone, feed_before=gone.feed_before[-4:]), 0.15), "nothing is usual yet"
    usual = [replace(f, nulls={**f.nulls, **{(c, "imb_5"): 0.06 for c in COINS}}) for f in gone.feed_before]
    assert not judge(replace(gone, feed_before=usual), 0.15), "it often is null"


def test_a_late_coin_and_one_in_another_unit_are_vetoed() -> None:
    facts = with_feed({}, {("BTC", LAG): 2_000.1, ("ETH", DECIMALS): 4.0, ("SOL", MID): 12.5})
    assert vetoed(judge(facts, 0.15)) == ["@BTC", "@ETH", "@SOL"]
    assert not judge(with_feed({}, {("BTC", LAG): 2_000.0, ("SOL", MID): 12.6}), 0.15)
    assert not judge(replace(facts, feed=honest_facts().feed, feed_before=[facts.feed]), 0.15)[2:], "back again"
    assert vetoed(judge(replace(facts, feed_before=[]), 0.15)) == ["@BTC"], "nothing to compare with"


def test_sizes_in_another_unit_are_seen_by_the_open_interest() -> None:
    before = [replace(day, values={**day.values, ("ETH", OI): 900.0}) for day in honest_facts().feed_before]
    for median, expected in ((7_200.0, ["@ETH"]), (112.5, ["@ETH"]), (7_100.0, []), (113.0, []), (0.0, [])):
        facts = replace(with_feed({}, {("ETH", OI): median}), feed_before=before)
        assert vetoed(judge(facts, 0.15)) == expected, median
    assert not judge(with_feed({}, {("ETH", OI): 7_200.0}), 0.15), "nothing to compare with"


def test_an_alarm_on_a_series_costs_its_readers_the_nudge_for_five_days() -> None:
    for k in range(-1, 7):
        alarmed = replace(honest_facts(), alarmed={"mid": next_day(DAY, -k), "other": DAY})
        assert nudges(judge(alarmed, 0.1)) == ({"range": -0.1} if 0 <= k < 5 else {})
