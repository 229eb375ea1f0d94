"""Each expert on a small market made for it: it fires where it should, in the right direction, and lets go."""

import dataclasses

import numpy as np
import pytest

from lotus.experts.fusion import default_experts
from lotus.experts.machine import ExpertMachine
from lotus.manifest import Asset
from lotus.microtape.frames import spec as f
from lotus.microtape.frames.batch import FrameBatch

CALM = {
    "mid": 10_000.0, "ret_bps": 0.0, "micro_drift_bps": 0.0, "spread_bps": 1.0, "imb_1": 0.0, "imb_5": 0.0,
    "imb_10": 0.0, "depth_bid_usd": 1e6, "depth_ask_usd": 1e6, "cancel_rate": 0.0, "sweep": 0.0, "aggr_imb": np.nan,
    "vol_rel": 0.0, "trade_n": 0.0, "runlen_aggr": 0.0, "rv_bps": 5.0, "wick_up_bps": 0.0, "wick_dn_bps": 0.0,
    "body_bps": 0.0, "range_pctl": 0.5, "close_loc": 0.5, "volume_usd": 0.0,
}  # fmt: skip


def market(n: int, *changes: tuple[slice, dict[str, float]]) -> FrameBatch:
    """`n` calm frames of 200 ms with columns changed over slices; the mid follows `ret_bps`."""
    floats = np.full((n, f.N_FLOATS), np.nan)
    for rows, values in ((slice(None), CALM), *changes):
        for name, value in values.items():
            floats[rows, f.FLOAT_NAMES.index(name)] = value
    floats[:, f.C_MID] = 10_000.0 * np.cumprod(1.0 + floats[:, f.C_RET] * 1e-4)
    ints = np.zeros((n, f.N_INTS), np.int64)
    ints[:, f.I_FRAME] = np.arange(n) + 1
    ints[:, f.I_END] = ints[:, f.I_FRAME] * 200
    ints[:, f.I_MID2] = np.round(2 * floats[:, f.C_MID]).astype(np.int64)
    nothing = np.zeros((0, 8), np.int64)
    return FrameBatch((Asset("SOL", 2),), 200, ints, floats, nothing, np.zeros((0, 4), np.int64))


def said(frames: FrameBatch, expert: str) -> tuple[np.ndarray, np.ndarray]:
    """z and f of one expert at every frame."""
    machine = ExpertMachine(1, frames.cadence_ms, default_experts().only(expert))
    rows = machine.feed_frames(0, frames.ints, frames.floats)
    return rows[:, 4], rows[:, 3]


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_sweep_then_stall(side: float) -> None:
    sweep = (slice(10, 11), {"sweep": side, "ret_bps": 2 * side})
    lean = (slice(14, 40), {"imb_1": -0.5 * side})
    z, fired = said(market(80, sweep, lean), "sweep_stall")
    assert not fired[:14].any()
    assert fired[14]
    assert z[14] == pytest.approx(-side * 0.6 * 0.5)
    assert z[11] == pytest.approx(-side * 0.05)
    assert not fired[60:].any()
    onward = (slice(12, 13), {"ret_bps": 3 * side})
    assert not said(market(80, sweep, onward, lean), "sweep_stall")[1].any()


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_absorption(side: float) -> None:
    flow = (slice(20, 60), {"trade_n": 3.0, "aggr_imb": side, "vol_rel": 9.0})
    z, fired = said(market(120, flow), "absorption")
    assert fired[25:60].any()
    assert not fired[:24].any()
    assert np.all(z[fired == 1] * side < 0)
    assert not fired[-20:].any()
    moving = (slice(20, 60), {"ret_bps": 0.5 * side})
    assert not said(market(120, flow, moving), "absorption")[1].any()


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_depth_vacuum(side: float) -> None:
    hole = (slice(20, 30), {"imb_5": 0.9 * side, "cancel_rate": 0.6})
    pull = (slice(22, 30), {"imb_1": 0.8 * side})
    z, fired = said(market(60, hole, pull), "depth_vacuum")
    assert not fired[:22].any()
    assert fired[22]
    assert z[22] == pytest.approx(side * 0.5 * 0.9)
    assert not fired[31:].any()
    assert not said(market(60, hole), "depth_vacuum")[1].any()


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_depth_vacuum_is_a_book_that_was_even_before(side: float) -> None:
    """The same hole that came by and by, or without anything withdrawn, is none."""
    late = {"imb_5": 0.9 * side, "imb_1": 0.8 * side, "cancel_rate": 0.6}
    slow = (slice(10, 20), {"imb_5": 0.5 * side}), (slice(20, 40), late)
    assert not said(market(60, *slow), "depth_vacuum")[1].any()
    assert said(market(60, slow[1]), "depth_vacuum")[1].any()
    added = (slice(20, 40), late | {"cancel_rate": 0.0})
    assert not said(market(60, added), "depth_vacuum")[1].any()
    before = (slice(17, 18), {"cancel_rate": 0.6})  # the levels go a moment before the newer book shows it
    assert said(market(60, added, before), "depth_vacuum")[1].any()


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_exhaustion(side: float) -> None:
    """A stretched move fires when trades dry up or turn and the book leans back, not while they go on."""
    traded = (slice(0, 250), {"trade_n": 2.0, "aggr_imb": side, "vol_rel": 2.0})
    calm, stretch = (slice(None), {"rv_bps": 2.0}), (slice(200, 240), {"ret_bps": 0.25 * side})
    lean = (slice(240, 460), {"imb_5": -0.4 * side})
    still = {"trade_n": 0.0, "aggr_imb": np.nan, "vol_rel": 0.0}

    def found(*changes: tuple[slice, dict[str, float]]) -> tuple[np.ndarray, np.ndarray]:
        return said(market(460, calm, traded, stretch, *changes), "exhaustion")

    z, fired = found(lean)
    assert not fired[:250].any()
    assert fired[250:275].any(), "dried up"
    assert np.all(z[fired == 1] * side < 0)
    assert not fired[430:].any()
    assert not found()[1].any(), "the book does not lean back"
    on = (slice(250, 460), {"trade_n": 2.0, "aggr_imb": side, "vol_rel": 2.0})
    assert not found(lean, on)[1].any(), "trades go on"
    turned = (slice(241, 460), {"trade_n": 2.0, "aggr_imb": -side, "vol_rel": 4.0})
    assert found(lean, turned)[1][:260].any(), "trades turn"
    never = (slice(0, 250), still)
    assert not found(never, lean)[1][:240].any()
    assert found(never, lean)[1][240:].any(), "nothing flows: no trades with the move"


def wick_market(side: float, far: float, test: float, turn: float, lean: float) -> FrameBatch:
    """A wick `far` bps above (side 1) a calm price, a return to within `test` bps of its end, `turn` bps back."""
    up, down = ("wick_up_bps", "wick_dn_bps") if side > 0 else ("wick_dn_bps", "wick_up_bps")
    wick, out = (slice(100, 130), {up: far, down: 0.0}), (slice(130, 131), {"ret_bps": side * (far - test)})
    there = (slice(130, 140), {up: max(test, 0.0), "body_bps": side * (far - test)})
    back = (slice(140, 141), {"ret_bps": -side * turn})
    after = slice(140, 200)
    gone = (after, {up: max(test, 0.0) + turn, "body_bps": side * (far - test - turn), "imb_5": -side * lean})
    return market(240, wick, out, there, back, gone)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_wick_triplet(side: float) -> None:
    """A long wick, a return to its end, a turn with the book: the third touch; anything less is none."""
    z, fired = said(wick_market(side, 8.0, 1.0, 4.0, 0.4), "wick_triplet")
    assert not fired[:140].any()
    assert fired[140]
    assert np.all(z[fired == 1] * side < 0)
    assert not fired[180:].any()
    for less in ((4.0, 0.5, 3.0, 0.4), (8.0, -0.5, 5.5, 0.4), (8.0, 4.0, 4.0, 0.4), (8.0, 1.0, 2.0, 0.4)):
        assert not said(wick_market(side, *less), "wick_triplet")[1].any(), less
    assert not said(wick_market(side, 8.0, 1.0, 4.0, -0.4), "wick_triplet")[1].any()


def test_anomaly_is_the_distance_in_deviations() -> None:
    rng = np.random.default_rng(3)
    frames = market(2_000)
    floats = frames.floats.copy()
    for name, scale in (("ret_bps", 0.3), ("micro_drift_bps", 0.1), ("imb_1", 0.3), ("spread_bps", 0.1)):
        floats[:, f.FLOAT_NAMES.index(name)] += rng.laplace(size=2_000) * scale
    floats[1_500, f.C_RET] = 40.0
    floats[1_500, f.C_IMB_1] = 9.0
    z, fired = said(dataclasses.replace(frames, floats=floats), "anomaly")
    assert np.isnan(z[:300]).all()
    assert not np.isnan(z[300:]).any()
    assert fired[1_500]
    assert z[1_500] > 0.3
    assert fired.mean() < 0.01
    np.testing.assert_allclose(z, anomaly_oracle(floats), atol=1e-9)


def anomaly_oracle(floats: np.ndarray) -> np.ndarray:
    """The definition in plain numpy."""
    x = floats[:, [f.C_RET, f.C_MICRO, f.C_IMB_1, f.C_SPREAD]]
    x = np.column_stack([x, np.zeros(len(x))])
    rate = 1 - 0.5 ** (0.2 / 120.0)
    location, scale, z = x[0].copy(), np.full(5, np.nan), np.full(len(x), np.nan)
    for n in range(1, len(x)):
        d = x[n] - location
        parts = np.clip(d / (scale + 0.02), -8, 8)
        if n >= 300:
            distance = np.sqrt(np.mean(parts**2))
            z[n] = np.sign(parts[[0, 1, 2, 4]].sum()) * 0.15 * max(0.0, distance - 2.0)
        location = location + rate * d
        scale = np.where(np.isnan(scale), np.abs(d), scale + rate * (np.abs(d) - scale))
    return z


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_divergence_needs_book_and_tape(side: float) -> None:
    start = 400
    first = (slice(start, start + 20), {"ret_bps": 1.0 * side})  # a strong leg to the first extreme
    back = (slice(start + 20, start + 80), {"ret_bps": -0.1 * side})
    weak = (slice(start + 80, start + 350), {"ret_bps": 0.3 * side})  # a choppy second leg beyond it
    chop = (slice(start + 81, start + 350, 2), {"ret_bps": -0.1 * side})
    end = (slice(start + 250, start + 350), {"ret_bps": 0.0})
    turn = (slice(start + 100, start + 350), {"imb_5": -0.4 * side, "trade_n": 2.0, "aggr_imb": -side, "vol_rel": 2.0})
    changes = (first, back, weak, chop, end, turn)
    z, fired = said(market(start + 350, *changes), "rsi_divergence")
    assert fired.any()
    assert np.all(z[fired == 1] * side < 0)
    agree_not = (slice(start + 100, start + 350), {"imb_5": 0.4 * side})
    assert not said(market(start + 350, *changes, agree_not), "rsi_divergence")[1].any()
