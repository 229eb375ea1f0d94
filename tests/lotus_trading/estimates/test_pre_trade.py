"""What is estimated at acceptance: only of what was seen, one half below the least history, and measured afterwards."""

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trading_executed import ROWS
from trading_plans import plan

from lotus.manifest import Asset
from lotus.trading.estimates.executor_scores import TrackRecord
from lotus.trading.estimates.pre_trade import VenueHistory, depth_within, features_of, pre_trade_estimate
from lotus.trading.estimates.predictor import (
    MIN_HISTORY,
    ForecastOutcome,
    fitted,
    predicted,
    stored_quality,
)
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.orders import Side
from lotus.trading.plan.knobs import ExecutionKnobs, patched
from lotus.trading.plan.validate import AccountState

KNOBS = ExecutionKnobs()


def place(**changes: Any) -> AccountState:
    view = MarketView("BTC", 0, D(99_999), D(100_001), D(100_000), volatility_bps=D(4))
    levels = {Side.BUY: [(D(100_001), D(1)), (D(100_400), D(1)), (D(101_000), D(9))]}
    at = AccountState(
        now_ms=0, venue="paper", account="main", executor="tr", release="", universe={"BTC": Asset("BTC", 5)},
        view=view, equity_usd=D(10_000), free_margin_usd=D(10_000), leverage=5, coin_max_leverage=40, levels=levels,
    )  # fmt: skip
    return replace(at, **changes)


def test_features_are_those_of_the_book_within_the_plans_slippage() -> None:
    own = replace(plan(), side=Side.BUY, coin="BTC", size=D("0.5"), max_slippage_bps=D(50))
    assert depth_within(own, place()) == 2
    found = features_of(own, place())
    assert found is not None
    assert (found.spread_bps, found.depth_share, found.volatility_bps) == (pytest.approx(0.2), 0.25, 4.0)
    view = place().view
    assert view is not None
    for unseen in (place(levels={}), place(view=None), place(view=replace(view, volatility_bps=None))):
        assert features_of(own, unseen) is None
        assert pre_trade_estimate(own, unseen, VenueHistory(), KNOBS) is None


def test_below_the_least_history_one_half_is_told_and_nothing_else() -> None:
    said = pre_trade_estimate(plan(), place(), VenueHistory(9, fitted(ROWS[: MIN_HISTORY - 1], 10**9)), KNOBS)
    assert said is not None
    assert (said.prediction.fill_prob, said.prediction.fitted_on) == (0.5, MIN_HISTORY - 1)
    assert (said.slippage_bps, said.latency_ms, said.route_hint, said.venues) == (None, None, None, ())
    assert not said.is_known


def test_the_venue_is_scored_with_its_parts_and_the_plans_knobs() -> None:
    own = plan()
    score = TrackRecord(place().venue, own.strategy, 30, 0.9, 0.8)
    known = VenueHistory(9, fitted(ROWS, 10**9), {own.strategy: score})
    own = replace(own, venues=(place().venue,))
    said = pre_trade_estimate(own, place(), known, KNOBS)
    assert said is not None
    (one,) = said.venues
    assert (one.success, said.executor, said.is_known) == (0.8, score, True)
    assert 0.0 <= one.score <= 1.0
    heavy = pre_trade_estimate(own, place(), known, patched({"execution:venue_success": 1.5}))
    assert heavy is not None
    assert heavy.prediction == said.prediction
    assert heavy.venues[0].score != one.score


def test_stored_predictions_of_no_fit_are_not_measured() -> None:
    told = [ForecastOutcome(e, predicted(fitted([], 0), e.features), e.sent_ms) for e in ROWS[:100]]
    assert stored_quality(told, ROWS) is None


@given(st.integers(60_000, 900_000), st.booleans())
def test_what_ends_later_changes_no_measure_of_the_past_share(at_ms: int, filled: bool) -> None:
    told = [ForecastOutcome(ROWS[0], predicted(FITTED, ROWS[0].features), at_ms)]
    later = [replace(e, filled=filled, latency_ms=1.0) if e.known_ms >= at_ms else e for e in ROWS]
    one, two = stored_quality(told, ROWS), stored_quality(told, later)
    assert one is not None
    assert two is not None
    assert one.brier_reference == two.brier_reference


FITTED = fitted(ROWS, 10**9)
