"""Window columns: aligned contexts, values across assets, surprise and its reset."""

import numpy as np
import pytest

from lotus.detectors.windows import row_spec as win
from lotus.priors.vocabulary import ALIGNED, BIN_COLUMNS, VALUE_COLUMNS


def test_context_is_aligned_and_binned_on_the_tables(chain) -> None:
    e, tables = chain.events[12], chain.tables[12]
    windows, names = chain.windows[12], [a.name for a in chain.manifest.universe]
    raw = {(int(i[win.W_END]), names[i[win.W_ASSET]]): f for i, f in zip(windows.ints, windows.floats, strict=True)}
    columns = {"imbalance": win.F_IMBALANCE, "funding": win.F_FUNDING, "basis": win.F_BASIS, "flow": win.F_FLOW}
    columns["trend"] = win.F_TREND
    for row in range(0, len(e["s"]), 53):
        f = raw[int(e["window_end_ms"][row]), e["asset"][row]]
        side = np.sign(e["s"][row])
        for name, column in columns.items():
            want = f[column] * (side or 1.0)
            assert e[f"x_{name}"][row] == want or np.isnan(want)
        assert e["x_mx"][row] == (1.0 - f[win.F_MX] if side < 0 else f[win.F_MX])
        edges = tables.edges[names.index(e["asset"][row])]
        for k, (bin_name, value_name) in enumerate(zip(BIN_COLUMNS, VALUE_COLUMNS, strict=True)):
            value = e[value_name][row]
            null = np.isnan(value) or (ALIGNED[k] and side == 0.0)
            assert e[bin_name][row] == (255 if null else sum(value > edge for edge in edges[k]))
    assert np.all(chain.events[0]["b_session"] == 255)


def test_cross_asset_values_read_the_window_before_only(chain) -> None:
    e, windows = chain.events[12], chain.windows[12]
    ints, floats = windows.ints, windows.floats
    for k in (400, 850, 1066):
        end, asset, seq = ints[k, win.W_END], ints[k, win.W_ASSET], ints[k, win.W_SEQ]
        before = np.flatnonzero((ints[:, win.W_END] == end - 5000) & (ints[:, win.W_SEQ] <= seq))
        mine = (e["window_end_ms"] == end) & (e["asset"] == chain.manifest.universe[asset].name)
        phases = floats[before][:, [win.F_COS, win.F_SIN]]
        r = np.hypot(*phases.mean(axis=0))
        assert len(before) == 3
        assert e["entrain"][mine][0] == pytest.approx(r)
        signals = floats[before][:, win.F_SIGNAL : win.F_SIGNAL + 6]
        for s, share in zip(e["s"][mine], e["crowd_share"][mine], strict=True):
            assert share == pytest.approx((np.sign(signals) == np.sign(s)).mean() if s != 0 else 0.0)


def test_surprise_is_page_hinkley_with_reset_at_a_gap(chain) -> None:
    tables, windows, e = chain.tables[12], chain.windows[12], chain.events[12]
    mine = windows.ints[:, win.W_ASSET] == 1
    total, expected = 0.0, {}
    for ints, floats in zip(windows.ints[mine], windows.floats[mine], strict=True):
        total = 0.0 if ints[win.W_AGE] == 0 else total
        x = np.clip((np.log(floats[win.F_RV] + 1e-4) - tables.hbar_m[1]) / tables.hbar_s[1], -5, 5)
        total = max(0.0, total + x - 0.25)
        expected[int(ints[win.W_END])] = total / (total + 5)
    rows = e["asset"] == "A1"
    got = dict(zip(e["window_end_ms"][rows].tolist(), e["kr_hbar"][rows].tolist(), strict=True))
    assert got == pytest.approx(expected, abs=1e-12)
    assert np.all(chain.events[0]["kr_hbar"] == 0.5)
