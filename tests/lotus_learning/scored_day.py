"""Events and outcomes of one day, for scores."""

import numpy as np

from lotus.priors.vocabulary import BIN_COLUMNS
from lotus.timebase import HOUR_MS, day_start_ms

DAY = "2025-01-07"


def tables(n=60, seed=0):
    rng = np.random.default_rng(seed)
    ids = np.array([f"{i:032x}" for i in rng.permutation(n)], dtype=object)
    pi = rng.choice([0.0, 0.02, 0.3, 0.98], n)
    published = rng.random(n) < pi
    end = day_start_ms(DAY) + HOUR_MS * rng.integers(0, 20, n)
    events = {
        "event_id": ids,
        "pi": pi,
        "u0": rng.normal(size=n),
        "published": published,
        "spec_version": np.ones(n, dtype=np.int32),
        **{name: rng.integers(0, 3, n).astype(np.uint8) for name in BIN_COLUMNS},
    }
    pick = rng.permutation(n)[: n // 2]
    evaluated = {
        "event_id": ids[pick],
        "detector_id": np.full(len(pick), "d", dtype=object),
        "asset": np.full(len(pick), "BTC", dtype=object),
        "horizon_s": np.full(len(pick), 30, dtype=np.int32),
        "window_end_ms": end[pick],
        "maturity_ms": end[pick] + 2 * HOUR_MS,
        "payoff_p": rng.normal(size=len(pick)),
        "payoff_y": np.where(published[pick], rng.normal(size=len(pick)), np.nan),
        "hit": np.ones(len(pick)),
        "fill_source": np.where(published[pick], "tape_sim", "").astype(object),
        "status": rng.choice(["ok", "gap"], len(pick), p=[0.8, 0.2]).astype(object),
    }
    return events, evaluated
