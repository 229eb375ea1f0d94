"""How a span lies in memory for the renderer: a few plain integer arrays and the names of their columns.

Compiled functions take two or three of these instead of dozens of small arrays. Only names and sizes belong here.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Stream = NDArray[np.uint64]

RING = 32  # slots of one side of a book, a power of two
REPLAYED = 30  # trades sent again at every connect
LATE_SLOTS, LATE_BYTES = 24, 1 << 12


class At(IntEnum):
    """Columns of a span's path [blocks, assets, :]."""

    BID = 0  # ticks
    SPREAD = 1  # ticks
    STEEP = 2  # 0 flat, 1 steep book
    TILT = 3  # 0, +-1 imbalance, +-2 micro-drift, a hole in the near book +-3 with, +-4 without, +-5 of the touch
    VACUUM = 4  # side whose depth is gone: 0, +1 asks, -1 bids
    SWEEP = 5  # aggressor of a sweep: 0, +-1; of a run of small trades: +-2
    QUIET = 6  # 1 while a stall holds trades back, 2 where hardly anybody trades
    BASIS = 7  # micro-bps
    FUNDING = 8  # 10^-10
    INTEREST = 9  # lots


class Trait(IntEnum):
    """Columns of an asset's constants [assets, :]."""

    TICK = 0  # px units
    TOP_LOTS = 1
    PX_DECIMALS = 2
    SZ_DECIMALS = 3
    PREV_DAY = 4  # px units
    COIN_LENGTH = 5


class Rate(IntEnum):
    """Cadences in blocks and chances."""

    FAST = 0
    SLOW = 1
    CTX = 2
    PONG = 3
    RESIZE_Q8 = 4
    TRADE_Q10 = 5
    LATE_Q10 = 6


class Now(IntEnum):
    """Columns of an asset's changing state [assets, :]."""

    BID_HEAD = 0  # ring position of the best bid
    ASK_HEAD = 1
    QUOTE = 2  # six columns: bid px, lots, orders, ask px, lots, orders
    TRADES = 8  # trades so far
    SIDE = 9  # last aggressor
    VOLUME = 10  # lots
    NOTIONAL = 11  # 10^-6 USD


class SpanLayout(NamedTuple):
    """What does not change while a span is written."""

    path: Ints  # [blocks, assets, At]
    time_ms: Ints  # [blocks]
    traits: Ints  # [assets, Trait]
    rates: Ints  # [Rate]
    coins: Bytes  # [assets, 16]
    connects: Ints  # [n, 2]: first block of silence, block of the connect
    acks: Bytes  # lines of acknowledgement
    ack_ends: Ints


class WriterState(NamedTuple):
    """What changes while a span is written."""

    random: Stream  # [4]
    levels: Ints  # [assets, 2, RING]: size factor in 256ths + 65536 x orders
    now: Ints  # [assets, Now]
    shown: Ints  # [2, 2, LEVELS]: side, (lots, orders), level
    memory: Ints  # [assets, REPLAYED, TRADE_FIELDS] ring of trades
    prints: Ints  # [LEVELS, TRADE_FIELDS] one message of trades
    late: Bytes  # [LATE_SLOTS, LATE_BYTES]
    late_state: Ints  # [LATE_SLOTS, 2]: length (0 = free), due block
    clock: Ints  # [2]: last receive stamp in us, next connect
