"""Windows: live equals batch, no look-ahead, no window over a gap, context against numpy, a swap of detectors."""

import numpy as np
import pytest

from lotus.detectors.registry import known_detectors, shipped_detectors
from lotus.detectors.spec import DetectorSpec, parse_spec
from lotus.detectors.spec_compile import compile_detectors
from lotus.detectors.windows import row_spec as win
from lotus.detectors.windows.builder import Recent, WindowBuilder, build_windows
from lotus.detectors.windows.state import window_params
from lotus.detectors.windows.step import _session
from lotus.errors import ConfigError, SchemaError
from lotus.manifest import KernelDefaults, Manifest
from lotus.microtape.frames import spec as c
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


def test_values_of_frames_and_windows_reach_the_expressions(market) -> None:
    """Every column that the window row and its expressions share is the same number."""
    batch = build_windows(market.frames, market.annotations, MANIFEST, [probe("vol"), probe("spread", "bps")])
    for column, name in ((win.F_VOL, "vol"), (win.F_SPREAD, "spread")):
        expected = np.nan_to_num(np.clip(batch.floats[:, column] / 100.0, -1.0, 1.0))
        k = win.F_SIGNAL + ("vol", "spread").index(name)
        np.testing.assert_allclose(batch.floats[:, k], expected, atol=1e-15)


def test_window_aggregates_against_numpy(market) -> None:
    names = {"age": "step", "high": "ticks", "low": "ticks", "micro": "bps", "signed_usd": "USD", "traded_usd": "USD",
             "sweeps_up": "", "sweeps_down": ""}  # fmt: skip
    scale = {"high": 2e6, "low": 2e6, "signed_usd": 1e6, "traded_usd": 1e6, "age": 1e3}
    specs = [probe(name, unit, scale.get(name, 10.0)) for name, unit in names.items()]
    batch = build_windows(market.frames, market.annotations, MANIFEST, specs)
    ints, floats = market.frames.ints, market.frames.floats
    mine = np.flatnonzero(batch.ints[:, win.W_ASSET] == 2)
    for k in mine[[0, 17, 200]]:
        end = batch.ints[k, win.W_END]
        rows = (ints[:, c.I_ASSET] == 2) & (ints[:, c.I_END] > end - 5000) & (ints[:, c.I_END] <= end)
        mid, usd, sweep = floats[rows, c.C_MID], floats[rows, c.C_VOLUME], floats[rows, c.C_SWEEP]
        signed = np.nansum(floats[rows, c.C_AGGR] * usd)
        expected = [batch.ints[k, win.W_AGE], mid.max(), mid.min(), floats[rows, c.C_MICRO].mean(), signed, usd.sum(),
                    (sweep > 0).sum(), (sweep < 0).sum()]  # fmt: skip
        got = batch.floats[k, win.F_SIGNAL : win.F_SIGNAL + len(specs)]
        divisor = [scale.get(name, 10.0) for name in names]
        np.testing.assert_allclose(got, np.clip(np.divide(expected, divisor), -1, 1), rtol=1e-12, atol=1e-15)


def probe(name: str, unit: str = "bps/sqrt(min)", scale: float = 100.0) -> DetectorSpec:
    """Return a detector whose signal is one column."""
    text = f"""
detector_id: probe_{name}
family: probe
version: 1
idea: A column.
horizon: 30s
band: 20s..160s
best_phase_deg: 0
signal: {name} / {scale:.1f}{unit}
"""
    return parse_spec(text, "probe")


def rows_of(market, first: int, last: int) -> Recent:
    f = market.frames
    return Recent(f.ints[first:last], f.floats[first:last], market.annotations.values[first:last])


def fed(builder: WindowBuilder, rows: Recent) -> np.ndarray:
    return builder.feed_all(rows.ints, rows.floats, rows.annotations).floats


@pytest.mark.parametrize("at", [9_000, 9_001, 9_040, 9_072, 9_074, 9_077])
def test_a_swap_leaves_what_stays_as_it_is_and_warms_what_is_new(market, at: int) -> None:
    old, new = shipped_detectors(), known_detectors()
    stays = [new.index(d) for d in old]
    never = WindowBuilder(MANIFEST, 3, old)
    fed(never, rows_of(market, 0, at))
    expected = fed(never, rows_of(market, at, len(market.frames)))
    always = fed(WindowBuilder(MANIFEST, 3, new), rows_of(market, 0, len(market.frames)))
    for recent in (None, rows_of(market, 0, at)):
        builder = WindowBuilder(MANIFEST, 3, old)
        fed(builder, rows_of(market, 0, at))
        builder.swap(new, recent)
        found = fed(builder, rows_of(market, at, len(market.frames)))
        assert builder.detectors == new
        for k, d in enumerate(stays):
            for first_old, first_new in ((0, 0), (len(old), len(new))):
                kept = expected[:, win.F_SIGNAL + first_old + k]
                assert same(kept, found[:, win.F_SIGNAL + first_new + d])
        if recent is not None:
            assert same(found, always[-len(found) :])
        else:
            new_ones = [win.F_SIGNAL + k for k in range(len(new)) if k not in stays]
            assert not found[:30, new_ones].any()
            assert found[:, new_ones].any()


def test_a_swap_compiles_nothing_when_the_set_was_compiled_before(market) -> None:
    builder = WindowBuilder(MANIFEST, 3, shipped_detectors())
    compiled = compile_detectors(known_detectors(), MANIFEST)
    builder.swap(known_detectors())
    assert builder.compiled is compiled
