"""Quotes, gaps and events made by hand."""

import numpy as np

from lotus.timebase import day_start_ms

MS = 1_000_000
DAY = "2025-01-02"
T0 = day_start_ms(DAY)


def quotes_of(seconds, mids, half_spread=2, size=10_000_000, asset=0, lag_ms=50):
    """Build quotes at `seconds` after T0 (venue), received `lag_ms` later; prices in integer units."""
    times = T0 + (np.asarray(seconds) * 1000).astype(np.int64)
    n = len(times)
    mid = np.asarray(mids, dtype=np.int64)
    return {
        "asset": np.full(n, asset, dtype=np.int16),
        "seq": np.arange(n),
        "recv_ns": (times + lag_ms) * MS,
        "time_ms": times,
        "bid_px": mid - half_spread,
        "bid_sz": np.full(n, size),
        "ask_px": mid + half_spread,
        "ask_sz": np.full(n, size),
    }


def events_of(ends_s, *, s=0.5, published=True, horizon=30, asset="BTC", detector="d", spread=0.5, funding=0.0):
    n = len(ends_s)
    end = T0 + (np.asarray(ends_s) * 1000).astype(np.int64)
    return {
        "event_id": np.array([f"{detector}-{asset}-{e}" for e in end], dtype=object),
        "detector_id": np.full(n, detector, dtype=object),
        "asset": np.full(n, asset, dtype=object),
        "window_start_ms": end - 5_000,
        "window_end_ms": end,
        "close_recv_ns": (end + 100) * MS,
        "horizon_s": np.full(n, horizon, dtype=np.int32),
        "s": np.broadcast_to(np.asarray(s, dtype=float), n).copy(),
        "spread_bps": np.full(n, spread),
        "x_funding": np.full(n, funding),
        "published": np.broadcast_to(np.asarray(published), n).copy(),
    }
