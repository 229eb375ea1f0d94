"""Outcomes of triggers on frames made by hand: entered at the firing, expired, cut; nothing after the end is read."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.manifest import Asset
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import C_GAP, C_MID, I_END, I_FRAME, I_MID2, N_FLOATS, N_INTS
from lotus.outcomes.trigger_outcomes import CUT, EXPIRED, FIRED, trigger_outcomes

CADENCE_MS, CLOSE_MS, HORIZON_S = 200, 1_735_689_900_000, 10
BARS = 5 * 60_000 // CADENCE_MS  # frames before the close
HELD = HORIZON_S * 1_000 // CADENCE_MS
UP = "cross(level=10010, side=up)"


def frames_of(mids: np.ndarray) -> FrameBatch:
    """Frames in a row of one asset, mids in tenths of a dollar; the one at BARS - 1 closes the window."""
    n = len(mids)
    ints, floats = np.zeros((n, N_INTS), np.int64), np.zeros((n, N_FLOATS))
    ints[:, I_END] = CLOSE_MS + CADENCE_MS * (np.arange(n) - (BARS - 1))
    ints[:, I_FRAME] = ints[:, I_END] // CADENCE_MS
    ints[:, I_MID2], floats[:, C_MID] = 2 * mids, mids
    quotes, gaps = np.zeros((0, 8), np.int64), np.zeros((0, 4), np.int64)
    return FrameBatch((Asset("BTC", 5),), CADENCE_MS, ints, floats, quotes, gaps)


def mids_after(path: list[int]) -> np.ndarray:
    """Flat at 10,000.0 until the close, then `path`, its last value until one frame after the end."""
    after = np.full(HELD + 1, path[-1])
    after[: len(path)] = path
    return np.concatenate([np.full(BARS, 100_000), after])


def outcome(frames: FrameBatch, s: float = 0.7, trigger: str = UP) -> tuple[str, int, float, float]:
    window = {"event_id": "e", "detector_id": "d", "asset": "BTC", "window_end_ms": CLOSE_MS, "horizon_s": HORIZON_S}
    events = {name: np.array([value], dtype=object) for name, value in window.items()} | {"s": np.array([s])}
    table = trigger_outcomes(events, [trigger], frames)
    status, fired, at_once, late = (table[name][0] for name in ("status", "fired_ms", "at_once_bps", "fired_bps"))
    return str(status), int(fired), float(at_once), float(late)


def test_a_trigger_that_fires_is_entered_then_and_held_to_the_same_end() -> None:
    status, fired_ms, at_once, fired = outcome(frames_of(mids_after([100_000, 100_050, 100_200, 100_300])))
    assert (status, fired_ms) == (FIRED, CLOSE_MS + 3 * CADENCE_MS)
    assert at_once == pytest.approx((100_300 / 100_000 - 1) * 1e4)
    assert fired == pytest.approx((100_300 / 100_200 - 1) * 1e4)
    assert outcome(frames_of(mids_after([100_000, 100_200, 100_300])), s=-0.1)[2] == pytest.approx(-at_once)


def test_one_that_does_not_expires_and_tells_what_entering_at_once_would_have_moved() -> None:
    status, fired_ms, at_once, fired = outcome(frames_of(mids_after([99_900, 99_800])))
    assert (status, fired_ms) == (EXPIRED, 0)
    assert at_once == pytest.approx((99_800 / 100_000 - 1) * 1e4)
    assert np.isnan(fired)


def test_a_gap_a_missing_frame_and_a_short_tape_cut_the_window() -> None:
    whole = frames_of(mids_after([100_000, 100_200]))
    gapped = frames_of(mids_after([100_000, 100_200]))
    gapped.floats[BARS + 4, C_GAP] = 1.0
    assert outcome(gapped)[0] == CUT
    hole = np.arange(len(whole)) != BARS + 4
    assert outcome(replace(whole, ints=whole.ints[hole], floats=whole.floats[hole]))[0] == CUT
    assert outcome(frames_of(mids_after([100_000, 100_200])[:-2]))[0] == CUT


def test_nothing_after_the_end_of_the_horizon_is_read() -> None:
    mids = mids_after([100_000, 100_050])
    later = np.concatenate([mids[:-1], np.full(50, 120_000)])
    assert outcome(frames_of(later))[:3] == outcome(frames_of(mids))[:3]
