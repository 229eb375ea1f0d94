"""Windows: live equals batch, no look-ahead, no window over a gap, and each family follows its own pattern."""

import numpy as np
import pytest

from lotus.detectors import families
from lotus.detectors import window_spec as win
from lotus.detectors.registry import FAMILIES, shipped_detectors
from lotus.detectors.window_state import new_window_state, window_params
from lotus.detectors.window_step import _session
from lotus.detectors.windows import WindowBuilder, build_windows
from lotus.errors import ConfigError, SchemaError
from lotus.manifest import KernelDefaults, Manifest
from lotus.microtape import frame_spec as c
from lotus.timebase import session_of

MANIFEST = Manifest()
NAMES = [d.detector_id for d in shipped_detectors()]


def same(a, b) -> bool:
    return a.tobytes() == b.tobytes()


def test_live_equals_batch_bit_for_bit(market) -> None:
    batch = build_windows(market.frames, market.annotations, MANIFEST)
    builder = WindowBuilder(MANIFEST, 3)
    ints, floats = [], []
    for row in range(len(market.frames)):
        f = market.frames
        if builder.feed(f.ints[row], f.floats[row], market.annotations.values[row]):
            ints.append(builder.ints.copy())
            floats.append(builder.floats.copy())
    assert same(np.array(ints), batch.ints)
    assert same(np.array(floats), batch.floats)
    assert len(batch) > 1000


def test_a_truncated_tape_gives_the_same_windows_up_to_its_end(market) -> None:
    whole = build_windows(market.frames, market.annotations, MANIFEST)
    rng = np.random.default_rng(5)
    for rows in rng.integers(1000, len(market.frames), 12):
        part = market.cut(int(rows))
        found = build_windows(part.frames, part.annotations, MANIFEST)
        assert same(found.ints, whole.ints[: len(found)])
        assert same(found.floats, whole.floats[: len(found)])


def test_only_whole_windows_are_emitted_and_state_is_reborn_after_a_gap(market) -> None:
    batch = build_windows(market.frames, market.annotations, MANIFEST)
    ints = market.frames.ints
    for asset in range(3):
        mine = ints[ints[:, c.I_ASSET] == asset]
        ends, count = np.unique(-(-mine[:, c.I_END] // 5000) * 5000, return_counts=True)
        assert batch.ints[batch.ints[:, win.W_ASSET] == asset][:, win.W_END].tolist() == ends[count == 25].tolist()
    second = batch.ints[batch.ints[:, win.W_ASSET] == 1]
    jump = np.flatnonzero(np.diff(second[:, win.W_END]) > 5000)
    assert len(jump) == 1
    assert second[0, win.W_AGE] == second[jump[0] + 1, win.W_AGE] == 0
    floats = batch.floats[batch.ints[:, win.W_ASSET] == 1]
    assert np.isnan(floats[jump[0] + 1, win.F_VOL])
    assert not np.isnan(floats[jump[0], win.F_VOL])


def test_context_of_a_window_against_numpy(market) -> None:
    batch = build_windows(market.frames, market.annotations, MANIFEST)
    f, row = market.frames, batch.ints[:, win.W_ASSET] == 0
    k = int(np.flatnonzero(row)[200])
    end, got = batch.ints[k, win.W_END], batch.floats[k]
    mine = f.ints[:, c.I_ASSET] == 0
    ints, floats = f.ints[mine], f.floats[mine]
    five = (ints[:, c.I_END] > end - 300_000) & (ints[:, c.I_END] <= end)
    one = (ints[:, c.I_END] > end - 60_000) & five
    last = (ints[:, c.I_END] > end - 5_000) & five
    vol = np.sqrt(300 * np.nanmean(floats[five, c.C_RET] ** 2))
    assert got[win.F_VOL] == pytest.approx(vol, rel=1e-12)
    usd = floats[one, c.C_VOLUME]
    assert got[win.F_FLOW] == pytest.approx(np.nansum(floats[one, c.C_AGGR] * usd) / usd.sum(), rel=1e-12)
    assert got[win.F_IMBALANCE] == pytest.approx(np.nanmean(floats[last, c.C_IMB_5]), rel=1e-12)
    assert got[win.F_SPREAD] == pytest.approx(floats[last, c.C_SPREAD].mean(), rel=1e-12)
    mid = {int(e): m for e, m in zip(ints[:, c.I_END], ints[:, c.I_MID2], strict=True)}
    ret = 1e4 * (mid[int(end)] / mid[int(end) - 300_000] - 1)
    assert got[win.F_TREND] == pytest.approx(ret / (vol * np.sqrt(5)), rel=1e-9)
    close = floats[ints[:, c.I_END] == end][0]
    for column, frame_column in ((win.F_RV, c.C_RV), (win.F_OI, c.C_OI), (win.F_BASIS, c.C_BASIS)):
        assert got[column] == close[frame_column]
    assert got[win.F_COS] ** 2 + got[win.F_SIN] ** 2 == pytest.approx(1.0)


def test_signals_are_bounded_and_every_detector_speaks_sometimes(market) -> None:
    batch = build_windows(market.frames, market.annotations, MANIFEST)
    s = batch.floats[:, win.F_SIGNAL : win.F_SIGNAL + 6]
    uncert = batch.floats[:, win.F_SIGNAL + 6 :]
    assert np.all(np.abs(s) <= 1.0)
    assert np.all((uncert >= 0.0) & (uncert <= 1.0))
    share = (s != 0.0).mean(axis=0)
    assert np.all((share > 0.02) & (share < 0.6)), dict(zip(NAMES, share, strict=True))


def test_sessions_are_those_of_the_time_base() -> None:
    for hour in range(24 * 9):
        assert _session(1_740_000_000_000 + hour * 3_600_000) == session_of(1_740_000_000_000 + hour * 3_600_000)


def test_a_window_that_frames_do_not_fill_is_refused(market) -> None:
    with pytest.raises(ConfigError):
        window_params(Manifest(kernel=KernelDefaults(window_ms=5_100)))
    with pytest.raises(SchemaError):
        build_windows(market.frames, market.cut(50).annotations, MANIFEST)


def speak(family: str, state, vol: float = 10.0) -> float:
    spec = next(d for d in shipped_detectors() if d.family == family)
    builder_params = WindowBuilder(MANIFEST, 1)._detector_params[NAMES.index(spec.detector_id), 0]
    return families.signal(FAMILIES.index(family), state, 0, builder_params, vol, 12.0)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_persistence_needs_one_side_for_seconds(side: float) -> None:
    for family, ring, rms, size in (
        ("imbalance_persistence", "f_imb", "rms_imb", 0.5),
        ("micro_drift", "f_micro", "rms_micro", 0.2),
    ):
        state = new_window_state(1, MANIFEST)
        state["frames"], state["frame_at"], state[rms] = 100, 100, size / 2
        state[ring][0, 50:101] = side * size
        assert np.sign(speak(family, state)) == side
        state[ring][0, 92:101] = -side * size
        assert speak(family, state) == 0.0
        state[ring][0, 50:101] = side * size / 10
        assert speak(family, state) == 0.0


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_stalled_sweep_is_faded_and_a_running_one_is_not(side: float) -> None:
    state = new_window_state(1, MANIFEST)
    state["frames"], state["frame_at"] = 100, 100
    state["f_mid2"][0, :101] = 2_000_000
    state["f_sweep"][0, 70:73] = side
    assert np.sign(speak("sweep_stall_reversal", state)) == -side
    state["f_mid2"][0, 80:101] = 2_000_000 + int(side * 20_000)
    assert speak("sweep_stall_reversal", state) == 0.0
    state["f_mid2"][0, :101] = 2_000_000
    state["f_sweep"][0, 99] = side
    assert speak("sweep_stall_reversal", state) == 0.0


@pytest.mark.parametrize("side", [1, -1])
def test_a_vacuum_pulls_to_its_side(side: int) -> None:
    state = new_window_state(1, MANIFEST)
    state["windows"], state["mean_bid"], state["mean_ask"] = 50, 1e6, 1e6
    state["depth_bid"], state["depth_ask"] = (1e6, 3e5) if side > 0 else (3e5, 1e6)
    assert np.sign(speak("depth_vacuum_momentum", state)) == side
    state["depth_bid"] = state["depth_ask"] = 3e5
    assert speak("depth_vacuum_momentum", state) == 0.0


@pytest.mark.parametrize("side", [1, -1])
def test_a_breakout_counts_only_from_a_narrow_range(side: int) -> None:
    state = new_window_state(1, MANIFEST)
    state["windows"], state["window_at"], state["mean_vol"] = 200, 200, 10.0
    state["w_high"], state["w_low"], state["w_mid2"] = 2_000_200, 1_999_800, 2_000_000
    assert speak("compressed_range", state) == 0.0
    state["w_mid2"][0, 200] = 2_000_000 + side * 3_000
    assert np.sign(speak("compressed_range", state)) == side
    state["w_high"][0, 150], state["w_low"][0, 150] = 2_002_500, 1_994_000
    state["w_mid2"][0, 200] = 2_002_600 if side > 0 else 1_993_900
    assert speak("compressed_range", state) == 0.0


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_basis_shock_is_faded(side: float) -> None:
    state = new_window_state(1, MANIFEST)
    state["windows"], state["window_at"], state["rms_basis"] = 50, 50, 1.0
    state["w_basis"][0, 47:51] = side * 5.0
    assert np.sign(speak("basis_shock", state)) == -side
    state["w_basis"][0, 47:51] = side * 0.5
    assert speak("basis_shock", state) == 0.0
    state["w_basis"][0, 50] = np.nan
    assert speak("basis_shock", state) == 0.0
