"""Trials of the policy's knobs: what a decision was worth, and an effect that the market's noise cannot reach."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from states import COINS, MARKET, NOW_MS, SOURCES, decided, desk, view

from lotus.decision.knowledge.nightly import Mids
from lotus.decision.policy.experiments import (
    ExperimentLeg,
    PolicyExperiment,
    experiment_row,
    observation_of,
    tried_knobs,
    value_bps,
)
from lotus.decision.policy.in_force import policy_in_force
from lotus.decision.policy.policy import KNOBS, shipped_policy
from lotus.knobs.experiment import FAIR, KnobExperiment, drawn_experiment
from lotus.knobs.rows import Observation, observations_id, rows_of
from lotus.manifest import WeaveDefaults
from lotus.priors.types import priors_0
from lotus_store.ledger.bodies import from_body, to_plain

WEAVE = WeaveDefaults()
POLICY = shipped_policy()
TRIED = tried_knobs(POLICY, WEAVE.phi_step)
PENALTY, FLOOR = "policy:turnover_penalty", "policy:orthogonality_floor"
DAY, AGE_MS = "2026-01-01", 10_000
WEIGHT = st.floats(-0.3, 0.3)
LEGS = st.lists(st.tuples(WEIGHT, WEIGHT, WEIGHT, st.floats(0, 10), st.floats(-80, 80)), min_size=1, max_size=5)


def row(legs: Sequence[ExperimentLeg], arm: int = 1, name: str = "w", p: float = FAIR) -> PolicyExperiment:
    """A window that tried the turnover penalty over five minutes."""
    trial = KnobExperiment(PENALTY, arm, p, WEAVE.phi_step)
    return PolicyExperiment(
        name, "book", NOW_MS - 100, NOW_MS, 300, POLICY.owner_of("turnover_penalty"), 12 * "-", "", trial, tuple(legs)
    )


def market(returns_bps: Mapping[str, float]) -> Mids:
    """Frames of coins that move by so much over the five minutes."""
    ends = np.array([NOW_MS - 200, NOW_MS, NOW_MS + 300_000, NOW_MS + 300_200])
    return {coin: (ends, np.array([1.0, 100.0, 100.0 * (1 + r / 1e4), 999.0])) for coin, r in returns_bps.items()}


def test_the_value_of_a_decision_solved_by_hand() -> None:
    legs = (ExperimentLeg("BTC", 0.10, 0.25, 0.20, 5.0), ExperimentLeg("ETH", -0.05, -0.10, 0.0, 6.0))
    found = observation_of(row(legs), market({"BTC": 40.0, "ETH": -20.0}), AGE_MS)
    btc, eth = 0.25 * 40 - 5 * 0.15 - 5 * 0.25, 0.10 * 20 - 6 * 0.05 - 6 * 0.10
    assert found.outcome_bps == pytest.approx(btc + eth)
    assert found.expected_bps == pytest.approx((0.20 * 40 - 5 * 0.10 - 5 * 0.20) + (0.0 - 6 * 0.05 - 0.0))
    assert (found.time_ms, found.horizon_s, found.source) == (NOW_MS + 300_000, 300, "tape_sim")
    assert (found.name, found.owner, found.coin) == ("w", "policy.default.turnover_penalty", "book")


def test_a_flat_book_that_stays_flat_is_worth_nothing() -> None:
    zero = np.zeros(3)
    assert value_bps(zero, zero, np.array([9.0, -9.0, 1.0]), np.full(3, 5.0)) == 0.0


@given(LEGS, st.floats(0.1, 0.9))
def test_the_expected_score_is_the_overlap_weighted_effect_of_the_step(legs: list[tuple[float, ...]], p: float) -> None:
    moved = [
        ExperimentLeg(c, held, told, start, cost)
        for c, (held, told, start, cost, _) in zip("ABCDE", legs, strict=False)
    ]
    stood = [replace(leg, weight=leg.start) for leg in moved]
    mids = market({leg.coin: r for leg, (*_, r) in zip(moved, legs, strict=True)})
    one = observation_of(row(moved, 1, "one", p), mids, AGE_MS)
    other = observation_of(row(stood, 0, "other", p), mids, AGE_MS)
    assert other.outcome_bps == other.expected_bps == one.expected_bps, "to the last bit"
    table = rows_of([one, other], DAY, {one.owner: 1e6})
    f = dict(zip(table["event_id"].tolist(), table["f"].tolist(), strict=True))
    assert f["other"] == 0.0
    effect = one.outcome_bps - other.outcome_bps
    assert p * f["one"] + (1 - p) * f["other"] == pytest.approx(p * (1 - p) * effect, abs=1e-9)


def test_over_many_draws_the_mean_score_is_the_effect_whatever_the_market_does() -> None:
    n, rng, seen, effects = 4000, np.random.default_rng(3), [], []
    for i in range(n):
        trial = drawn_experiment(f"w{i}", NOW_MS, [PENALTY], 1.0, WEAVE.phi_step, 7)
        assert trial is not None
        start, r = float(rng.normal(0, 0.1)), float(rng.normal(0, 50))
        leg = ExperimentLeg("BTC", 0.0, 0.9 * start if trial.arm else start, start, 5.0)
        seen.append(observation_of(row([leg], trial.arm, f"w{i}"), market({"BTC": r}), AGE_MS))
        effects.append(-0.1 * start * r + 0.1 * 2 * 5.0 * abs(start))
    found = rows_of(seen, DAY, {})
    error = float(np.std(found["f"])) / math.sqrt(n)
    assert float(np.mean(found["f"])) == pytest.approx(FAIR**2 * np.mean(effects), abs=4 * error)
    assert np.std(found["f"]) < 0.1 * np.std(found["outcome"]), "the common noise is out"


def test_a_coin_without_frames_leaves_the_window_unmeasured_on_either_side() -> None:
    legs = (ExperimentLeg("BTC", 0.0, 0.1, 0.1, 5.0), ExperimentLeg("ETH", 0.0, 0.1, 0.0, 5.0))
    for arm, told in ((1, legs), (0, tuple(replace(leg, weight=leg.start) for leg in legs))):
        whole = market({"BTC": 1.0, "ETH": 2.0})
        assert math.isfinite(observation_of(row(told, arm), whole, AGE_MS).outcome_bps)
        for at in (0, 1, 2):  # without the frames before and at the decision, and without that at the end
            ends, mid = whole["ETH"]
            late = {1: (ends[2:], mid[2:]), 0: (ends[:0], mid[:0]), 2: (ends[:2], mid[:2])}[at]
            found = observation_of(row(told, arm), {**whole, "ETH": late}, AGE_MS)
            assert math.isnan(found.outcome_bps)


def test_knobs_that_a_step_would_take_out_of_their_range_take_no_part() -> None:
    assert tried_knobs(POLICY, 1.06) == (FLOOR, PENALTY)
    assert tried_knobs(POLICY, 0.8 / 0.6 + 1e-9) == (PENALTY,)
    assert tried_knobs(POLICY, 2.5) == ()


@pytest.mark.parametrize("key", TRIED)
def test_a_row_is_what_was_known_and_comes_back_from_its_body(key: str) -> None:
    correlations = {(a, b): 0.62 for a in SOURCES for b in SOURCES if a < b}
    state = desk(positions={"BTC": 50_000.0}, correlations=correlations)
    views = [view(c, score=0.1, source=s) for c in COINS[:3] for s in SOURCES[:2]]
    trial = KnobExperiment(key, 1, FAIR, WEAVE.phi_step)
    moved = replace(state, policy=policy_in_force(POLICY, priors_0("main"), [0] * 12, NOW_MS, WEAVE, trial))
    told, start = decided(moved, views), decided(state, views)
    found = experiment_row("name", NOW_MS - 100, trial, 12 * "-", told, start)
    assert from_body(to_plain(found), PolicyExperiment) == found
    assert (found.time_ms, found.horizon_s, found.matures_ms) == (NOW_MS, 3600, NOW_MS + 3_600_000)
    assert found.owner == POLICY.owner_of(key.removeprefix("policy:"))
    assert {leg.coin: leg.weight for leg in found.legs} == {t.coin: t.weight for t in told.targets}
    assert {leg.coin: leg.start for leg in found.legs} == {t.coin: t.weight for t in start.targets}
    assert any(leg.weight != leg.start for leg in found.legs)
    assert {leg.cost_bps for leg in found.legs} == {POLICY.soft.fee_bps + MARKET.spread_bps / 2}
    section = getattr(moved.policy, KNOBS[key.removeprefix("policy:")])
    assert getattr(section, key.removeprefix("policy:")) != getattr(
        getattr(POLICY, KNOBS[key.removeprefix("policy:")]), key.removeprefix("policy:")
    )


def test_rows_without_a_number_of_their_own_are_named_as_before() -> None:
    one = Observation("a", "o", "BTC", 1, 5, 12 * "-", 1, 0.5, 2.0, "venue")
    assert "expected" not in repr(one)
    assert observations_id([one]) != observations_id([replace(one, expected_bps=1.0)])
    assert observations_id([replace(one, expected_bps=2.0)]) != observations_id([replace(one, expected_bps=1.0)])
