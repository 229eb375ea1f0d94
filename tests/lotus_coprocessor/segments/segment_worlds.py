"""Days of windows in which a market goes through states, or through none."""

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.segment_list import STORED_COLUMNS
from lotus.timebase import day_start_ms, next_day

WINDOW_MS = 5_000
Day = dict[str, NDArray[np.generic]]


def days_of(
    seed: int, many: int, levels: tuple[tuple[float, float], ...], noise: float = 0.25, coins: tuple[str, ...] = ("A",)
) -> list[Day]:
    """Days of windows, 6 hours each, in states of mean (ln vol, ln spread) that last some 40 minutes."""
    rng, out, day = np.random.default_rng(seed), list[Day](), "2026-01-05"
    for _ in range(many):
        windows = 6 * 720
        parts = []
        for k, coin in enumerate(coins):
            state = np.repeat(rng.integers(0, len(levels), windows // 480 + 1), 480)[:windows]
            means = np.array(levels)[state]
            x = {name: np.full(windows, np.nan) for name in STORED_COLUMNS}
            x["x_vol"] = np.exp(means[:, 0] + k + noise * rng.standard_normal(windows))
            x["x_spread"] = np.exp(means[:, 1] - k + noise * rng.standard_normal(windows))
            x["x_depth_slope"] = 0.1 * rng.standard_normal(windows)
            ends = day_start_ms(day) + WINDOW_MS * np.arange(1, windows + 1)
            parts.append({"asset": np.full(windows, coin, object), "window_end_ms": ends, **x})
        out.append({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
        day = next_day(day)
    return out
