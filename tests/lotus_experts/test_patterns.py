"""Each expert on a small market made for it: it fires where it should, in the right direction, and lets go."""

import dataclasses

import numpy as np
import pytest

from lotus.experts.machine import annotate
from lotus.manifest import Asset
from lotus.microtape import frame_spec as f
from lotus.microtape.frame_batch import FrameBatch

CALM = {
    "mid": 10_000.0, "ret_bps": 0.0, "micro_drift_bps": 0.0, "spread_bps": 1.0, "imb_1": 0.0, "imb_5": 0.0,
    "cancel_rate": 0.0, "sweep": 0.0, "aggr_imb": np.nan, "vol_rel": 0.0, "trade_n": 0.0,
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
    columns = annotate(frames).columns()
    return columns[f"z_{expert}"], columns[f"f_{expert}"]


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


def test_anomaly_is_the_robust_distance() -> None:
    rng = np.random.default_rng(3)
    frames = market(2_000)
    floats = frames.floats.copy()
    for name, scale in (
        ("ret_bps", 0.3),
        ("micro_drift_bps", 0.1),
        ("imb_1", 0.3),
        ("spread_bps", 0.1),
        ("cancel_rate", 0.1),
    ):
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
    x = floats[:, [f.C_RET, f.C_MICRO, f.C_SPREAD, f.C_IMB_1, f.C_CANCEL]]
    x = np.column_stack([x, np.zeros(len(x))])
    keep = 0.5 ** (0.2 / 600.0)
    location, scale, z = x[0].copy(), np.zeros(6), np.full(len(x), np.nan)
    for n in range(2, len(x) + 1):
        unit = scale + 0.02
        d = (x[n - 1] - location) / unit
        if n > 300:
            parts = np.clip(d, -8, 8)
            distance = np.sqrt(np.mean(parts**2))
            z[n - 1] = np.sign(parts[[0, 1, 3, 5]].sum()) * 0.15 * max(0.0, distance - 2.0)
        rate, learnt = max(1 - keep, 1 / n), np.clip(d, -4, 4) * unit
        location, scale = location + rate * learnt, scale + rate * (np.abs(learnt) - scale)
    return z


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_divergence_needs_book_and_tape(side: float) -> None:
    first = (slice(50, 70), {"ret_bps": 1.0 * side})  # a strong leg to the first extreme
    back = (slice(70, 130), {"ret_bps": -0.1 * side})
    weak = (slice(130, 400), {"ret_bps": 0.3 * side})  # a choppy second leg beyond it
    chop = (slice(131, 400, 2), {"ret_bps": -0.1 * side})
    end = (slice(200, 400), {"ret_bps": 0.0})
    turn = (slice(150, 400), {"imb_5": -0.4 * side, "trade_n": 2.0, "aggr_imb": -side, "vol_rel": 2.0})
    z, fired = said(market(400, first, back, weak, chop, end, turn), "rsi_divergence")
    assert fired.any()
    assert np.all(z[fired == 1] * side < 0)
    agree_not = (slice(150, 400), {"imb_5": 0.4 * side})
    assert not said(market(400, first, back, weak, chop, end, turn, agree_not), "rsi_divergence")[1].any()
