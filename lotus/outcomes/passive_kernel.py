"""The life of one order at rest against a tape, quote by quote and print by print, with two bounds of its fill.

The order goes to the own side's best, or a tick inside a spread of two ticks and more, and stands behind all size shown
at its price. Low (pessimistic): only prints at its price or through it, newer than its arrival, bring it forward. High
(optimistic): size that left the level without a print left before and behind it in proportion, an empty level has
nobody ahead, and a quote of the other side at its price fills it. When the best leaves it behind it is sent after it,
at most every 500 ms and 20 times; it arrives a latency later, at the back. Where it goes depends on quotes alone, so
both bounds live through the same moves. In the literature: queue position of a limit order, pegged order.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.entry_style import MOST_REPEGS, REPEG_EVERY_MS
from lotus.jit import kernel
from lotus.timebase import NS_PER_MS

Ints = NDArray[np.int64]
ROUNDING: Final = 1e-9  # lots
_EVERY_NS: Final[int] = REPEG_EVERY_MS * NS_PER_MS

ORDER: Final = np.dtype(
    [
        ("side", "i8"),  # 1 buys, -1 sells
        ("improves", "i8"),
        ("px", "i8"),
        ("placed_ns", "i8"),
        ("newest_ms", "i8"),  # venue time of the newest message at its arrival: older prints are not its own
        ("moves_ns", "i8"),  # when the move that is under way arrives; 0: none is
        ("moves", "i8"),
        ("shown", "i8"),  # size at its price when that was the best last
        ("traded", "i8"),  # lots printed there since
        ("ahead_low", "i8"),
        ("left_low", "i8"),
        ("cost_low", "i8"),  # sum of price times lots
        ("filled_low_ns", "i8"),  # receive stamp of the last fill
        ("ahead_high", "f8"),
        ("left_high", "i8"),
        ("cost_high", "i8"),
        ("filled_high_ns", "i8"),
    ]
)


@kernel
def tick_at(px: int, px_decimals: int) -> int:
    """Return the venue's tick at a price: five significant figures, whole USD always allowed (`tape_fill`)."""
    tick, digits, rest = 1, 0, px
    while rest > 0:
        rest //= 10
        digits += 1
    for _ in range(min(max(digits - 5, 0), px_decimals)):
        tick *= 10
    return tick


@kernel
def place(o: Any, recv_ns: int, newest_ms: int, quote: tuple[int, int, int, int], px_decimals: int) -> None:
    """Let the order arrive with a quote (bid, its size, ask, its size): at the back of its price."""
    own, size = (quote[0], quote[1]) if o.side > 0 else (quote[2], quote[3])
    tick = tick_at(own, px_decimals)
    if o.improves != 0 and quote[2] - quote[0] >= 2 * tick:
        own, size = own + o.side * tick, 0
    o.px, o.shown, o.traded = own, size, 0
    o.ahead_low, o.ahead_high = size, float(size)
    o.placed_ns, o.newest_ms, o.moves_ns = recv_ns, newest_ms, 0


@kernel
def see_print(o: Any, recv_ns: int, time_ms: int, px: int, lots: int, aggressor: int) -> None:
    """Let a print bring the order forward and fill it."""
    beyond = (o.px - px) * o.side
    if aggressor == o.side or time_ms <= o.newest_ms or beyond < 0:
        return
    passed_low, passed_high = 0, 0.0
    if beyond == 0:
        passed_low, passed_high = min(o.ahead_low, lots), min(o.ahead_high, float(lots))
        o.ahead_low -= passed_low
        o.ahead_high -= passed_high
        o.traded += lots
    low, high = min(o.left_low, lots - passed_low), min(o.left_high, int(lots - passed_high + ROUNDING))
    if low > 0:
        o.left_low -= low
        o.cost_low += low * o.px
        o.filled_low_ns = recv_ns
    if high > 0:
        o.left_high -= high
        o.cost_high += high * o.px
        o.filled_high_ns = recv_ns


@kernel
def see_quote(o: Any, recv_ns: int, quote: tuple[int, int, int, int], latency_ns: int) -> bool:
    """Take in a quote; return whether the order arrives with it at a new place (then `place` has to follow)."""
    own, shown, other = (quote[0], quote[1], quote[2]) if o.side > 0 else (quote[2], quote[3], quote[0])
    if (o.px - other) * o.side >= 0 and o.left_high > 0:
        o.cost_high += o.left_high * o.px
        o.left_high, o.filled_high_ns = 0, recv_ns
    behind = (own - o.px) * o.side
    if behind == 0:
        expected = o.shown - o.traded
        gone = expected - shown
        if gone > 0 and expected > 0:
            o.ahead_high -= o.ahead_high * gone / expected
        o.ahead_high = min(o.ahead_high, float(shown))
        o.shown, o.traded = shown, 0
    elif behind < 0:
        o.ahead_high, o.shown, o.traded = 0.0, 0, 0
    if o.moves_ns != 0:
        if recv_ns < o.moves_ns:
            return False
        o.moves += 1
        return True
    if behind > 0 and o.moves < MOST_REPEGS and recv_ns - o.placed_ns >= _EVERY_NS:
        o.moves_ns = recv_ns + latency_ns
    return False


@kernel
def rest_orders(
    orders: Any,
    ends: Ints,
    quotes: Ints,
    newest_ms: Ints,
    after: Ints,
    prints: Ints,
    terms: tuple[int, int],
) -> None:
    """Live every order through its stretch of tape; fills are left in `orders`.

    `orders`: ORDER[n] with side, improves and what is left; `ends` [n, 2]: the quotes with which each arrives and ends
    (what comes before the last one still counts); `quotes` [q, 6]: receive stamp, venue time, bid, size, ask, size;
    `newest_ms` [q] as of each quote; `after` [q + 1]: the first print after each; `prints` [p, 5]: receive stamp, venue
    time, price, lots, aggressor; `terms`: latency in ns, decimals of the price unit.
    """
    latency_ns, px_decimals = terms
    for k in range(len(orders)):
        o = orders[k]
        first, last = ends[k, 0], ends[k, 1]
        quote = (quotes[first, 2], quotes[first, 3], quotes[first, 4], quotes[first, 5])
        place(o, quotes[first, 0], newest_ms[first], quote, px_decimals)
        for i in range(first, last):
            for j in range(after[i], after[i + 1]):
                see_print(o, prints[j, 0], prints[j, 1], prints[j, 2], prints[j, 3], prints[j, 4])
            if o.left_low == 0 and o.left_high == 0:
                break
            if i + 1 < last:
                quote = (quotes[i + 1, 2], quotes[i + 1, 3], quotes[i + 1, 4], quotes[i + 1, 5])
                if see_quote(o, quotes[i + 1, 0], quote, latency_ns):
                    place(o, quotes[i + 1, 0], newest_ms[i + 1], quote, px_decimals)
