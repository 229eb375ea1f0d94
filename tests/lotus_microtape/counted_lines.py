"""A frame machine whose executed lines are counted."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from lotus.manifest import Asset, KernelDefaults, Manifest
from lotus.microtape.events import EventBatch, EventInput, EventKind, book_values, build_batch
from lotus.microtape.frames import machine, step
from lotus.microtape.frames.state import new_params, new_state

UNIVERSE = (Asset("BTC", 5),)
SECOND = 1_000  # cadence: 10^5 frames are 28 hours, beyond the rescaling of the histograms
MANIFEST = replace(Manifest(), kernel=KernelDefaults(cadence_ms=SECOND))
PERIOD, PIECE, PIECES, MEASURED = 60, 2_040, 50, 120


def events_of(first: int, last: int, market: str) -> EventBatch:
    """Six events a frame: both books, a quote, two messages of prints, a context; all but the fall has period 60."""
    out: list[EventInput] = []
    for k in range(first, last):
        t, bid = k * SECOND, 4_000_000 - 3 * k if market == "falling" else 4_000_000 + 10 * (k * 7 % PERIOD)
        bids, asks = ([(bid - d, 5 + d, 1) for d in range(20)], [(bid + 3 + d, 7 + d, 1) for d in range(20)])
        size = 100 + 37 * (k % PERIOD)
        rows: list[tuple[int, EventKind, tuple[int, ...]]] = [
            (t, EventKind.BOOK, book_values(bids, asks)),
            (t + 100, EventKind.FAST, book_values(bids[:5], asks[:5])),
            (t + 200, EventKind.BBO, (bid, 5 + k % 6, 1, bid + 3, 9, 1)),
            (t + 500, EventKind.TRADES, (bid + 3, size, 1, t + 500, 0)),
            (t + 500, EventKind.TRADES, (bid, size, -1, t + 500, 0)),
            (-1, EventKind.CTX, (10, 1_000 + k % PERIOD, 4_000_000, 0, 0, 0, 0, 0)),
        ]
        out += [EventInput(k * 10 + i, at, k * 10 + i, kind, 0, v) for i, (at, kind, v) in enumerate(rows)]
    return build_batch(out)


def places(batch: EventBatch) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return where in the pool prices and the times of prints stand."""
    price, time = np.zeros(len(batch.pool), np.bool_), np.zeros(len(batch.pool), np.bool_)
    for i in np.flatnonzero(batch.kind != EventKind.CTX):
        start, width = {1: (2, 3), 2: (2, 3), 3: (0, 3), 4: (0, 5)}[int(batch.kind[i])]
        price[batch.off[i] + start : batch.off[i + 1] : width] = True
        time[batch.off[i] + 3] = batch.kind[i] == EventKind.TRADES
    return price, time


@cache
def after(pieces: int, market: str) -> np.ndarray[Any, Any]:
    """Return the state after so many pieces of tape."""
    params, blank, state = new_params(MANIFEST), new_state(UNIVERSE), new_state(UNIVERSE)
    piece = events_of(0, PIECE, market)
    price, time = places(piece)
    for k in range(pieces):
        pool, ms, lines = piece.pool.copy(), k * PIECE * SECOND, k * PIECE * 10
        pool[price] -= 3 * k * PIECE if market == "falling" else 0
        pool[time] += ms
        time_ms = np.where(piece.time_ms >= 0, piece.time_ms + ms, -1)
        later = replace(piece, recv_ns=piece.recv_ns + lines, time_ms=time_ms, seq=piece.seq + lines, pool=pool)
        run(later, PIECE, state, blank, params)
    return state


def run(batch: EventBatch, rows: int, state: Any, blank: Any, params: Any) -> np.ndarray[Any, Any]:
    n_ints, n_floats = machine.N_INTS, machine.N_FLOATS
    ints, floats = np.zeros((rows + 1, n_ints), np.int64), np.zeros((rows + 1, n_floats))
    quotes, gaps, counts = np.zeros((len(batch), 8), np.int64), np.zeros((1, 4), np.int64), np.zeros(3, np.int64)
    step.run(
        state, blank, params,
        batch.recv_ns, batch.time_ms, batch.seq, batch.kind, batch.asset, batch.off, batch.pool,
        ints, floats, quotes, gaps, counts,
    )  # fmt: skip
    return floats[: counts[0]]
