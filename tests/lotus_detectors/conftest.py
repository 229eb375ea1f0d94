"""A small random market in frames and annotations, shared by the tests of detectors and scoring."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lotus.detectors.daily.history import EVENT_COLUMNS, DayHistory, digest_day, eval_columns
from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scored import Columns
from lotus.detectors.scoring.scorer import score_windows
from lotus.detectors.windows.builder import WindowBatch, build_windows
from lotus.experts.annotation_spec import A_CONFIRM, A_EVIDENCE, N_VALUES
from lotus.experts.machine import AnnotationBatch
from lotus.manifest import Asset, Manifest
from lotus.microtape.frames import spec as c
from lotus.microtape.frames.batch import FrameBatch
from lotus.priors.types import priors_0
from lotus.timebase import day_start_ms, next_day

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]

FIRST_DAY = "2025-03-03"


@dataclass(frozen=True)
class Market:
    """Frames and annotations of one stretch."""

    frames: FrameBatch
    annotations: AnnotationBatch

    def cut(self, rows: int) -> "Market":
        """The first `rows` frames, and nothing of what came later."""
        f, a = self.frames, self.annotations
        part = FrameBatch(f.universe, f.cadence_ms, f.ints[:rows], f.floats[:rows], f.quotes, f.gaps)
        return Market(part, AnnotationBatch(a.ints[:rows], a.values[:rows]))


def walk(rng: np.random.Generator, n: int, half_life: float, scale: float = 1.0) -> NDArray[np.float64]:
    """A stationary AR(1) path of standard deviation `scale`."""
    keep = 0.5 ** (1.0 / half_life)
    steps = rng.normal(0.0, np.sqrt(1.0 - keep * keep), n)
    out = np.empty(n)
    value = rng.normal()
    for i, step in enumerate(steps):
        value = keep * value + step
        out[i] = value
    return scale * out


def make_market(seed: int, n: int = 9000, assets: int = 3, start_ms: int = day_start_ms(FIRST_DAY)) -> Market:
    """`n` frames of 200 ms for each asset from `start_ms`, with a gap on asset 1 and a few missing values."""
    rng = np.random.default_rng(seed)
    ints, floats = np.zeros((n * assets, c.N_INTS), np.int64), np.full((n * assets, c.N_FLOATS), np.nan)
    row = np.arange(n * assets)
    asset, k = row % assets, row // assets
    ints[:, c.I_ASSET], ints[:, c.I_END] = asset, start_ms + 200 * (k + 1)
    ints[:, c.I_FRAME] = ints[:, c.I_END] // 200
    ints[:, c.I_RECV] = ints[:, c.I_END] * 1_000_000 + 50_000_000 + asset * 1000
    ints[:, c.I_SEQ] = row * 3
    for a in range(assets):
        _fill(rng, ints, floats, asset == a, n)
    gone = (asset == 1) & (k > n // 2) & (k < n // 2 + 180)
    values = np.zeros((n * assets, N_VALUES))
    values[:, A_EVIDENCE] = np.clip(0.5 + 0.1 * rng.normal(size=n * assets), 0.0, 1.0)
    values[:, A_CONFIRM] = values[:, A_EVIDENCE] > 0.6
    universe = tuple(Asset(f"A{a}", 2) for a in range(assets))
    frames = FrameBatch(
        universe, 200, ints[~gone], floats[~gone], np.zeros((0, 8), np.int64), np.zeros((0, 4), np.int64)
    )
    return Market(frames, AnnotationBatch(ints[~gone][:, :2], values[~gone]))


def _fill(
    rng: np.random.Generator, ints: NDArray[np.int64], floats: NDArray[np.float64], mine: NDArray[np.bool_], n: int
) -> None:
    mid2 = (2_000_000 * np.exp(np.cumsum(rng.standard_t(4, n) * 0.3e-4))).astype(np.int64)
    traded = rng.random(n) < 0.3
    ints[mine, c.I_MID2] = mid2
    columns = {
        c.C_MID: mid2 / 2,
        c.C_RET: np.concatenate([[np.nan], 1e4 * np.diff(mid2) / mid2[:-1]]),
        c.C_MICRO: walk(rng, n, 10, 0.2),
        c.C_SPREAD: np.abs(walk(rng, n, 50)) + 0.1,
        c.C_IMB_5: np.where(rng.random(n) < 0.02, np.nan, np.tanh(walk(rng, n, 20))),
        c.C_DEPTH_BID: 1e6 * np.exp(0.3 * walk(rng, n, 200)),
        c.C_DEPTH_ASK: 1e6 * np.exp(0.3 * walk(rng, n, 200)),
        c.C_SLOPE: walk(rng, n, 500),
        c.C_SWEEP: np.where(rng.random(n) < 0.005, rng.choice([-1.0, 1.0], n), 0.0),
        c.C_AGGR: np.where(traded, np.clip(walk(rng, n, 30), -1, 1), np.nan),
        c.C_VOLUME: np.where(traded, rng.exponential(1e4, n), 0.0),
        c.C_RV: np.exp(0.5 * walk(rng, n, 300)),
        c.C_OI: 1e5 + np.cumsum(rng.normal(0, 1, n)),
        c.C_FUNDING: walk(rng, n, 5000, 0.1),
        c.C_BASIS: walk(rng, n, 300),
    }
    for column, values in columns.items():
        floats[mine, column] = values


def outcomes_of(events: Columns, seed: int) -> Columns:
    """Random matured outcomes of events, in the columns that a digest reads."""
    rng = np.random.default_rng(seed)
    n = len(events["s"])
    ret = rng.normal(0.0, 10.0, n)
    side = np.sign(events["s"])
    out = {name: events[name] for name in ("detector_id", "asset", "window_end_ms")}
    out |= {f"fwd_ret_bps_{h}": ret for h in (30, 300, 3600)}
    out["payoff_p"] = np.where(side == 0.0, np.nan, side * ret - 9.5)
    out["payoff_y"] = np.where(events["published"], out["payoff_p"] - 0.5, np.nan)
    out["status"] = np.full(n, "ok", dtype=object)
    return out


@dataclass(frozen=True)
class Chain:
    """Several days scored one after the other: tables, events and digests of each."""

    manifest: Manifest
    windows: list[WindowBatch]
    tables: list[DayTables]
    events: list[Columns]
    history: list[DayHistory]


@pytest.fixture(scope="session")
def new_market() -> Callable[..., Market]:
    """The maker of random markets, for tests that need their own."""
    return make_market


@pytest.fixture(scope="session")
def market() -> Market:
    """One stretch of 30 minutes of three assets."""
    return make_market(1)


@pytest.fixture(scope="session")
def chain() -> Chain:
    """Thirteen short days, each scored under the tables of the days before it."""
    out = Chain(Manifest(universe=tuple(Asset(f"A{a}", 2) for a in range(3))), [], [], [], [])
    detectors = shipped_detectors()
    for k in range(13):
        day = next_day(FIRST_DAY, k)
        made = make_market(50 + k, start_ms=day_start_ms(day) + 9 * 3_600_000)
        windows = build_windows(made.frames, made.annotations, out.manifest)
        tables = day_tables(day, out.history, out.manifest, out.manifest.universe, detectors)
        events = score_windows(windows, out.manifest, out.manifest.universe, tables, [priors_0("main")], "main")
        outcomes = outcomes_of(events, k)
        part = {name: events[name] for name in EVENT_COLUMNS}
        seen = {name: outcomes[name] for name in eval_columns(detectors)}
        digest = digest_day(day, part, seen, out.manifest, out.manifest.universe, detectors)
        for kept, value in zip(
            (out.windows, out.tables, out.events, out.history), (windows, tables, events, digest), strict=True
        ):
            kept.append(value)
    return out
