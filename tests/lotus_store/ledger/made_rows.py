"""Rows made by hand for the repositories of the ledger."""

from typing import Any

import numpy as np

from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS


def table(columns: Any, n: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Random rows of a specification: extreme integers, NaN, texts of different lengths."""
    random = np.random.default_rng(seed)
    made: dict[str, np.ndarray] = {}
    for column in columns:
        kind = column.dtype
        if kind == "text":
            words = np.array(["", "a", "ETH", "a longer text", "é€😀"], dtype=object)
            made[column.name] = words[random.integers(0, len(words), n)]
        elif kind == "?":
            made[column.name] = random.random(n) < 0.5
        elif kind == "f8":
            made[column.name] = np.where(random.random(n) < 0.2, np.nan, random.normal(size=n))
        else:
            info = np.iinfo(kind)
            made[column.name] = random.integers(info.min, info.max, n, dtype=kind, endpoint=True)
    return made


def some_events(n: int, branch: str = "main", seed: int = 0) -> dict[str, np.ndarray]:
    rows = table(SIGNAL_EVENTS.columns, n, seed)
    rows["event_id"] = np.array([f"{branch}-{seed}-{i:020d}" for i in range(n)], dtype=object)
    rows["branch"] = np.full(n, branch, dtype=object)
    rows["window_end_ms"] = 1_735_800_000_000 + np.arange(n) * 5000
    return rows
