"""Each family follows its own pattern, on both sides, and is silent where a part of the pattern is missing."""

import numpy as np
import pytest
from detector_tapes import Tape

from lotus.microtape.frames import spec as c

MID = -1
SIDES = pytest.mark.parametrize("side", [1.0, -1.0])


def last(tape: Tape, detector_id: str) -> float:
    return float(tape.signals(detector_id)[-1])


@SIDES
@pytest.mark.parametrize(
    ("detector_id", "column", "size"), [("imbalance_persistence", c.C_IMB_5, 0.5), ("micro_drift", c.C_MICRO, 0.2)]
)
def test_persistence_needs_one_side_for_seconds(side: float, detector_id: str, column: int, size: float) -> None:
    tape = Tape(60)
    tape.last(column, 2)[:] = side * size
    assert last(tape, detector_id) == pytest.approx(side)
    tape.last(column, 0.32)[:] = -side * size
    assert last(tape, detector_id) == 0.0
    tape.last(column, 2)[:] = side * size / 100
    assert last(tape, detector_id) == 0.0


def test_persistence_is_measured_against_its_own_past() -> None:
    tape = Tape(60)
    tape.columns[c.C_IMB_5][:] = np.where(np.arange(1500) // 25 % 2 == 0, 0.5, -0.5)
    assert last(tape, "imbalance_persistence") == 0.0


@SIDES
def test_a_stalled_sweep_is_faded_and_a_running_one_is_not(side: float) -> None:
    tape = Tape(40)
    tape.last(c.C_SWEEP, 1.6)[:3] = side
    tape.last(MID, 2)[:] = 0.0
    assert last(tape, "sweep_stall_reversal") == pytest.approx(-0.75 * side)
    tape.last(MID, 1.2)[:] += side * 30
    assert last(tape, "sweep_stall_reversal") == 0.0
    tape.last(MID, 1.2)[:] -= side * 30
    tape.last(c.C_SWEEP, 0.2)[0] = side
    assert last(tape, "sweep_stall_reversal") == 0.0


@SIDES
def test_a_vacuum_pulls_to_its_side(side: float) -> None:
    tape = Tape(40)
    thin, other = (c.C_DEPTH_ASK, c.C_DEPTH_BID) if side > 0 else (c.C_DEPTH_BID, c.C_DEPTH_ASK)
    tape.last(thin, 1)[:] = 3e5
    assert last(tape, "depth_vacuum_momentum") == pytest.approx(side, abs=0.05)
    tape.last(other, 1)[:] = 3e5
    assert last(tape, "depth_vacuum_momentum") == 0.0


@SIDES
def test_a_breakout_counts_only_from_a_narrow_range(side: float) -> None:
    tape = Tape(140)
    tape.bps[:] += np.where(np.arange(len(tape.bps)) < 1200, 6 * np.sin(np.arange(len(tape.bps)) / 40), 0)
    assert last(tape, "compressed_range") == 0.0
    tape.bps[-2000:] = 0.2 * np.sin(np.arange(2000))
    tape.last(MID, 1)[:] = side * 12
    assert np.sign(last(tape, "compressed_range")) == side
    tape.last(MID, 30)[:100] = side * 11
    tape.last(MID, 30)[100:200] = -side * 40
    assert last(tape, "compressed_range") == 0.0


@SIDES
def test_a_basis_shock_is_faded(side: float) -> None:
    tape = Tape(60)
    tape.last(c.C_BASIS, 3)[:] += side * 5
    assert last(tape, "basis_shock") == pytest.approx(-side, abs=0.01)
    tape.last(c.C_BASIS, 0.5)[:] = np.nan
    assert last(tape, "basis_shock") == 0.0
    tape.last(c.C_BASIS, 3)[:] = side * 0.2
    assert last(tape, "basis_shock") == 0.0


@SIDES
def test_an_edge_that_holds_after_the_breakout_is_followed(side: float) -> None:
    tape = Tape(180)
    tape.bps[:] = side * 0.4 * np.sin(np.arange(len(tape.bps)) / 60)
    tape.last(MID, 20)[:] = side * 6.0
    assert last(tape, "breakout_retest") == 0.0
    tape.last(MID, 10)[:] = side * 0.45
    assert np.sign(last(tape, "breakout_retest")) == side
    tape.last(MID, 9)[:] = -side * 6.0
    assert last(tape, "breakout_retest") == 0.0


@SIDES
def test_a_new_extreme_without_strength_or_book_turns(side: float) -> None:
    tape = Tape(160)
    steps = np.zeros(len(tape.bps))
    steps[-1500:-1250] = 0.05
    steps[-1250:] = np.where(np.arange(1250) % 50 < 27, 0.02, -0.02)
    tape.bps = side * np.cumsum(steps)
    tape.last(c.C_IMB_5, 2)[:] = -side * 0.3
    assert np.sign(tape.signals("divergence")[-20:]).sum() * side < 0
    assert not np.any(np.sign(tape.signals("divergence")[-20:]) == side)
    tape.last(c.C_IMB_5, 20)[:] = side * 0.3
    assert not tape.signals("divergence")[-20:].any()


@SIDES
def test_flow_that_moves_nothing_is_absorbed(side: float) -> None:
    tape = Tape(100)
    tape.last(c.C_AGGR, 12)[:] = side * 0.9
    tape.last(c.C_VOLUME, 12)[:] = 4e4
    tape.last(MID, 13)[:] = tape.bps[-13 * 25 - 1]
    assert last(tape, "absorption") == pytest.approx(-side, abs=0.02)
    tape.last(MID, 6)[:] += side * 20
    assert last(tape, "absorption") == 0.0
    tape.last(MID, 6)[:] -= side * 20
    tape.last(c.C_VOLUME, 12)[:] = 1e4
    assert last(tape, "absorption") == 0.0


@SIDES
def test_funding_that_bends_over_is_followed(side: float) -> None:
    tape = Tape(300)
    n = len(tape.bps)
    ramp = np.concatenate([np.arange(n - 1250), n - 1250 - 4.0 * np.arange(1250)])
    tape.columns[c.C_FUNDING] = 0.1 - side * 1e-5 * ramp
    assert np.sign(tape.signals("funding_kink")[-15:]).sum() * side > 0
    assert not np.any(np.sign(tape.signals("funding_kink")) == -side)
    tape.columns[c.C_FUNDING] = 0.1 - side * 1e-5 * np.arange(n)
    assert not tape.signals("funding_kink").any()


@SIDES
def test_forced_closing_feeds_the_move(side: float) -> None:
    tape = Tape(100)
    tape.last(MID, 6)[:] += side * np.linspace(0, 15, 150)
    assert last(tape, "oi_squeeze") == 0.0
    tape.last(c.C_OI, 6)[:] *= 1 - 1e-3 * np.linspace(0, 1, 150)
    assert np.sign(last(tape, "oi_squeeze")) == side
    tape.columns[c.C_OI][:] = 1e5
    tape.last(c.C_OI, 6)[:] *= 1 + 1e-3 * np.linspace(0, 1, 150)
    assert last(tape, "oi_squeeze") == 0.0
