"""Audits of leaks: honest detectors pass, each leak is caught by the audit made for it."""

import numpy as np
import pytest
from audit_signals import DAY, DETECTORS, HONEST, LEAKY, SEED, Signal, _closes, imbalance, market, scorer
from numpy.typing import NDArray

from lotus.detectors.audits import adversarial, leakage, sample
from lotus.detectors.audits.table import (
    DETECTOR_AUDITS,
    audit_day,
    planted_was_caught,
)
from lotus.detectors.daily.tables import DayTables
from lotus.microtape.frames import spec as c
from lotus.microtape.frames.batch import FrameBatch

FRAMES = market()


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


def under_no_tables(score: adversarial.ScoreUnder) -> sample.Score:
    """The same score for who asks for one scoring."""
    return lambda frames: score(frames, [NO_TABLES])[0]


def audited(signal: Signal, frames: FrameBatch, day: str, suspected: bool = False) -> list[leakage.LeakageFinding]:
    """Return the findings of a day; the second detector signals `signal`."""
    score = under_no_tables(scorer(signal))
    return leakage.leakage_audits(frames, score(frames), score, DETECTORS, SEED, day, suspected)


def failed(signal: Signal) -> dict[str, set[str]]:
    """Return the audits that each detector, and the planted column, does not pass."""
    found = audited(signal, FRAMES, DAY, suspected=True)
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
    assert audited(depths, short, DAY) == []
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


NO_TABLES = DayTables(
    DAY, (), (HONEST, LEAKY), (), (), (), (0.5, 0.5), *(((0.5, 0.5),) * 8), ((), ()), ({"cost": 0.4}, {})
)  # fmt: skip
