"""Feedback: bounded, slow, in the right direction; the decision-maker's own numbers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.decision.fusion import Blend
from lotus.decision.knowledge.feedback import (
    DecisionMemory,
    ExecutionNumbers,
    absorb_report,
    authority_weights,
    numbers_of,
    quality,
)
from lotus.decision.knowledge.reliability import stepped
from lotus.decision.policy.policy import shipped_policy
from lotus.errors import ConfigError

POLICY = shipped_policy()
GOOD = ExecutionNumbers("d", "BTC", "paper", "limit", 1000.0, 1000.0, 0.0, 10.0, 0.0, 500.0, 1.0)
PARTS = (
    Blend("det:flow@1", "e1", "t", 3600, 0.7, 12.0, ""),
    Blend("det:basis@2", "e2", "t", 3600, 0.3, -4.0, ""),
)


def test_quality_is_the_formula() -> None:
    assert quality(GOOD) == 1.0
    half = replace(GOOD, filled_usd=500.0, slippage_bps=5.0, latency_ms=250.0, adherence=0.5)
    assert quality(half) == pytest.approx(0.5)
    short = replace(GOOD, planned_usd=-1000.0, filled_usd=-500.0)
    assert quality(short) == pytest.approx(0.85)
    assert quality(replace(GOOD, slippage_bps=50.0, latency_ms=9e9, filled_usd=0.0, adherence=0.0)) == 0.0


def test_a_report_of_the_trader_gives_the_numbers() -> None:
    report = {
        "decision_id": "d", "asset": "BTC", "venue": "paper", "strategy": "twap", "side": "short",
        "size_planned": "0.02", "size_filled": "0.015", "arrival_px": "50000", "entry_px": "49990",
        "slippage_arrival_bps": 2.0, "latency_ms": 100, "adherence": 0.9,
    }  # fmt: skip
    found = numbers_of(report, 10.0, 500.0, -4.0)
    assert (found.executor, found.planned_usd, found.filled_usd) == ("paper:twap", -1000.0, -750.0)
    assert quality(found) == pytest.approx(0.3 * 0.75 + 0.3 * 0.8 + 0.2 * 0.8 + 0.2 * 0.9)
    nothing = report | {"size_filled": "0", "arrival_px": None, "entry_px": None, "slippage_arrival_bps": None}
    assert quality(numbers_of(nothing | {"latency_ms": None, "adherence": 0.0}, 10.0, 500.0)) == 0.0


@given(st.floats(-1e6, 1e6), st.floats(-500, 500), st.floats(0, 1e5), st.floats(-1, 2), st.integers(1, 30))
def test_a_score_moves_slowly_and_stays_a_share(
    filled: float, slippage: float, latency: float, adherence: float, n: int
) -> None:
    report = replace(GOOD, filled_usd=filled, slippage_bps=slippage, latency_ms=latency, adherence=adherence)
    memory, value = DecisionMemory(), POLICY.executors.start
    for k in range(n):
        memory = absorb_report(memory, report, (), POLICY)
        (score,) = memory.executors
        assert abs(score.value - value) <= POLICY.executors.max_step + 1e-9
        assert 0.0 <= score.value <= 1.0
        assert score.reports == k + 1
        value = score.value


def test_good_executors_get_more_authority_and_bad_ones_keep_the_floor() -> None:
    memory = DecisionMemory()
    bad = replace(GOOD, strategy="market", filled_usd=0.0, slippage_bps=99.0, latency_ms=999.0, adherence=0.0)
    for _ in range(400):
        memory = absorb_report(absorb_report(memory, GOOD, (), POLICY), bad, (), POLICY)
    weights = dict(authority_weights(memory, ["paper:limit", "paper:market"], POLICY.executors))
    assert sum(weights.values()) == pytest.approx(1.0)
    assert weights["paper:limit"] > 0.9
    assert weights["paper:market"] == pytest.approx(0.05 / 1.05, rel=0.02)
    assert authority_weights(memory, [], POLICY.executors) == ()


def test_who_was_right_gains_and_who_was_wrong_loses_at_the_next_step() -> None:
    memory = DecisionMemory()
    for _ in range(50):
        memory = absorb_report(memory, replace(GOOD, realised_bps=12.0), PARTS, POLICY)
    values = {r.source: (r.value, stepped(r, POLICY.reliability).value) for r in memory.reliabilities}
    assert values["det:flow@1"][1] > values["det:flow@1"][0] == 0.5
    assert values["det:basis@2"][1] < values["det:basis@2"][0] == 0.5


def test_what_is_not_known_yet_teaches_no_source() -> None:
    assert absorb_report(DecisionMemory(), GOOD, PARTS, POLICY).reliabilities == ()


def test_numbers_that_cannot_be_are_refused() -> None:
    for bad in (replace(GOOD, planned_usd=0.0), replace(GOOD, slippage_bps=float("nan"))):
        with pytest.raises(ConfigError, match="report of paper:limit"):
            absorb_report(DecisionMemory(), bad, (), POLICY)
