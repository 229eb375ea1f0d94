"""The simulated order book: sizes that stand at prices, change by themselves, and show the pattern in force.

Each side is a ring of size factors, so that a move of the best quote costs as many draws as ticks. Displayed sizes are
factor x profile of the depth x pattern: what a detector sees never feeds back into a price. Trades are drawn here too.
"""

import numpy as np

from lotus.jit import kernel
from lotus.simulation.layout import REPLAYED, RING, At, Ints, Now, Stream, Trait
from lotus.simulation.rng import below, next_u64
from lotus.simulation.wire_text import LEVELS, TRADE_FIELDS

BOOK, TRADE, STAMP, EXTRA = range(4)  # slots of the random state
_MASK = RING - 1
_TID_BITS = np.uint64((1 << 50) - 1)
_LEVEL_BITS = 1 << 16
# size by depth in 256ths, equal totals: a flat book is heavy in front, a steep one behind
_PROFILE = np.array([[431 - 19 * i for i in range(LEVELS)], [70 + 20 * i for i in range(LEVELS)]], dtype=np.int64)
_NEAR = 5  # levels that an imbalance tilts (but the first) and a vacuum leaves
_TOP_WITH, _TOP_AGAINST, _NEAR_WITH, _NEAR_AGAINST, _GONE = 410, 128, 1_150, 218, 38  # 256ths of a displayed size
_HOLE, _BEHIND, _TOUCH = 3, 4, 5  # tilts that take the near levels away: all, all but the touch, the touch
_LEFT = 16  # what such a tilt leaves, in 256ths
_AT_BID, _AT_SPREAD, _AT_STEEP, _AT_TILT = int(At.BID), int(At.SPREAD), int(At.STEEP), int(At.TILT)
_AT_VACUUM, _AT_SWEEP, _AT_QUIET = int(At.VACUUM), int(At.SWEEP), int(At.QUIET)
_TICK, _TOP_LOTS = int(Trait.TICK), int(Trait.TOP_LOTS)
_TRADES, _SIDE, _VOLUME, _NOTIONAL = int(Now.TRADES), int(Now.SIDE), int(Now.VOLUME), int(Now.NOTIONAL)


@kernel
def _draw_level(random: Stream) -> int:
    bits = below(random, BOOK, 512)
    return 176 + 2 * (bits & 63) + _LEVEL_BITS * (1 + (bits >> 6))


@kernel
def fill(random: Stream, levels: Ints) -> None:
    """Draw every level of one asset's two sides [2, RING]."""
    for slot in range(RING):
        levels[0, slot] = _draw_level(random)
        levels[1, slot] = _draw_level(random)


@kernel
def _shift(random: Stream, levels: Ints, now: Ints, side: int, steps: int) -> None:
    """Move one side's ring: steps > 0 puts new levels in front, < 0 eats the front and grows the back."""
    head = (now[side] - steps) & _MASK
    now[side] = head
    for i in range(min(steps, RING)):
        levels[side, (head + i) & _MASK] = _draw_level(random)
    for i in range(min(-steps, RING)):
        levels[side, (head - 1 - i) & _MASK] = _draw_level(random)


@kernel
def evolve(random: Stream, levels: Ints, now: Ints, before: Ints, at: Ints, resize_q8: int) -> None:
    """Bring one asset's book from the block `before` to the block `at`: shift with the quotes, resize some levels."""
    up_bid = at[_AT_BID] - before[_AT_BID]
    up_ask = up_bid + at[_AT_SPREAD] - before[_AT_SPREAD]
    if up_bid != 0:
        _shift(random, levels, now, 0, up_bid)
    if up_ask != 0:
        _shift(random, levels, now, 1, -up_ask)
    bits = below(random, BOOK, 1 << 24)
    for side in range(2):
        if (bits >> (8 * side)) & 255 < resize_q8:
            levels[side, now[side] & _MASK] = _draw_level(random)
        level = 1 + ((bits >> 16) + 7 * side) % (LEVELS - 1)
        levels[side, (now[side] + level) & _MASK] = _draw_level(random)


@kernel
def show(shown: Ints, levels: Ints, now: Ints, at: Ints, top_lots: int, depth: int) -> None:
    """Compute displayed lots and orders of `depth` levels from factors, steepness and the pattern in force."""
    for side in range(2):
        tilt = at[_AT_TILT] if side == 0 else -at[_AT_TILT]
        gone = at[_AT_VACUUM] == (1 if side == 1 else -1)
        for i in range(depth):
            level = levels[side, (now[side] + i) & _MASK]
            lots = top_lots * _PROFILE[at[_AT_STEEP], i] * (level & (_LEVEL_BITS - 1)) >> 16
            if i == 0 and (tilt == 2 or tilt == -2):
                lots = lots * (_TOP_WITH if tilt > 0 else _TOP_AGAINST) >> 8
            elif 0 < i < _NEAR and (tilt == 1 or tilt == -1):
                lots = lots * (_NEAR_WITH if tilt > 0 else _NEAR_AGAINST) >> 8
            elif (i == 0 and tilt in (-_HOLE, -_TOUCH)) or (0 < i < _NEAR and tilt in (-_HOLE, -_BEHIND)):
                lots = lots * _LEFT >> 8
            elif i >= _NEAR and gone:
                lots = lots * _GONE >> 8
            shown[side, 0, i] = max(1, lots)
            shown[side, 1, i] = level >> 16


@kernel
def trade_lots(random: Stream, top_lots: int) -> int:
    """Draw the size of an ordinary trade: from half the best quote's size down to a hundredth of that."""
    bits = below(random, TRADE, 1 << 16)
    return max(1, (top_lots * (1 + (bits & 31)) >> 6) >> ((bits >> 5) % 7))


@kernel
def remember(random: Stream, memory: Ints, now: Ints, px: int, lots: int, side: int, time_ms: int) -> int:
    """Store a trade in the ring [REPLAYED, TRADE_FIELDS]; return its row."""
    row = int(now[_TRADES]) % REPLAYED
    now[_TRADES] += 1
    memory[row, 0] = px
    memory[row, 1] = lots
    memory[row, 2] = side
    memory[row, 3] = time_ms
    memory[row, 4] = np.int64(next_u64(random, TRADE) & _TID_BITS)
    return row


@kernel
def _aggressor(bits: int, last: int, moved: int) -> int:
    if moved != 0 and bits & 3 != 0:
        return 1 if moved > 0 else -1
    return last if bits >> 2 & 15 < 9 else -last


@kernel
def trade(
    random: Stream, prints: Ints, memory: Ints, now: Ints, before: Ints, at: Ints, trait: Ints, shown: Ints,
    time_ms: int, trade_q10: int,
) -> int:  # fmt: skip
    """Draw the trades of a block against the book before it; return their number (rows of `prints`).

    A sweep takes several levels of what was `shown` with one message, a run (+-2) is one small trade in every block;
    other trades lean with the block's move.
    """
    bits = below(random, TRADE, 1 << 30)
    sweep = at[_AT_SWEEP] if -2 < at[_AT_SWEEP] < 2 else 0
    run = at[_AT_SWEEP] // 2 if sweep == 0 else 0
    if run != 0:
        count = 1
    elif sweep != 0:
        count = 4 + bits % 3
    elif bits & 1023 < (trade_q10 >> (3 * at[_AT_QUIET])):
        count = 1 + (1 if bits >> 10 & 3 == 0 else 0) + (1 if bits >> 12 & 3 == 0 else 0)
    else:
        return 0
    side = (
        sweep if sweep != 0 else run if run != 0 else _aggressor(bits >> 14, now[_SIDE], at[_AT_BID] - before[_AT_BID])
    )
    now[_SIDE] = side
    best = before[_AT_BID] + (before[_AT_SPREAD] if side > 0 else 0)
    for i in range(count):
        lots = trade_lots(random, trait[_TOP_LOTS])
        if sweep != 0:
            lots = lots // 4 + shown[1 if side > 0 else 0, 0, i] // 2
        elif run != 0:
            lots = 1 + lots // 2
        px = (best + (side * i if sweep != 0 else 0)) * trait[_TICK]
        row = remember(random, memory, now, px, lots, side, time_ms)
        for field in range(TRADE_FIELDS):
            prints[i, field] = memory[row, field]
        now[_VOLUME] += lots
        now[_NOTIONAL] += lots * px
    return count
