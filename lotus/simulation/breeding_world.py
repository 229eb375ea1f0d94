"""Worlds for the breeder with known truth: windows as its panel holds them, with one planted pattern or none.

Columns are processes of several memories with the shapes of real ones (shares, rates, counts); moves are heavy-tailed
noise whose size changes slowly and is shared by the assets. `plant`: an oracle, a signal of the language written as
text, pays at its horizon, so that its daily sums have a mean of `snr` standard deviations. `null`: nothing pays.
`confounded`: the size of moves follows the columns, their direction nothing. The state of programs is born at each
day's start. No estimate belongs here. (Literature: semi-synthetic data-generating process, planted signals.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.coprocessor.genome import HORIZONS_S, Genome, read
from lotus.coprocessor.panel import DAY_MS, Panel, PanelDay, panel_of
from lotus.coprocessor.scoring import run
from lotus.detectors.windows.row_spec import T_VALUES, window_columns
from lotus.hashing import natural_id
from lotus.manifest import Asset, Manifest
from lotus.tape_machine.parser import parse

Floats = NDArray[np.float64]
WINDOW_MS: Final[int] = 5_000
KINDS: Final = ("plant", "null", "confounded")
# three shapes; none is a shipped detector's idea
ORACLES: Final[Mapping[str, tuple[tuple[str, int], ...]]] = {
    "column": (
        ("sign(imb_10) * where(rank(imb_10, 5m) > 0.8 or rank(imb_10, 5m) < 0.2, 1, 0)", 30),
        ("sign(ema(aggr_imb, 1m))", 300),
        ("sign(delta(basis, 2m))", 300),
        ("-sign(zscore(micro, 5m))", 30),
    ),
    "conjunction": (
        ("sign(flow) * where(spread < 2bps and cancel_rate > 0.5, 1, 0)", 30),
        ("sign(imbalance) * where(rank(rv, 10m) < 0.2, 1, 0)", 300),
        ("-sign(trend) * where(zscore(traded_usd, 10m) > 1sigma and vol > 4bps/sqrt(min), 1, 0)", 300),
        ("sign(basis) * where(rank(depth_slope, 5m) > 0.8, 1, 0)", 30),
    ),
    "sequence": (
        ("sign(imb_5) * where(since(zscore(spread, 5m) > 2sigma) < 30s, 1, 0)", 30),
        ("-sign(flow) * where(within(rank(volume_usd, 5m) > 0.9, 15s), 1, 0)", 30),
        ("sign(micro) * where(since(abs(body_bps) > 10bps) < 1m, 1, 0)", 300),
        ("sign(signed_usd) * where(within(rank(cancel_rate, 10m) < 0.1, 30s), 1, 0)", 300),
    ),
}  # fmt: skip
_POSITIVE: Final = frozenset({
    "vol", "rv", "spread", "spread_bps", "spread_close", "traded_usd", "volume_usd", "volume_base", "trade_n", "rv_bps",
    "depth_bid_usd", "depth_ask_usd", "depth_slope", "oi", "cancel_rate", "runlen_aggr", "book_age_ms", "ctx_age_ms",
    "fast_age_ms", "wick_up_bps", "wick_dn_bps",
})  # fmt: skip
_SHARES: Final = frozenset({"mx_evidence", "close_loc", "cancel_rate"})
_BOUNDED: Final = frozenset({"imbalance", "flow", "imb_1", "imb_5", "imb_10", "aggr_imb", "phase_cos", "phase_sin"})
_RARE: Final = frozenset({"sweep", "sweeps_up", "sweeps_down"})
_STILL: Final = frozenset({"gap_flag", "age", "session", "mid", "high", "low", "ret_bps"})


@dataclass(frozen=True, slots=True)
class BreedingWorld:
    """Which world: kind, seed, shape and number of the oracle, days, assets, windows a day, daily SNR of the oracle."""

    kind: str
    seed: int
    shape: str = "column"
    number: int = 0
    days: int = 40
    assets: int = 3
    windows: int = 720
    snr: float = 2.0

    @property
    def oracle(self) -> Genome:
        """The planted pattern as a candidate."""
        text, horizon_s = ORACLES[self.shape][self.number % len(ORACLES[self.shape])]
        return read(parse(text), horizon_s, WINDOW_MS)

    @property
    def manifest(self) -> Manifest:
        """Settings with as many assets."""
        return Manifest(universe=tuple(Asset(f"A{k}", 2) for k in range(self.assets)))


def world_days(world: BreedingWorld) -> list[PanelDay]:
    """Return the days of a world; moves are known for all windows but those of the last hour."""
    blank = [_day(world, d) for d in range(world.days)]
    moves = [_noise(world, d, day) for d, day in enumerate(blank)]
    if world.kind == "plant":
        _plant(world, blank, moves)
    return [_with_moves(day, move) for day, move in zip(blank, moves, strict=True)]


def panel_of_days(world: BreedingWorld, days: list[PanelDay]) -> Panel:
    """Return the panel of some days; no detector is in force."""
    return panel_of(days, HORIZONS_S, world.manifest, ())


def _day(world: BreedingWorld, day: int) -> PanelDay:
    """Return one day without moves: every asset's windows one after the other."""
    n, step = world.windows, WINDOW_MS
    parts = []
    for asset in range(world.assets):
        rng = _rng(world, "columns", day, asset)
        table = np.full((n, T_VALUES), np.nan)
        for name, column in window_columns().items():
            table[:, column.index] = _column(name, rng, n)
        parts.append(table)
    start = day * DAY_MS + 8 * 3_600_000
    end = np.tile(start + step * np.arange(1, n + 1), world.assets)
    birth = np.tile(np.arange(n) == 0, world.assets)
    asset_of = np.repeat(np.arange(world.assets), n)
    return PanelDay(np.concatenate(parts), asset_of, birth, end, np.empty((len(end), 0)), np.empty((len(end), 0)))


def _column(name: str, rng: np.random.Generator, n: int) -> Floats:
    """Return one column of a day: a first-order process of a drawn memory, in the shape that its name has."""
    memory = float(rng.choice([1.0, 4.0, 12.0, 60.0]))
    z = _ar(rng, n, 0.5 ** (1.0 / memory))
    if name in _STILL:
        return np.full(n, 1000.0 if name in ("mid", "high", "low") else 0.0)
    if name in _RARE:
        return np.where(np.abs(z) > 2.0, np.sign(z), 0.0) if name == "sweep" else (z > 2.0).astype(np.float64)
    if name == "mx_confirm":
        return (z > 0.5).astype(np.float64)
    if name in _SHARES:
        return 1.0 / (1.0 + np.exp(-1.5 * z))
    if name in _BOUNDED:
        return np.tanh(z)
    scale = {"spread": 2.0, "spread_bps": 2.0, "vol": 4.0, "body_bps": 6.0, "basis": 5.0}.get(name, 1.0)
    return scale * np.exp(0.5 * z) if name in _POSITIVE else scale * z


def _noise(world: BreedingWorld, day: int, blank: PanelDay) -> Floats:
    """Return moves of each horizon: sums of shocks of 5 s, half of their variance shared by all assets."""
    n = world.windows
    longest = max(HORIZONS_S) * 1000 // WINDOW_MS
    level = np.exp(0.3 * float(_rng(world, "level", day).standard_normal()))
    shared = _rng(world, "shared", day).standard_t(4, n + longest)
    vol = window_columns()["vol"].index
    parts = []
    for asset in range(world.assets):
        own = _rng(world, "own", day, asset).standard_t(4, n + longest)
        shocks = level * (shared + own) / 2.0
        if world.kind == "confounded":
            loud = blank.table[blank.asset == asset, vol] / 4.0
            shocks[:n] *= loud
        path = np.concatenate([[0.0], np.cumsum(shocks)])
        ahead = [h * 1000 // WINDOW_MS for h in HORIZONS_S]
        parts.append(np.stack([path[k : k + n] - path[:n] for k in ahead], axis=1))
    return np.concatenate(parts)


def _plant(world: BreedingWorld, days: list[PanelDay], moves: list[Floats]) -> None:
    """Let the oracle pay at its horizon so that its daily sums have the wanted mean over their spread."""
    oracle = world.oracle
    h = HORIZONS_S.index(oracle.horizon_s)
    panel = panel_of([_with_moves(d, m) for d, m in zip(days, moves, strict=True)], HORIZONS_S, world.manifest, ())
    signals: list[Floats] = []
    every = Panel(tuple(days), (), (), (), panel.horizons_s, panel.window_ms, panel.n_assets, {}, np.empty((0, 0)))
    run([oracle.node], every, lambda first, day, values: signals.append(values[:, 0]))
    sums = np.array([float(np.dot(s, m[:, h])) for s, m in zip(signals, moves, strict=True)])
    square = float(np.mean([float(np.dot(s, s)) for s in signals]))
    pay = world.snr * float(np.std(sums)) / square if square else 0.0
    for s, m in zip(signals, moves, strict=True):
        m[:, h] += pay * s


def _with_moves(day: PanelDay, moves: Floats) -> PanelDay:
    return PanelDay(day.table, day.asset, day.birth, day.end_ms, moves, np.empty((len(day.asset), 0)))


def _ar(rng: np.random.Generator, n: int, keep: float) -> Floats:
    """Return a stationary first-order process of unit variance."""
    from scipy.signal import lfilter

    shocks = rng.standard_normal(n) * np.sqrt(1.0 - keep**2)
    shocks[0] = rng.standard_normal()
    filtered: Floats = lfilter([1.0], [1.0, -keep], shocks)
    return filtered


def _rng(world: BreedingWorld, *key: str | int) -> np.random.Generator:
    words = natural_id("breeding world", world.seed, *key)
    return np.random.Generator(np.random.Philox(int(words[:16], 16)))
