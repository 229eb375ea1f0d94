"""Audits: honest detectors pass, each leak is caught by the audit made for it, disturbances are felt and repeatable."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from lotus.detectors.audits import adversarial, leakage, sample
from lotus.detectors.audits.table import (
    ADV_FRAGILITY,
    DETECTOR_AUDITS,
    LEAKAGE_VETO,
    audit_day,
    audit_table,
    curator_inputs,
    planted_was_caught,
)
from lotus.detectors.daytables import DayTables
from lotus.detectors.registry import shipped_detectors
from lotus.hashing import content_hash
from lotus.manifest import Asset
from lotus.microtape import frame_spec as c
from lotus.microtape.frame_batch import FrameBatch
from lotus.timebase import day_start_ms

DETECTORS = tuple(replace(d, horizon_s=60) for d in shipped_detectors()[:2])
HONEST, LEAKY = (d.detector_id for d in DETECTORS)
DAY, SEED = "2026-01-05", 7
START_MS = day_start_ms(DAY)
Columns = sample.Columns
Signal = Callable[[FrameBatch, int], NDArray[np.float64]]


def market(minutes: int = 45, assets: int = 3) -> FrameBatch:
    """Frames of random walks whose imbalance says a little about the next minute."""
    rng = np.random.default_rng(3)
    n = minutes * 300
    ints, floats = np.zeros((n * assets, c.N_INTS), np.int64), np.full((n * assets, c.N_FLOATS), np.nan)
    row = np.arange(n * assets)
    asset, k = row % assets, row // assets
    ints[:, c.I_ASSET], ints[:, c.I_END] = asset, START_MS + 200 * (k + 1)
    ints[:, c.I_FRAME], ints[:, c.I_SEQ] = ints[:, c.I_END] // 200, row
    for a in range(assets):
        lean = np.repeat(rng.uniform(-1.0, 1.0, n // 25 + 1), 25)[:n]
        path = 2_000_000 + np.cumsum(rng.normal(size=n) * 30.0 + 6.0 * np.concatenate([[0.0], lean[:-1]]))
        mine = asset == a
        ints[mine, c.I_MID2] = np.rint(path)
        floats[mine, c.C_MID] = ints[mine, c.I_MID2] / 2
        floats[mine, c.C_IMB_5] = lean
        floats[mine, c.C_RET] = 1e4 * np.diff(path, prepend=path[0]) / path
    for column in (c.C_DEPTH_BID, c.C_DEPTH_ASK, c.C_VOLUME, c.C_SPREAD, c.C_MICRO, c.C_BASIS, c.C_IMB_1, c.C_IMB_10):
        floats[:, column] = rng.uniform(0.1, 1.0, len(row))
    nothing = np.zeros((0, 8), np.int64), np.zeros((0, 4), np.int64)
    return FrameBatch(tuple(Asset(f"A{a}", 2) for a in range(assets)), 200, ints, floats, *nothing)


FRAMES = market()


def imbalance(frames: FrameBatch, asset: int) -> NDArray[np.float64]:
    """An honest signal: the imbalance at the close."""
    return frames.floats[_closes(frames, asset), c.C_IMB_5]


def depths(frames: FrameBatch, asset: int) -> NDArray[np.float64]:
    """An honest signal of the two depths."""
    bid, ask = (frames.floats[_closes(frames, asset), k] for k in (c.C_DEPTH_BID, c.C_DEPTH_ASK))
    tilt: NDArray[np.float64] = (bid - ask) / (bid + ask)
    return tilt


def future(frames: FrameBatch, asset: int) -> NDArray[np.float64]:
    """The return of the next minute."""
    end = frames.ints[_closes(frames, asset), c.I_END]
    ahead = sample.forward_returns(frames, np.full(len(end), asset), end, end + 60_000)
    return np.clip(np.where(np.isfinite(ahead), ahead, 0.0) / 20.0, -1.0, 1.0)


def one_frame_ahead(frames: FrameBatch, asset: int) -> NDArray[np.float64]:
    """A small leak: the imbalance of the frame after the close."""
    at = _closes(frames, asset)
    mine = np.flatnonzero(frames.ints[:, c.I_ASSET] == asset)
    after = np.minimum(np.searchsorted(mine, at) + 1, len(mine) - 1)
    return frames.floats[mine[after], c.C_IMB_5]


def whole_day_scale(frames: FrameBatch, asset: int) -> NDArray[np.float64]:
    """A leak of scale: in units of the mean size over the whole stretch."""
    value = imbalance(frames, asset)
    scaled: NDArray[np.float64] = value / (8.0 * np.mean(np.abs(value)))
    return scaled


def _closes(frames: FrameBatch, asset: int) -> NDArray[np.int64]:
    return np.flatnonzero((frames.ints[:, c.I_ASSET] == asset) & (frames.ints[:, c.I_END] % 5000 == 0))


def scorer(signal: Signal, honest: Signal = imbalance) -> adversarial.ScoreUnder:
    """Return a score in which the second detector signals `signal`, the first one `honest`."""

    def score(frames: FrameBatch, tables: Sequence[DayTables]) -> list[Columns]:
        parts = []
        for asset in range(len(frames.universe)):
            end = frames.ints[_closes(frames, asset), c.I_END]
            for detector, make in ((HONEST, honest), (LEAKY, signal)):
                s = make(frames, asset)
                pi = np.where(s != 0.0, 0.02 + 0.9 * np.abs(s), 0.0)
                parts.append(
                    {
                        "asset": np.full(len(s), f"A{asset}", dtype=object),
                        "detector_id": np.full(len(s), detector, dtype=object),
                        "window_end_ms": end,
                        "s": s,
                        "uncert": np.zeros(len(s)),
                        "kairos": np.full(len(s), np.nan),
                        "det_sigma": np.full(len(s), 0.5),
                        "eligible": s != 0.0,
                        "pi": pi,
                        "published": pi > 0.5,
                    }
                )
        return [{name: np.concatenate([p[name] for p in parts]) for name in parts[0]}] * len(tables)

    return score


def under_no_tables(score: adversarial.ScoreUnder) -> sample.Score:
    """The same score for who asks for one scoring."""
    return lambda frames: score(frames, [NO_TABLES])[0]


def failed(signal: Signal) -> dict[str, set[str]]:
    """Return the audits that each detector, and the planted column, does not pass."""
    found = leakage.leakage_audits(FRAMES, under_no_tables(scorer(signal)), DETECTORS, SEED, DAY)
    names = (HONEST, LEAKY, leakage.PLANTED)
    assert {(x.detector_id, x.audit) for x in found} == {(n, a) for n in names for a in leakage.AUDITS}
    return {n: {x.audit for x in found if x.detector_id == n and not x.passed} for n in names}


def test_honest_signals_pass_and_the_planted_column_is_caught_by_every_audit() -> None:
    assert failed(depths) == {HONEST: set(), LEAKY: set(), leakage.PLANTED: set(leakage.AUDITS)}


def test_a_detector_that_reads_the_future_return_is_caught_by_every_audit() -> None:
    assert failed(future) == {HONEST: set(), LEAKY: set(leakage.AUDITS), leakage.PLANTED: set(leakage.AUDITS)}


@pytest.mark.parametrize("leak", [one_frame_ahead, whole_day_scale])
def test_small_leaks_are_caught_by_the_cut_tape(leak: Signal) -> None:
    found = failed(leak)
    assert "truncation" in found[LEAKY]
    assert not found[HONEST]


def test_a_short_stretch_is_not_judged() -> None:
    short = sample.rows_of(FRAMES, slice(0, 3 * 300 * 2))
    assert leakage.leakage_audits(short, under_no_tables(scorer(depths)), DETECTORS, SEED, DAY) == []
    rows = audit_day(short, NO_TABLES, scorer(depths), DETECTORS, SEED, DAY)
    assert set(rows) == set(DETECTOR_AUDITS.names)
    assert not len(rows["audit"])
    assert planted_was_caught(rows) == (0, 0)


def test_shuffled_prices_keep_the_moves_and_lose_their_order() -> None:
    shuffled = leakage.shuffled_prices(FRAMES, SEED, DAY)
    for asset in range(3):
        mine = FRAMES.ints[:, c.I_ASSET] == asset
        before, after = (np.diff(f.ints[mine, c.I_MID2]) for f in (FRAMES, shuffled))
        assert sorted(np.abs(before).tolist()) == sorted(np.abs(after).tolist())
        assert abs(float(np.corrcoef(before, after)[0, 1])) < 0.05
    others = [k for k in range(c.N_FLOATS) if k not in (c.C_MID, c.C_RET)]
    assert np.array_equal(shuffled.floats[:, others], FRAMES.floats[:, others], equal_nan=True)
    assert np.array_equal(leakage.shuffled_prices(FRAMES, SEED, DAY).ints, shuffled.ints)
    assert not np.array_equal(leakage.shuffled_prices(FRAMES, SEED + 1, DAY).ints, shuffled.ints)


def test_forward_returns_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(5)
    frames = sample.rows_of(FRAMES, np.flatnonzero(rng.random(len(FRAMES)) < 0.08))
    asset, start = rng.integers(0, 3, 200), START_MS + rng.integers(-10_000, 46 * 60_000, 200)
    found = sample.forward_returns(frames, asset, start, start + 30_000)

    def mid(index: int, at: int) -> float:
        rows = [i for i in frames.ints.tolist() if i[c.I_ASSET] == index and i[c.I_END] <= at]
        fresh = rows and at - rows[-1][c.I_END] <= sample.FRESH_MS
        return float(rows[-1][c.I_MID2]) if fresh else float("nan")

    plain = [1e4 * (mid(a, t + 30_000) / mid(a, t) - 1.0) for a, t in zip(asset.tolist(), start.tolist(), strict=True)]
    assert np.isfinite(found).sum() > 50
    assert np.isnan(found).sum() > 20
    np.testing.assert_array_equal(found, plain)


def test_correlation_is_spearmans() -> None:
    rng = np.random.default_rng(2)
    s, r = np.round(rng.normal(size=500), 1), rng.standard_t(2, 500)
    r += 0.5 * s
    r[::7] = np.nan
    known = np.isfinite(r)
    assert sample.correlation(s, r) == pytest.approx(float(spearmanr(s[known], r[known]).statistic), abs=1e-12)
    assert sample.correlation(r, r) == pytest.approx(1.0)
    assert sample.correlation(s[:30], r[:30]) == 0.0, "too few"
    assert sample.correlation(np.zeros(500), r) == 0.0


def test_the_stretch_is_drawn_and_bounded() -> None:
    one = sample.stretch(FRAMES, SEED, DAY, 900)
    assert len(one) == 900
    assert np.array_equal(sample.stretch(FRAMES, SEED, DAY, 900).ints, one.ints)
    assert not np.array_equal(sample.stretch(FRAMES, SEED, "2026-01-06", 900).ints, one.ints)
    assert len(sample.stretch(FRAMES, SEED, DAY, 10**9)) == len(FRAMES)
    draws = sample.uniforms(20_000, "a", 1)
    assert 0.0 <= draws.min() < draws.max() < 1.0
    assert abs(draws.mean() - 0.5) < 0.01
    assert not np.array_equal(draws, sample.uniforms(20_000, "a", 2))


NO_TABLES = DayTables(
    DAY, (), (HONEST, LEAKY), (), (), (), (0.5, 0.5), *(((0.5, 0.5),) * 8), ((), ()), ({"cost": 0.4}, {})
)  # fmt: skip


def test_disturbances_change_what_they_say_and_nothing_else() -> None:
    ints, floats = FRAMES.ints, FRAMES.floats
    touched = {
        "noise": {c.C_DEPTH_BID, c.C_DEPTH_ASK, c.C_VOLUME, c.C_IMB_1, c.C_IMB_5, c.C_IMB_10, c.C_MID, c.C_RET,
                  c.C_MICRO, c.C_BASIS},
        "widened_spread": {c.C_SPREAD, c.C_MICRO},
        "depth_vacuum": {c.C_DEPTH_BID, c.C_DEPTH_ASK},
    }  # fmt: skip
    for name, disturb in adversarial.DISTURBANCES.items():
        other = disturb(FRAMES, ("x", name))
        again = disturb(FRAMES, ("x", name))
        assert np.array_equal(other.ints, again.ints)
        assert np.array_equal(other.floats, again.floats, equal_nan=True)
        assert ints is FRAMES.ints
        if name in touched:
            changed = {
                k for k in range(c.N_FLOATS) if not np.array_equal(other.floats[:, k], floats[:, k], equal_nan=True)
            }
            assert changed == touched[name]
    wide = adversarial.widened_spread(FRAMES, ("x",))
    np.testing.assert_allclose(wide.floats[:, c.C_SPREAD], 3 * floats[:, c.C_SPREAD])
    vacuum = adversarial.depth_vacuum(FRAMES, ("x",))
    assert 0.1 < float(np.mean(vacuum.floats[:, c.C_DEPTH_BID] != floats[:, c.C_DEPTH_BID])) * 2 < 0.3
    late = adversarial.time_jitter(FRAMES, ("x",))
    assert 0.15 < float(np.mean(late.floats[:, c.C_VOLUME] != floats[:, c.C_VOLUME])) < 0.25
    dropped = adversarial.dropped_bars(FRAMES, ("x",))
    gone = np.setdiff1d(FRAMES.ints[:, c.I_SEQ], dropped.ints[:, c.I_SEQ])
    windows, frames_gone = np.unique(
        (FRAMES.ints[gone, c.I_END] - 200) // 5000 * 3 + FRAMES.ints[gone, c.I_ASSET], return_counts=True
    )
    assert 6 <= len(windows) <= 9
    assert (frames_gone == 25).all()
    noisy = adversarial.noise(FRAMES, ("x",))
    moved = noisy.ints[:, c.I_MID2] - ints[:, c.I_MID2]
    assert 0 < np.abs(moved).max() <= np.rint(2_000_000 * 1.05 * 1e-4 * 0.25)
    assert (np.abs(noisy.floats[:, c.C_IMB_5]) <= 1.0).all()


def test_the_change_of_a_detector_is_zero_when_nothing_moves_and_one_when_all_turns() -> None:
    (plain,) = scorer(depths)(FRAMES, [NO_TABLES])
    same = adversarial.changes(plain, plain, "none", DETECTORS)
    assert [(x.sigma, x.publication) for x in same] == [(0.0, 0.0)] * 2
    assert all(x.published_before == x.published_after > 0 for x in same)
    (honest, turned) = adversarial.changes(plain, {**plain, "s": _turned(plain)}, "turned", DETECTORS)
    assert (honest.sigma, honest.publication) == (0.0, 0.0)
    assert (turned.sigma, turned.publication) == (1.0, 1.0)
    half = {name: values[: len(values) // 2] for name, values in plain.items()}
    kept = {x.detector_id: (round(x.sigma, 9), x.windows) for x in adversarial.changes(plain, half, "half", DETECTORS)}
    assert kept == {HONEST: (0.2, 1080), LEAKY: (0.5, 540)}  # two assets of three, and one


def _turned(plain: Columns) -> NDArray[np.float64]:
    s = plain["s"].astype(np.float64)
    return np.where(plain["detector_id"] == LEAKY, -s, s)


def test_who_leans_on_depth_is_fragile_where_depth_vanishes() -> None:
    found = adversarial.adversarial_audits(FRAMES, NO_TABLES, scorer(depths), DETECTORS, SEED, DAY)
    by = {(x.detector_id, x.disturbance): x for x in found}
    assert set(by) == {(d.detector_id, name) for d in DETECTORS for name in adversarial.NAMES}
    assert by[HONEST, "depth_vacuum"].sigma == 0.0
    assert by[LEAKY, "depth_vacuum"].sigma > 0.05
    assert by[LEAKY, "slippage_shock"].sigma == 0.0
    share = adversarial.fragility([x for x in found if x.detector_id == LEAKY])
    assert 0.0 < share < 1.0


def test_a_dearer_market_lowers_quality_where_its_cost_is_known() -> None:
    dearer = adversarial.costlier(NO_TABLES)
    assert dearer.sq_score[1] == 0.5
    assert dearer.sq_score[0] == pytest.approx(0.5 - 0.2 * (0.8 / 1.4 - 0.4))


def test_the_table_holds_every_finding_and_what_curators_take() -> None:
    rows = audit_day(FRAMES, NO_TABLES, scorer(future), DETECTORS, SEED, DAY)
    assert {n: v.dtype for n, v in rows.items()} == {n: DETECTOR_AUDITS.numpy_dtype(n) for n in DETECTOR_AUDITS.names}
    keys = list(zip(rows["detector_id"].tolist(), rows["audit"].tolist(), strict=True))
    assert keys == sorted(set(keys))
    assert len(keys) == 3 * 4 + 2 * 6 + 2 * 2
    assert planted_was_caught(rows) == (4, 4)
    inputs = curator_inputs(rows)
    assert inputs[LEAKY].leakage_veto
    assert not inputs[HONEST].leakage_veto
    assert all(0.0 < x.adv_fragility < 1.0 for x in inputs.values())
    curators = np.isin(rows["audit"].astype(str), [LEAKAGE_VETO, ADV_FRAGILITY])
    assert set(rows["kind"][curators].tolist()) == {"curator"}
    again = audit_day(FRAMES, NO_TABLES, scorer(future), DETECTORS, SEED, DAY)
    assert content_hash(again) == content_hash(rows)
    other = replace(DETECTORS[0], version=9)
    assert audit_table([], [], [other])["spec_version"].dtype == np.int32
