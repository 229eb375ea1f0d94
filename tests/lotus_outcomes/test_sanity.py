"""The sanity table: moves never cross a gap, planted relations are found, every row says what it rests on."""

import dataclasses

import numpy as np
import pytest

from lotus.errors import SchemaError
from lotus.manifest import Asset
from lotus.microtape.frames import spec as f
from lotus.microtape.frames.batch import FrameBatch
from lotus.outcomes import sanity
from lotus.outcomes.sanity import (
    ALL,
    BELOW_COST,
    EARNS,
    HORIZONS_S,
    NOTHING_SHOWN,
    SANITY_TABLE,
    WRONG,
    Columns,
    Series,
    annotation_series,
    forward_move_bps,
    frame_series,
    sanity_table,
)

UNIVERSE = (Asset("BTC", 5), Asset("ETH", 4))
FEE = 4.5


def walk(seed: int, n: int = 6_000, first: int = 1_000_000) -> tuple[FrameBatch, np.ndarray]:
    """Frames of two assets on a random walk, 20 minutes each; return them and the log steps f8 [2, n]."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, 1.0, (2, n))
    ints = np.zeros((2 * n, f.N_INTS), np.int64)
    floats = np.full((2 * n, f.N_FLOATS), np.nan)
    floats[:, f.C_GAP] = 0.0
    for k in range(2):
        rows = slice(k, 2 * n, 2)
        ints[rows, f.I_ASSET], ints[rows, f.I_FRAME] = k, first + np.arange(n)
        ints[rows, f.I_MID2] = np.round(1e9 * np.exp(np.cumsum(steps[k]) * 1e-4)).astype(np.int64)
        floats[rows, f.C_SPREAD] = 1.0 + k
        for column in (f.C_IMB_1, f.C_IMB_5, f.C_IMB_10, f.C_MICRO, f.C_AGGR):
            floats[rows, column] = rng.uniform(-1.0, 1.0, n)
    ints[:, f.I_END] = ints[:, f.I_FRAME] * 200
    nothing = np.zeros((0, 8), np.int64)
    return FrameBatch(UNIVERSE, 200, ints, floats, nothing, np.zeros((0, 4), np.int64)), steps


def planted(frames: FrameBatch, steps: np.ndarray, name: str, lean: float, seed: int = 9) -> Series:
    """A series that knows the next second of its asset, with noise."""
    rng = np.random.default_rng(seed)
    asset, at = frames.ints[:, f.I_ASSET], frames.ints[:, f.I_FRAME] - frames.ints[0, f.I_FRAME]
    coming = np.stack([np.convolve(np.concatenate([s, np.zeros(5)]), np.ones(5), "valid")[1:] for s in steps])
    x = lean * coming[asset, at] + rng.normal(size=len(asset))
    return Series("expert", name, asset, frames.ints[:, f.I_FRAME], x)


def row(table: Columns, series: str, asset: str, horizon_s: int) -> dict[str, object]:
    (k,) = np.flatnonzero((table["series"] == series) & (table["asset"] == asset) & (table["horizon_s"] == horizon_s))
    return {name: values[k] for name, values in table.items()}


def test_a_move_is_the_mid_later_and_never_crosses_a_gap() -> None:
    index = np.array([10, 11, 12, 13, 20, 21, 22, 23, 24])
    life = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2])
    mid2 = np.array([100, 110, 121, 0, 200, 220, 300, 303, 330])
    moves = forward_move_bps(index, mid2, life, 1)
    expected = [1_000, 1_000, np.nan, np.nan, 1_000, np.nan, 100, 1e4 * (330 / 303 - 1), np.nan]
    np.testing.assert_allclose(moves, expected, atol=1e-9)
    assert np.isnan(forward_move_bps(index, mid2, life, 9)).all()
    assert len(forward_move_bps(index[:0], mid2[:0], life[:0], 1)) == 0


@pytest.mark.parametrize("how", ["flag", "hole"])
def test_no_row_of_the_table_looks_over_a_gap(how: str) -> None:
    frames, _ = walk(1)
    ints, floats = frames.ints.copy(), frames.floats.copy()
    half = len(ints) // 2
    if how == "flag":
        floats[half : half + 2, f.C_GAP] = 1.0
    else:
        ints[half:, f.I_FRAME] += 40_000
    whole = sanity_table(frames, frame_series(frames), FEE)
    cut = dataclasses.replace(frames, ints=ints, floats=floats)
    parts = sanity_table(cut, frame_series(cut), FEE)
    for h in HORIZONS_S:
        lost = int(row(whole, "imb_1", "BTC", h)["n"]) - int(row(parts, "imb_1", "BTC", h)["n"])
        assert lost == min(5 * h, 1_500), h


def test_a_planted_relation_is_found_and_noise_is_not() -> None:
    frames, steps = walk(2)
    table = sanity_table(frames, [planted(frames, steps, "z_seer", 0.5), *frame_series(frames)], FEE)
    for asset in ("BTC", "ETH", ALL):
        seer = row(table, "z_seer", asset, 1)
        truth = 0.5 * np.sqrt(5) / np.sqrt(0.25 * 5 + 1)
        assert seer["pearson_low"] < truth < seer["pearson_high"]
        assert seer["pearson_high"] - seer["pearson_low"] < 0.2
        assert seer["verdict"] == BELOW_COST
        assert seer["net_bps"] == pytest.approx(seer["mean_bps"] - seer["cost_bps"])
        assert row(table, "imb_1", asset, 1)["verdict"] == NOTHING_SHOWN
    assert row(table, "z_seer", "BTC", 1)["cost_bps"] == pytest.approx(1.0 + 2 * FEE)
    assert row(table, "z_seer", ALL, 1)["cost_bps"] == pytest.approx(1.5 + 2 * FEE)
    assert row(table, "z_seer", ALL, 1)["n"] == 2 * row(table, "z_seer", "BTC", 1)["n"]


def test_a_loser_is_shown_as_one_and_a_winner_needs_to_earn_its_cost() -> None:
    frames, steps = walk(3)
    liar, seer = planted(frames, steps, "z_liar", -0.5), planted(frames, steps, "z_seer", 0.5)
    assert row(sanity_table(frames, [liar], FEE), "z_liar", "BTC", 1)["verdict"] == WRONG
    assert row(sanity_table(frames, [seer], FEE), "z_seer", "BTC", 1)["verdict"] == BELOW_COST
    assert row(sanity_table(frames, [seer], -FEE), "z_seer", "BTC", 1)["verdict"] == EARNS


def test_every_series_asset_and_horizon_has_its_row_in_key_order() -> None:
    frames, _ = walk(4, 2_000)
    notes = {"asset": frames.ints[:, f.I_ASSET], "frame_idx": frames.ints[:, f.I_FRAME]}
    notes |= {name: np.zeros(len(frames)) for name in ("z_silent", "micro_llr", "mx_evidence", "conf_silent")}
    series = [*frame_series(frames), *annotation_series(notes)]
    assert [s.name for s in series] == [*sanity.FRAME_SERIES, "micro_llr", "z_silent"]
    table = sanity_table(frames, series, FEE)
    assert tuple(table) == SANITY_TABLE.names
    assert len(table["n"]) == len(series) * 3 * len(HORIZONS_S)
    keys = list(zip(*(table[name].tolist() for name in SANITY_TABLE.key), strict=True))
    assert keys == sorted(set(keys))
    silent = row(table, "z_silent", ALL, 5)
    assert (silent["spoken"], silent["verdict"]) == (0, NOTHING_SHOWN)
    for column in SANITY_TABLE.columns:
        values = table[column.name]
        assert values.dtype == SANITY_TABLE.numpy_dtype(column.name)
        if column.dtype == "f8":
            known = values[~np.isnan(values)]
            assert np.all(np.isfinite(known))
            assert column.low is None or np.all(known >= column.low)
            assert column.high is None or np.all(known <= column.high)


def test_one_asset_needs_no_row_for_all_and_a_series_twice_is_refused() -> None:
    frames, _ = walk(5, 1_000)
    one = dataclasses.replace(frames, universe=UNIVERSE[:1], ints=frames.ints[::2], floats=frames.floats[::2])
    assert set(sanity_table(one, frame_series(one), FEE)["asset"]) == {"BTC"}
    with pytest.raises(SchemaError, match="twice"):
        sanity_table(frames, [*frame_series(frames), *frame_series(frames)], FEE)


def test_a_long_day_is_read_at_every_kth_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, steps = walk(6)
    seer = planted(frames, steps, "z_seer", 0.5)
    whole = row(sanity_table(frames, [seer], FEE), "z_seer", "BTC", 1)
    monkeypatch.setattr(sanity, "MAX_ROWS", 2_000)
    thin = row(sanity_table(frames, [seer], FEE), "z_seer", "BTC", 1)
    assert abs(int(thin["n"]) - int(whole["n"]) / 3) <= 2
    assert thin["pearson"] == pytest.approx(whole["pearson"], abs=0.06)


def test_an_asset_without_frames_has_empty_rows() -> None:
    frames, _ = walk(8, 1_000)
    three = dataclasses.replace(frames, universe=(*UNIVERSE, Asset("SOL", 2)))
    table = sanity_table(three, frame_series(three), FEE)
    nothing = row(table, "imb_1", "SOL", 1)
    assert (nothing["n"], nothing["spoken"], nothing["verdict"]) == (0, 0, NOTHING_SHOWN)
    assert row(table, "imb_1", ALL, 1)["n"] == 2 * 995


def test_values_at_unknown_frames_are_left_out() -> None:
    frames, steps = walk(7, 1_000)
    seer = planted(frames, steps, "z_seer", 0.5)
    later = dataclasses.replace(seer, name="z_later", frame_idx=seer.frame_idx + 900)
    table = sanity_table(frames, [later], FEE)
    assert row(table, "z_later", "BTC", 1)["n"] == 100 - 5
