"""A market and detectors, honest and leaking, for the tests of audits."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.audits import adversarial, sample
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.registry import shipped_detectors
from lotus.manifest import Asset
from lotus.microtape.frames import spec as c
from lotus.microtape.frames.batch import FrameBatch
from lotus.timebase import day_start_ms

DETECTORS = tuple(replace(d, horizon_s=60) for d in shipped_detectors()[:2])
HONEST, LEAKY = (d.detector_id for d in DETECTORS)
DAY, SEED = "2026-01-05", 7
START_MS = day_start_ms(DAY)
Columns = sample.Columns
Signal = Callable[[FrameBatch, int], NDArray[np.float64]]


def market(minutes: int = 45, assets: int = 3) -> FrameBatch:
    """Frames of random walks whose imbalance says a little about the next minute."""
    rng = np.random.default_rng(3)
    n = minutes * 300
    ints, floats = np.zeros((n * assets, c.N_INTS), np.int64), np.full((n * assets, c.N_FLOATS), np.nan)
    row = np.arange(n * assets)
    asset, k = row % assets, row // assets
    ints[:, c.I_ASSET], ints[:, c.I_END] = asset, START_MS + 200 * (k + 1)
    ints[:, c.I_FRAME], ints[:, c.I_SEQ] = ints[:, c.I_END] // 200, row
    for a in range(assets):
        lean = np.repeat(rng.uniform(-1.0, 1.0, n // 25 + 1), 25)[:n]
        path = 2_000_000 + np.cumsum(rng.normal(size=n) * 30.0 + 6.0 * np.concatenate([[0.0], lean[:-1]]))
        mine = asset == a
        ints[mine, c.I_MID2] = np.rint(path)
        floats[mine, c.C_MID] = ints[mine, c.I_MID2] / 2
        floats[mine, c.C_IMB_5] = lean
        floats[mine, c.C_RET] = 1e4 * np.diff(path, prepend=path[0]) / path
    for column in (c.C_DEPTH_BID, c.C_DEPTH_ASK, c.C_VOLUME, c.C_SPREAD, c.C_MICRO, c.C_BASIS, c.C_IMB_1, c.C_IMB_10):
        floats[:, column] = rng.uniform(0.1, 1.0, len(row))
    nothing = np.zeros((0, 8), np.int64), np.zeros((0, 4), np.int64)
    return FrameBatch(tuple(Asset(f"A{a}", 2) for a in range(assets)), 200, ints, floats, *nothing)


def imbalance(frames: FrameBatch, asset: int) -> NDArray[np.float64]:
    """An honest signal: the imbalance at the close."""
    return frames.floats[_closes(frames, asset), c.C_IMB_5]


def _closes(frames: FrameBatch, asset: int) -> NDArray[np.int64]:
    return np.flatnonzero((frames.ints[:, c.I_ASSET] == asset) & (frames.ints[:, c.I_END] % 5000 == 0))


def scorer(signal: Signal, honest: Signal = imbalance) -> adversarial.ScoreUnder:
    """Return a score in which the second detector signals `signal`, the first one `honest`."""

    def score(frames: FrameBatch, tables: Sequence[DayTables]) -> list[Columns]:
        parts = []
        for asset in range(len(frames.universe)):
            end = frames.ints[_closes(frames, asset), c.I_END]
            for detector, make in ((HONEST, honest), (LEAKY, signal)):
                s = make(frames, asset)
                pi = np.where(s != 0.0, 0.02 + 0.9 * np.abs(s), 0.0)
                parts.append(
                    {
                        "asset": np.full(len(s), f"A{asset}", dtype=object),
                        "detector_id": np.full(len(s), detector, dtype=object),
                        "window_end_ms": end,
                        "s": s,
                        "uncert": np.zeros(len(s)),
                        "kairos": np.full(len(s), np.nan),
                        "det_sigma": np.full(len(s), 0.5),
                        "eligible": s != 0.0,
                        "pi": pi,
                        "published": pi > 0.5,
                    }
                )
        return [{name: np.concatenate([p[name] for p in parts]) for name in parts[0]}] * len(tables)

    return score
