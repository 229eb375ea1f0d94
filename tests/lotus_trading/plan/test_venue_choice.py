"""The score of a venue by its formula, and the ranking."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trading_plans import plan

from lotus.trading.plan.knobs import ExecutionKnobs, patched
from lotus.trading.plan.venue_choice import VenueFacts, ranked, score_of

D = Decimal


def test_the_score_is_the_formula() -> None:
    """Half the liquidity, a quarter of the latency used up, a fifth of the slippage, .9 success, by hand."""
    facts = VenueFacts("paper", D("0.005"), 250.0, 10.0, 0.9)
    found = score_of(plan(), facts, ExecutionKnobs())
    assert found.score == pytest.approx(0.5 * 0.3 + 0.75 * 0.2 + 0.8 * 0.2 + 0.9 * 0.3)
    assert (found.liquidity, found.latency, found.slippage, found.success) == (0.5, 0.75, pytest.approx(0.8), 0.9)


@given(
    st.floats(0, 1e6), st.floats(-10, 1e5), st.floats(-10, 1e4), st.floats(-1, 2), st.floats(0.2, 3), st.floats(0.2, 3)
)
def test_a_score_lies_in_the_unit_interval_and_better_facts_never_lower_it(
    liquidity: float, latency: float, slippage: float, success: float, one: float, two: float
) -> None:
    knobs = patched({"execution:venue_liquidity": one, "execution:venue_success": two})
    worse = score_of(plan(), VenueFacts("paper", D(liquidity), latency, slippage, success), knobs).score
    better_facts = VenueFacts("paper", D(liquidity) * 2, latency / 2 - 1, slippage / 2 - 1, success + 0.1)
    assert 0.0 <= worse <= 1.0
    assert score_of(plan(), better_facts, knobs).score >= worse - 1e-12


def test_only_venues_that_the_plan_names_are_ranked_and_ties_keep_its_order() -> None:
    made = plan(venues=("hyperliquid", "paper", "local"))
    same = [VenueFacts(n, D(1), 10.0, 1.0) for n in ("elsewhere", "paper", "hyperliquid")]
    best = VenueFacts("local", D(1), 1.0, 0.0, 0.9)
    assert [s.name for s in ranked(made, [*same, best], ExecutionKnobs())] == ["local", "hyperliquid", "paper"]
    assert ranked(plan(venues=()), same, ExecutionKnobs()) == ()
