"""How paper orders meet the market: what a marketable order takes, and what a resting one may claim of what passes.

A resting order joins behind the displayed size; trades at its price eat that queue first; a trade through its price,
or an opposite quote at or through it, fills it by no more than what was shown. Nothing is claimed twice: size taken is
gone until the book is shown again, and size that the book already showed gone does not eat the queue a second time.
Pure functions on integers. In the literature: queue position estimation in limit-order-book backtests (worst case).
"""

from lotus.trading.execution.orders import Side
from lotus_venues.ladder import Ladder, Level
from lotus_venues.paper_account.orders import UNSEEN, PaperOrder


def take(ladder: Ladder, side: int, lots: int, limit: int | None) -> list[Level]:
    """Take levels (price, lots) no worse than `limit` off the ladder; they are gone till the book is shown again."""
    taken = ladder.take(Side(side), lots, limit)
    levels = ladder.asks if side > 0 else ladder.bids
    if taken:
        last_px, last_lots = taken[-1]
        rest = levels[len(taken) - 1][1] - last_lots
        levels[: len(taken)] = [(last_px, rest)] if rest else []
    return taken


def shown_at(levels: list[Level], side: int, px: int) -> int:
    """Return the size shown at a price of one side: 0 inside the shown range, UNSEEN beyond its worst level."""
    for level_px, lots in levels:
        if level_px == px:
            return lots
        if (level_px - px) * side < 0:
            return 0
    return UNSEEN


def crossing(ladder: Ladder, side: int, px: int) -> int:
    """Return the opposite size shown at or through the price of a resting order."""
    return sum(lots for level_px, lots in (ladder.asks if side > 0 else ladder.bids) if (px - level_px) * side >= 0)


def join(order: PaperOrder, ladder: Ladder, venue_ms: int, taken: int) -> None:
    """Put an order at the end of the queue at its price; `taken` is what it just took as taker of what is shown."""
    order.queue = shown_at(ladder.bids if order.side > 0 else ladder.asks, order.side, order.limit)
    order.credit, order.crossed, order.joined_ms = 0, taken, venue_ms


def see_book(order: PaperOrder, ladder: Ladder) -> int:
    """Bring a resting order's queue up to what the book shows; return the lots that the opposite side fills."""
    shown = shown_at(ladder.bids if order.side > 0 else ladder.asks, order.side, order.limit)
    if shown != UNSEEN:
        if order.queue == UNSEEN:
            order.queue = shown
        elif shown < order.queue:
            order.credit += order.queue - shown
            order.queue = shown
    met = crossing(ladder, order.side, order.limit)
    fresh = max(0, met - order.crossed)
    order.crossed = max(order.crossed, met) if met else 0
    return min(order.left, fresh)


def see_trade(order: PaperOrder, px: int, lots: int, time_ms: int) -> int:
    """Return the lots of one trade (by an aggressor of the other side) that a resting order may claim."""
    beyond = (order.limit - px) * order.side
    if beyond < 0 or time_ms <= order.joined_ms:
        return 0
    if beyond > 0:
        order.queue = 0
        return min(order.left, lots)
    if order.queue == UNSEEN:
        return 0
    credited = min(order.credit, lots)
    order.credit -= credited
    eaten = min(order.queue, lots - credited)
    order.queue -= eaten
    return min(order.left, lots - credited - eaten)
