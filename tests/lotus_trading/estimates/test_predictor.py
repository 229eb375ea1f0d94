"""Predictions of executions: nothing from the future, neutral without history, calibrated on a world of known law."""

import math
from dataclasses import replace

import numpy as np
import pytest
from trading_executed import ROWS, true_fill

from lotus.trading.estimates.predictor import (
    MIN_HISTORY,
    Features,
    ForecastCalibration,
    ForecastOutcome,
    Model,
    PastExecution,
    Prediction,
    RouteHint,
    at_rest,
    fitted,
    predicted,
    route_hint,
    stored_quality,
)
from lotus.trading.execution.orders import Side
from lotus.trading.plan.knobs import ExecutionKnobs, patched
from lotus.trading.plan.plan import Strategy


def walked_forward(history: list[PastExecution], block: int) -> ForecastCalibration | None:
    """How good predictions were, each by a fit of what was known when the first of its block was sent."""
    forecasts = []
    for start in range(0, len(history), block):
        fitted_ms = history[start].sent_ms + 1  # nothing ends at such a time
        model = fitted(history, fitted_ms)
        forecasts += [
            ForecastOutcome(e, predicted(model, e.features), fitted_ms) for e in history[start : start + block]
        ]
    return stored_quality(forecasts, history)


def test_without_history_the_answer_is_neutral() -> None:
    for history in ([], ROWS[: MIN_HISTORY - 1]):
        answer = predicted(fitted(history, 10**9), ROWS[0].features)
        assert (answer.fill_prob, answer.slippage_bps, answer.latency_ms) == (0.5, None, None)
    assert walked_forward(ROWS[: MIN_HISTORY - 1], 50) is None
    assert route_hint(Model(), ROWS[0].features, ExecutionKnobs()) in (RouteHint.CROSS, RouteHint.SLICE)


def test_nothing_that_was_not_known_yet_is_used() -> None:
    now_ms = ROWS[300].sent_ms
    changed = [
        e if e.known_ms <= now_ms else replace(e, filled=not e.filled, slippage_bps=1e6, latency_ms=1e6) for e in ROWS
    ]
    one, two = (predicted(fitted(rows, now_ms), ROWS[300].features) for rows in (ROWS, changed))
    assert one == two
    assert one.fitted_on == 299  # the one sent a second before is not known yet


def test_the_order_of_history_does_not_matter() -> None:
    one, two = fitted(ROWS[:200], 10**9), fitted(ROWS[199::-1], 10**9)
    assert predicted(one, ROWS[0].features) == predicted(two, ROWS[0].features)


def test_predictions_are_calibrated_walk_forward() -> None:
    """Against the planted law: Brier near the best possible, reliable by tenths, quantiles that cover their share."""
    found = walked_forward(ROWS, 100)
    assert found is not None
    best = np.mean([true_fill(e.features) * (1 - true_fill(e.features)) for e in ROWS])
    assert found.brier < found.brier_reference - 0.01
    assert found.brier == pytest.approx(best, abs=0.02)
    for one in found.reliability:
        if one.count >= 60:
            assert abs(one.mean - one.share) < 4.0 * math.sqrt(0.25 / one.count)
    for part in (found.slippage, found.latency):
        assert part is not None
        assert part.coverage == pytest.approx(0.8, abs=0.06)
        assert part.pinball < part.pinball_reference
    assert sum(b.count for b in found.reliability) == found.count == 800


def test_fitted_numbers_find_the_planted_law() -> None:
    model = fitted(ROWS, 10**9)
    small = Features(1.0, 0.1, 5.0, Side.BUY, Strategy.MARKET)
    large = replace(small, depth_share=8.0)
    assert predicted(model, small).fill_prob == pytest.approx(true_fill(small), abs=0.06)
    assert predicted(model, large).fill_prob == pytest.approx(true_fill(large), abs=0.1)
    slow = predicted(model, large).latency_ms
    quick = predicted(model, small).latency_ms
    assert slow is not None
    assert quick is not None
    assert slow[1] > 1.5 * quick[1]
    assert list(slow) == sorted(slow)


def test_the_hint_rests_where_a_resting_entry_would_be_filled_and_slices_what_is_large() -> None:
    model = fitted(ROWS, 10**9)
    calm = Features(1.0, 0.05, 20.0, Side.BUY, Strategy.MARKET)
    assert route_hint(model, calm, ExecutionKnobs()) is RouteHint.POST_ONLY
    assert route_hint(model, replace(calm, depth_share=6.0), ExecutionKnobs()) is RouteHint.SLICE
    assert (
        route_hint(model, replace(calm, volatility_bps=0.0), patched({"execution:passive_fill": 1.5}))
        is RouteHint.CROSS
    )
    sure = Model(100, 0.9)
    assert route_hint(sure, replace(calm, depth_share=6.0), ExecutionKnobs()) is RouteHint.PASSIVE_ICEBERG


def test_a_history_without_misses_gives_its_own_share() -> None:
    always = [replace(e, filled=True) for e in ROWS[:98]]
    assert predicted(fitted(always, 10**9), ROWS[0].features).fill_prob == pytest.approx(99 / 100)


def test_a_quarter_of_an_hour_is_one_block_and_shows_nothing() -> None:
    found = walked_forward(ROWS, 100)
    assert found is not None
    assert (found.gain, found.is_better) == (None, False)


@pytest.mark.parametrize("is_better", [True, False])
def test_a_score_is_shown_better_only_where_blocks_of_time_say_so(is_better: bool) -> None:
    spread = [replace(e, sent_ms=400 * e.sent_ms, known_ms=400 * e.sent_ms + 2_000) for e in ROWS]  # over four days
    rng = np.random.default_rng(9)
    blind = [replace(e, filled=bool(rng.random() < 0.7)) for e in spread]
    found = walked_forward(spread if is_better else blind, 100)
    assert found is not None
    assert found.gain is not None
    assert found.gain[0] < found.brier_reference - found.brier < found.gain[1]
    assert found.is_better is is_better


def test_an_entry_at_rest_is_judged_by_what_was_filled_while_it_rested() -> None:
    rows = [replace(e, rested=None if k % 2 else k % 4 == 0) for k, e in enumerate(ROWS[:8])]
    found = at_rest(rows)
    assert [(e.filled, e.slippage_bps) for e in found] == [(k % 4 == 0, None) for k in range(0, 8, 2)]
    thin = replace(ROWS[0].features, depth_share=0.1)
    for prob, hint in ((0.61, RouteHint.POST_ONLY), (0.59, RouteHint.CROSS)):
        assert route_hint(Model(), thin, ExecutionKnobs(), Prediction(prob)) is hint
