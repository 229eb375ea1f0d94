"""Disturbed markets: what a detector says when depth vanishes, costs rise or frames are lost."""

import numpy as np
import pytest
from audit_signals import DAY, DETECTORS, HONEST, LEAKY, SEED, Columns, _closes, market, scorer
from numpy.typing import NDArray

from lotus.detectors.audits import adversarial
from lotus.detectors.daily.tables import DayTables
from lotus.microtape.frames import spec as c
from lotus.microtape.frames.batch import FrameBatch

FRAMES = market()


def depths(frames: FrameBatch, asset: int) -> NDArray[np.float64]:
    """An honest signal of the two depths."""
    bid, ask = (frames.floats[_closes(frames, asset), k] for k in (c.C_DEPTH_BID, c.C_DEPTH_ASK))
    tilt: NDArray[np.float64] = (bid - ask) / (bid + ask)
    return tilt


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
    under = scorer(depths)
    plain, dearer = under(FRAMES, [NO_TABLES, adversarial.costlier(NO_TABLES)])
    found = adversarial.adversarial_audits(
        FRAMES, (plain, dearer), lambda frames: under(frames, [NO_TABLES])[0], DETECTORS, SEED, DAY
    )
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
