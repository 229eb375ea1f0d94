"""A book between decisions: what was moved counts for its day, the peak stays, drawdown is in deviations of a day."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lotus.decision.policy.policy import shipped_policy
from lotus.decision.standing import Standing, seen
from lotus.timebase import DAY_MS

RISK = shipped_policy().risk
SIZES = st.dictionaries(st.sampled_from(("BTC", "ETH")), st.floats(-5.0, 5.0), max_size=2)
MARKS = {"BTC": 100.0, "ETH": 10.0}


@given(SIZES, SIZES)
def test_turnover_is_what_was_moved_whatever_the_way_and_begins_anew_with_the_day(one: dict, two: dict) -> None:
    first = seen(Standing(), 0, 1_000.0, one, MARKS)
    second = seen(first, 1, 1_000.0, two, MARKS)
    moved = sum(abs(two.get(coin, 0.0) - one.get(coin, 0.0)) * px for coin, px in MARKS.items()) / 1_000.0
    assert abs(second.turnover - first.turnover - moved) < 1e-9
    assert abs(seen(first, DAY_MS, 1_000.0, two, MARKS).turnover - moved) < 1e-9
    assert seen(second, 2, 1_000.0, two, MARKS).turnover == second.turnover


def test_the_peak_stays_and_a_days_budget_of_loss_is_one_deviation() -> None:
    at_peak = seen(Standing(), 0, 1_000.0, {}, {})
    loss = 1_000.0 * RISK.budget_bps_day / 1e4
    later = seen(at_peak, 1, 1_000.0 - loss, {}, {})
    assert later.peak_usd == 1_000.0
    assert abs(later.drawdown_sigmas(1_000.0 - loss, RISK) - 1.0) < 1e-9
    assert later.drawdown_sigmas(1_100.0, RISK) == 0.0
    assert replace(later, peak_usd=0.0).drawdown_sigmas(500.0, RISK) == 0.0
