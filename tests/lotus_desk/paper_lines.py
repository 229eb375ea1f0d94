"""Lines of the feed as a paper account sees them, decoded, on one coin."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lotus.microtape.events import EventKind
from lotus.timebase import NS_PER_MS

PX = 1_000_000  # 100,000.0 USD
MS = NS_PER_MS


class Line(NamedTuple):
    """A line of the feed, decoded."""

    recv_ns: int
    kind: int
    asset: int
    payload: NDArray[np.int64]


def bbo(recv_ns: int, px: int, lots: int) -> Line:
    values = [px, lots, 1, px + 10, lots, 1]
    return Line(recv_ns, EventKind.BBO, 0, np.array(values, dtype=np.int64))


def trade(recv_ns: int, px: int, lots: int, side: int, tid: int) -> Line:
    values = [px, lots, side, recv_ns // MS, tid]
    return Line(recv_ns, EventKind.TRADES, 0, np.array(values, dtype=np.int64))


def context(recv_ns: int, mark: int, rate_e12: int = 0) -> Line:
    values = [rate_e12, 0, mark, mark, 2 * mark, 0, mark, mark]
    return Line(recv_ns, EventKind.CTX, 0, np.array(values, dtype=np.int64))
