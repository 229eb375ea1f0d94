"""The list of a Monday: planted states are found and given back, a market without states has the shipped list."""

import numpy as np

from lotus.coprocessor.segments.weekly import weekly_segments
from lotus.detectors.daily.segment_list import STORED_COLUMNS, context_values, labels_of, segment_program
from lotus.detectors.daily.segment_set import DISTILLED, SHIPPED, SegmentSet
from tests.lotus_coprocessor.segments.segment_worlds import days_of

LEVELS = ((0.0, 0.0), (1.5, 0.0), (1.5, 2.0))
MONDAY, FROM = "2026-01-12", "2026-01-14"


def made(days, coins=("A",)) -> SegmentSet:  # type: ignore[no-untyped-def]
    found = weekly_segments(days, coins, MONDAY, FROM)
    assert found is not None
    return found


def labels(found: SegmentSet, day) -> np.ndarray:  # type: ignore[no-untyped-def,type-arg]
    coin = np.array([found.assets.index(name) for name in day["asset"].tolist()])
    return labels_of(segment_program(found.texts), coin, context_values(day, len(coin)))


def test_planted_states_are_distilled_and_their_labels_rise_with_volatility() -> None:
    days = days_of(1, 5, LEVELS)
    found = made(days)
    assert (found.origin, found.states, len(found.texts[0])) == (DISTILLED, 3, 3)
    assert found.agreement > 0.95
    held, x = labels(found, days[0]), days[0]
    vol, spread = (np.log(x[name].astype(float)) for name in ("x_vol", "x_spread"))
    states = {(round(vol[held == k].mean(), 1), round(spread[held == k].mean(), 1)) for k in range(3)}
    assert states == set(LEVELS)
    assert vol[held == 0].mean() < 0.1  # the calmest
    assert abs(sum(found.shares) - 1.0) < 1e-6


def test_each_coin_has_thresholds_of_its_own() -> None:
    days = days_of(1, 5, LEVELS, coins=("A", "B"))
    found = made(days, ("A", "B"))
    assert found.texts[0] != found.texts[1]
    whole = {name: np.concatenate([day[name] for day in days]) for name in days[0]}
    held, is_b = labels(found, whole), whole["asset"] == "B"
    shares = [[np.mean(held[own] == k) for k in range(len(found.texts[0]))] for own in (is_b, ~is_b)]
    assert np.count_nonzero(np.array(shares) > 0.05, axis=1).min() >= 3  # both coins are in several segments


def test_where_a_tree_does_not_give_the_states_back_the_shipped_list_holds() -> None:
    found = made(days_of(2, 4, ((0.0, 0.0), (0.8, 0.4), (1.6, 0.8)), noise=1.0))
    assert (found.origin, found.agreement < 0.8, len(found.texts[0])) == (SHIPPED, True, 5)
    assert np.allclose(found.shares, [1 / 3, 1 / 6, 1 / 6, 1 / 6, 1 / 6], atol=0.05)
    assert found.texts[0][0].startswith("vol <= ")


def test_the_same_days_give_the_same_list_whatever_comes_later() -> None:
    days = days_of(3, 6, LEVELS)
    one, again, later = made(days[:4]), made(days[:4]), made(days)
    assert one == again
    assert one.set_ver != later.set_ver  # a later Monday makes another list, and the earlier day keeps its labels
    assert labels(one, days[0]).tolist() == labels(again, days[0]).tolist()


def test_a_coin_that_was_hardly_seen_has_no_list() -> None:
    days = days_of(4, 3, LEVELS, coins=("A", "B"))
    few = {name: values[(days[0]["asset"] == "A") | (np.arange(len(days[0]["asset"])) % 50 == 0)]
           for name, values in days[0].items()}  # fmt: skip
    found = made([few, *[{n: v[d["asset"] == "A"] for n, v in d.items()} for d in days[1:]]], ("A", "B"))
    assert found.texts[1] == ()
    assert found.texts[0]
    empty = {name: values[:0] for name, values in days[0].items()}
    assert weekly_segments([empty], ("A", "B"), MONDAY, FROM) is None
    assert {"x_vol", "x_spread"} <= set(STORED_COLUMNS)
