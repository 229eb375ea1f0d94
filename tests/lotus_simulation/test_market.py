"""The market itself: no predictability without planting, the planted effects, and the trap."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lotus.simulation.layout import At
from lotus.simulation.market import MarketSpan
from lotus.simulation.schedule import FAMILIES
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World

DEMO = WorldSpec("demo", 11, 8)
STEP = 300  # blocks of 30 s


def spans(spec: WorldSpec) -> list[MarketSpan]:
    world = World(spec)
    return [world.span(day, index) for day in range(spec.days) for index in range(len(spec.sessions))]


def mids(span: MarketSpan) -> NDArray[np.float64]:
    """Return mids [blocks, assets] in ticks."""
    return span.path[:, :, At.BID] + span.path[:, :, At.SPREAD] / 2


@pytest.fixture(scope="module")
def demo() -> list[MarketSpan]:
    return spans(DEMO)


def test_nothing_predicts_the_null_world() -> None:
    features: dict[str, list[NDArray[np.float64]]] = {}
    ahead = []
    for span in spans(replace(DEMO, name="null")):
        log_mid = np.log(mids(span))
        at = np.arange(STEP, len(log_mid) - STEP, STEP)
        ahead.append((log_mid[at + STEP] - log_mid[at]).ravel())
        last = log_mid[at] - log_mid[at - 50]
        recent = {c: sum(span.path[at - k, :, c] for k in range(0, 150, 10)) for c in (At.TILT, At.VACUUM, At.SWEEP)}
        columns = {
            "imbalance": recent[At.TILT],
            "vacuum": recent[At.VACUUM],
            "sweep": recent[At.SWEEP],
            "last move": last,
            "last half minute": log_mid[at] - log_mid[at - STEP],
            "basis": span.path[at, :, At.BASIS],
            "funding": span.path[at, :, At.FUNDING],
            "steep x last": (span.path[at, :, At.STEEP] - 0.4) * last,
            "steep": span.path[at, :, At.STEEP],
            "interest": span.path[at, :, At.INTEREST] / span.path[:, :, At.INTEREST].mean(axis=0),
        }
        for name, values in columns.items():
            features.setdefault(name, []).append(np.asarray(values, dtype=np.float64).ravel())
    future = np.concatenate(ahead)
    for name, parts in features.items():
        values = np.concatenate(parts)
        z = np.corrcoef(values, future)[0, 1] * np.sqrt(len(future))
        sign_z = (np.sign(values - np.median(values)) * np.sign(future)).mean() * np.sqrt(len(future))
        assert abs(z) < 4, (name, z)
        assert abs(sign_z) < 4, (name, sign_z)


def test_volatility_tails_and_common_factor() -> None:
    returns = np.concatenate(
        [np.diff(np.log(mids(s)[::STEP]), axis=0) * 1e4 for s in spans(replace(DEMO, name="null"))]
    )
    yearly = returns.std(axis=0) * 1e-4 * np.sqrt(365 * 86_400 / 30)
    assert (yearly > 0.4).all()
    assert (yearly < 0.9).all()
    assert ((returns**4).mean(axis=0) / returns.var(axis=0) ** 2 > 3.3).all()
    assert np.corrcoef(returns.T)[0, 1] > 0.4


def test_spread_is_one_tick_and_sometimes_two(demo: list[MarketSpan]) -> None:
    spread = np.concatenate([s.path[:, :, At.SPREAD] for s in demo])
    assert set(np.unique(spread)) == {1, 2}
    assert 0.85 < (spread == 1).mean() < 0.95


def moves(found: list[MarketSpan], detector: str) -> dict[str, NDArray[np.float64]]:
    """Return the move in bps along the direction from 12 s to 42 s after the onset, by planted rule."""
    out: dict[str, list[float]] = {}
    for span in found:
        mid = mids(span)
        for planting in span.planted:
            episode = planting.episode
            if FAMILIES[episode.family].detector_id == detector:
                first = (episode.onset_ms + 12_000) // 100
                move = episode.direction * (mid[first + STEP, episode.asset] / mid[first, episode.asset] - 1) * 1e4
                out.setdefault(planting.rule, []).append(move)
    return {rule: np.array(values) for rule, values in out.items()}


@pytest.mark.parametrize(
    ("detector", "rule"), [("imbalance_persistence", "low_interest"), ("sweep_stall_reversal", "steep_book")]
)
def test_planted_lessons_pay_their_effect_and_only_there(demo: list[MarketSpan], detector: str, rule: str) -> None:
    found = moves(demo, detector)
    assert 0.33 < len(found[rule]) / sum(map(len, found.values())) < 0.47
    for name, wanted in ((rule, 18.0), ("", 0.0)):
        error = found[name].std() / np.sqrt(len(found[name]))
        assert abs(found[name].mean() - wanted) < 4 * error + 0.2
    assert (found[rule] > 0).mean() > 0.95


def test_the_trap_wins_often_and_gains_nothing(demo: list[MarketSpan]) -> None:
    found = moves(demo, "depth_vacuum_momentum")["funding_with"]
    assert len(found) > 400
    assert 0.75 < (found > 0).mean() < 0.92
    assert abs(found.mean()) < 3 * found.std() / np.sqrt(len(found))
    effects = [p.effect * p.episode.direction for s in demo for p in s.planted if p.rule == "funding_with"]
    assert np.mean(np.array(effects) < 0) == pytest.approx(0.1, abs=0.02)
    assert set(effects) == {6_000_000, -54_000_000}
