"""Small worlds of other people's signals, as columns of an events file: what a desk would export.

Reduced from the worlds of the learning tests: a score that publishes by chance, features that correlate with it or not,
heavy-tailed payoffs with a shared market factor, and, where asked, a rule that pays more: high `x_flow` while the
regime is calm.
"""

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from scipy.signal import lfilter

from lotus.own_signals.table import Coded, FileRows, table_of

START_US = 1_736_121_600_000_000  # 2025-01-06T00:00:00Z
DAY_US = 86_400_000_000
ASSETS = ("BTC", "ETH")
REGIMES = ("calm", "wild")


def _ar(rng, n, half_life):
    rho = 0.5 ** (1.0 / half_life)
    return lfilter([np.sqrt(1 - rho**2)], [1, -rho], rng.normal(size=n), zi=[rho * rng.normal()])[0]


def _piece(rng, day, asset, detector, n, effect, horizon_s):
    step = DAY_US // n
    span = max(1, horizon_s * 1_000_000 // step)  # windows within the horizon: later ones share nothing
    noise = np.cumsum(rng.standard_t(5, n + span)) * 2.0 / np.sqrt(span)
    x = {"x_flow": _ar(rng, n, 20), "x_vol": _ar(rng, n, 200), "x_gap": _ar(rng, n, 40)}
    regime = np.where(_ar(rng, n, 60) > 0, "wild", "calm")
    p = np.clip(1 / (1 + np.exp(-2.0 * (0.8 * _ar(rng, n, 30) + 0.3 * x["x_vol"] - 0.9))), 0.02, 0.98)
    published = rng.random(n) < p
    inside = (x["x_flow"] > 0.2533) & (regime == "calm")
    paper = (noise[span:] - noise[:-span]) * 2.5 + 3.0 * p + effect * inside + rng.normal(0, 1)
    payoff = np.where(published, paper - rng.exponential(1.0, n), np.nan)
    return {
        "ts": START_US + day * DAY_US + step * np.arange(n),
        "asset": np.full(n, asset),
        "detector_id": np.full(n, detector),
        "horizon_s": np.full(n, horizon_s),
        "published": published,
        "propensity": p,
        "payoff_bps": payoff,
        "paper_payoff_bps": paper,
        "x_regime": regime,
        **x,
    }


def own_world(seed=0, days=14, n=500, effect=0.0, detectors=1, horizon_s=300):
    """Return the columns of a world as numpy arrays in random order; `effect` bps is planted in detector d0."""
    rng = np.random.default_rng([seed, 77])
    parts = [
        _piece(rng, day, asset, f"d{d}", n, effect if d == 0 else 0.0, horizon_s)
        for day in range(days)
        for asset in ASSETS
        for d in range(detectors)
    ]
    order = rng.permutation(n * len(parts))
    return {name: np.concatenate([p[name] for p in parts])[order] for name in parts[0]}


def arrow(world):
    """Return a world as an Arrow table; NaN becomes null, ts a UTC timestamp."""
    columns = {}
    for name, values in world.items():
        if name == "ts" and values.dtype.kind == "i":
            columns[name] = pa.array(values, pa.timestamp("us", "UTC"))
        else:
            columns[name] = pa.array(values, from_pandas=True)
    return pa.table(columns)


def write_csv(world, path):
    """Write a world as CSV with ISO times."""
    pacsv.write_csv(arrow(world), path)


def write_parquet(world, path):
    """Write a world as Parquet."""
    pq.write_table(arrow(world), path)


def file_rows(world, name="a.csv"):
    """Return a world as the typed rows of one file, as a reader would."""

    def coded(values):
        names, codes = np.unique(values.astype(str), return_inverse=True)
        return Coded(tuple(names.tolist()), codes.astype(np.int32))

    def feature(values):
        return coded(values) if values.dtype.kind in "UO" else values.astype(np.float64)

    numbers = ("propensity", "payoff_bps", "paper_payoff_bps", "mfe_bps", "mae_bps", "p_hit")
    columns = {
        "ts": world["ts"],
        "asset": coded(world["asset"]),
        "detector_id": coded(world["detector_id"]),
        "horizon_s": world["horizon_s"].astype(np.int64),
        "published": world["published"].astype(np.bool_),
        **{k: world[k].astype(np.float64) for k in numbers if k in world},
        **{k: feature(v) for k, v in world.items() if k.startswith("x_")},
    }
    return FileRows(name, len(world["ts"]), columns)


def table(world):
    """Return a world as a table."""
    return table_of([file_rows(world)])


def rows_of(world, mask):
    """Return the rows of a world where the mask is true."""
    return {name: values[mask] for name, values in world.items()}
