"""MICROTAPE_PRINTS: every print of a day, each once, in the order in which it came.

What an order at rest waits for; frames hold sums of them only. Nothing is computed here. In the literature: time and
sales.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.microtape.events import TRADE_WIDTH, EventBatch, EventKind

MICROTAPE_PRINTS: Final = TableSpec(
    "microtape_prints",
    ("asset", "seq", "place"),
    (
        Column("asset", "i2", "index", "position in the universe", low=0),
        Column("seq", "i8", "line", "line number of the message in its day's tape"),
        Column("place", "i8", "", "place of the print in its message", low=0),
        Column("recv_ns", "i8", "ns UTC", "receive stamp"),
        Column("time_ms", "i8", "ms UTC", "venue time of the print"),
        Column("px", "i8", "price units", "price", low=1),
        Column("sz", "i8", "lots", "size", low=0),
        Column("side", "i8", "sign", "of the aggressor: 1 bought, -1 sold", low=-1, high=1),
    ),
)
_WIDTH: Final = len(MICROTAPE_PRINTS.columns)


def prints_in(batch: EventBatch) -> NDArray[np.int64]:
    """Return the prints of a batch in arrival order: int64[k, 8], columns as `MICROTAPE_PRINTS`."""
    rows = np.flatnonzero(batch.kind == EventKind.TRADES)
    first = batch.off[rows]
    counts = (batch.off[rows + 1] - first) // TRADE_WIDTH
    place = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    at = np.repeat(first, counts) + TRADE_WIDTH * place
    out = np.empty((len(at), _WIDTH), np.int64)
    out[:, 0], out[:, 1] = np.repeat(batch.asset[rows], counts), np.repeat(batch.seq[rows], counts)
    out[:, 2], out[:, 3] = place, np.repeat(batch.recv_ns[rows], counts)
    px, sz, side, time_ms = (batch.pool[at + k] for k in range(4))
    out[:, 4], out[:, 5], out[:, 6], out[:, 7] = time_ms, px, sz, side
    return out


def print_columns(prints: NDArray[np.int64], asset: int | None = None) -> dict[str, NDArray[np.generic]]:
    """Return the columns of `MICROTAPE_PRINTS` in its types, of one asset or of all."""
    rows = prints if asset is None else prints[prints[:, 0] == asset]
    spec = MICROTAPE_PRINTS
    return {c.name: rows[:, k].astype(spec.numpy_dtype(c.name)) for k, c in enumerate(spec.columns)}
