"""One order's state from all reports about it, in any order and however often they are repeated.

Evidence only grows (the furthest live word, the strongest final word, the set of fills) and the state is a function of
it, so reordered, repeated and late messages converge: a join-semilattice. Filled size is the sum of unique fills. An
order of unknown fate stays `UNKNOWN` until the venue answers, and is never sent again. What to do about an order is
`lotus.trading.execution.executor`. In the literature: order state machine of an OMS; state-based CRDT.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from lotus.errors import VenueError
from lotus.trading.execution.orders import (
    NewOrder,
    OpenOrder,
    OrderState,
    OrderUpdate,
    TimeInForce,
    VenueFill,
    client_order_id,
)

ZERO = Decimal(0)
_LIVE = (OrderState.UNKNOWN, OrderState.WAITING, OrderState.RESTING)
_ENDED = (OrderState.NEVER_PLACED, OrderState.REJECTED, OrderState.CANCELED, OrderState.FILLED)
LIVE_RANK = {state: rank for rank, state in enumerate(_LIVE)}
END_RANK = {state: rank for rank, state in enumerate(_ENDED)}


class Purpose(StrEnum):
    """What an order of a plan is for; with the plan and its index it names the order."""

    ENTRY = "entry"
    STOP = "stop"
    TAKE_PROFIT = "take_profit"
    GUARD = "guard"  # a stop of its own, for what no grouped stop protects
    EXIT = "exit"


@dataclass(frozen=True, slots=True)
class TrackedOrder:
    """An order with all evidence about it. `order` is what the venue holds, `pending` a modify not answered yet.

    `live` and `ended` are the strongest states reported, `told_filled` the largest fill. Own clock: `answered_ms`
    when first answered, `seen_ms` when last reported live, `ended_ms` when first known to be over.
    """

    order: NewOrder
    purpose: Purpose
    index: int
    sent_ms: int
    live: OrderState = OrderState.UNKNOWN
    ended: OrderState | None = None
    oid: int | None = None
    fills: Mapping[str, VenueFill] = field(default_factory=dict)
    filled: Decimal = ZERO
    told_filled: Decimal = ZERO
    reason: str = ""
    would_cross: bool = False
    answered_ms: int | None = None
    ended_ms: int | None = None
    seen_ms: int | None = None
    asked_ms: int | None = None
    cancel_ms: int | None = None
    modify_ms: int | None = None
    pending: NewOrder | None = None
    doubtful: bool = False

    @property
    def client_id(self) -> str:
        """The order's permanent name."""
        return self.order.client_id

    @property
    def state(self) -> OrderState:
        """Where the order stands, by all reports.

        `FILLED` > `CANCELED` > `REJECTED` > `NEVER_PLACED`; the last yields to any sign that the order existed.
        """
        if self.filled >= self._full_size or self.ended is OrderState.FILLED:
            return OrderState.FILLED
        if self.ended in (OrderState.CANCELED, OrderState.REJECTED):
            return self.ended
        existed = self.live is not OrderState.UNKNOWN or self.oid is not None or bool(self.fills)
        if self.ended is OrderState.NEVER_PLACED and not existed:
            return OrderState.NEVER_PLACED
        return OrderState.RESTING if self.fills and self.live is OrderState.UNKNOWN else self.live

    @property
    def is_grouped(self) -> bool:
        """Whether it is a stop or a take-profit that lives and dies with its entry; one at rest is on its own."""
        return self.purpose is Purpose.STOP or (self.purpose is Purpose.TAKE_PROFIT and not self.may_rest)

    @property
    def may_rest(self) -> bool:
        """Whether it waits for its fill in the book: neither an immediate order nor a stop."""
        return self.order.tif is not TimeInForce.IOC and self.order.trigger is None

    @property
    def is_refused(self) -> bool:
        """Whether it never came to life, for another reason than a market that came to its price meanwhile."""
        state = self.state
        return state is OrderState.NEVER_PLACED or (state is OrderState.REJECTED and not self.would_cross)

    @property
    def left(self) -> Decimal:
        """Size that may still be filled: 0 for a final order, all that is open of one of unknown fate."""
        return ZERO if self.state.is_final else max(ZERO, self._full_size - self.filled)

    @property
    def taken(self) -> Decimal:
        """Size filled by the fills seen, or by what the venue says where that is more."""
        if self.ended is OrderState.FILLED and not self.told_filled:
            return max(self.filled, self.least_size)
        return max(self.filled, self.told_filled)

    @property
    def committed(self) -> Decimal:
        """Size that it filled or may still fill."""
        return max(self.taken, self.filled + self.left)

    @property
    def least_size(self) -> Decimal:
        """Size of the order, or the smaller of two while a modify is not answered."""
        return self.order.size if self.pending is None else min(self.order.size, self.pending.size)

    @property
    def fills_missing(self) -> bool:
        """Whether the venue reported more filled than its fills add up to."""
        return self.taken > self.filled

    @property
    def must_ask(self) -> bool:
        """Whether only the venue can say more: fate unknown, fills missing, a modify unanswered, or gone unseen."""
        if self.fills_missing:
            return True
        state = self.state
        return not state.is_final and (state is OrderState.UNKNOWN or self.pending is not None or self.doubtful)

    @property
    def overfilled(self) -> bool:
        """Whether the venue filled more than it was asked for."""
        return self.filled > self._full_size

    @property
    def _full_size(self) -> Decimal:
        return self.order.size if self.pending is None else max(self.order.size, self.pending.size)


def told(tracked: TrackedOrder, update: OrderUpdate, now_ms: int) -> TrackedOrder:
    """Return the order with a venue's report of `now_ms` (own clock); the same order where that is no news."""
    state = update.state
    live, ended = tracked.live, tracked.ended
    if state in LIVE_RANK:
        live = max(live, state, key=LIVE_RANK.__getitem__)
    elif ended is None or END_RANK[state] > END_RANK[ended]:
        ended = state
    unknown = state is OrderState.UNKNOWN
    after = replace(
        tracked,
        live=live,
        ended=ended,
        oid=tracked.oid if update.oid is None else update.oid,
        told_filled=max(tracked.told_filled, update.filled),
        reason=tracked.reason if ended is tracked.ended and tracked.reason else update.reason,
        would_cross=tracked.would_cross or update.would_cross,
        answered_ms=now_ms if tracked.answered_ms is None and not unknown else tracked.answered_ms,
        ended_ms=now_ms if tracked.ended_ms is None and state.is_final else tracked.ended_ms,
        seen_ms=now_ms if state in (OrderState.WAITING, OrderState.RESTING) else tracked.seen_ms,
        doubtful=tracked.doubtful and unknown,
    )
    return tracked if after == tracked else after


def filled(tracked: TrackedOrder, fill: VenueFill, now_ms: int) -> TrackedOrder:
    """Return the order with a fill, counted once however often it comes.

    Raises `VenueError` when a fill contradicts the order (coin, side) or the fill known under its id (size, price).
    """
    order, before = tracked.order, tracked.fills.get(fill.fill_id)
    if before is not None:
        if (before.size, before.px) != (fill.size, fill.px):
            raise VenueError(f"fill {fill.fill_id} is {fill.size} at {fill.px}", f"{before.size} at {before.px}")
        return tracked
    if (fill.coin, fill.side) != (order.coin, order.side) or fill.size <= 0:
        raise VenueError(
            f"fill {fill.fill_id} of {fill.size} {fill.coin} {fill.side.name} for order {order.client_id}",
            f"a positive size of {order.coin} {order.side.name}",
        )
    total = tracked.filled + fill.size
    return replace(
        tracked,
        fills={**tracked.fills, fill.fill_id: fill},
        filled=total,
        ended_ms=now_ms if tracked.ended_ms is None and total >= order.size else tracked.ended_ms,
        oid=fill.oid if tracked.oid is None else tracked.oid,
        answered_ms=now_ms if tracked.answered_ms is None else tracked.answered_ms,
    )


def modify_sent(tracked: TrackedOrder, wanted: NewOrder, now_ms: int) -> TrackedOrder:
    """Return the order with a modify under way, whose fate is unknown until `modify_answered` or `held`.

    The same modify may be sent again: it does nothing new. Raises `VenueError` when another one is under way or when
    anything but price, trigger and size would change.
    """
    same = replace(wanted, size=tracked.order.size, limit_px=tracked.order.limit_px, trigger=tracked.order.trigger)
    if tracked.pending not in (None, wanted) or same != tracked.order:
        raise VenueError(f"a modify of order {wanted.client_id}", "one at a time, of price, trigger and size alone")
    return replace(tracked, pending=wanted, modify_ms=now_ms)


def modify_answered(tracked: TrackedOrder, update: OrderUpdate, now_ms: int) -> TrackedOrder:
    """Return the order after the answer to its modify: taken when the order lives on without a reason of refusal."""
    after = told(tracked, update, now_ms)
    if update.state is OrderState.UNKNOWN or tracked.pending is None:
        return after
    taken = not update.state.is_final and not update.reason
    return replace(after, order=tracked.pending if taken else tracked.order, pending=None)


def held(tracked: TrackedOrder, seen: OpenOrder, now_ms: int) -> TrackedOrder:
    """Return the order after a snapshot of open orders that holds it; a final state reported before stays final.

    A modify under way is settled by the price, trigger and size that the venue holds.
    """
    state = OrderState.WAITING if seen.trigger is not None else OrderState.RESTING
    after = told(tracked, OrderUpdate(tracked.client_id, state, now_ms, seen.oid, seen.size - seen.left), now_ms)
    pending = tracked.pending
    if pending is None:
        return after
    taken = (seen.limit_px, seen.trigger) == (pending.limit_px, pending.trigger) and seen.left <= pending.size
    return replace(after, order=pending if taken else tracked.order, pending=None)


def absent(tracked: TrackedOrder, snapshot_ms: int) -> TrackedOrder:
    """Return the order after a snapshot taken at `snapshot_ms` (own clock) that does not hold it.

    Nothing is concluded: an order sent before the snapshot and not final is asked for by name.
    """
    if tracked.state.is_final or tracked.sent_ms >= snapshot_ms:
        return tracked
    return replace(tracked, doubtful=True)


def possible_ids(plan_id: str, most: int = 64) -> dict[str, tuple[Purpose, int]]:
    """Return every client id that a plan's first `most` orders of each purpose can have, with what it names."""
    return {client_order_id(plan_id, p.value, k): (p, k) for p in Purpose for k in range(most)}


def adopted(seen: OpenOrder, purpose: Purpose, index: int, now_ms: int) -> TrackedOrder:
    """Return an order that the venue holds under a name of ours and that nothing here remembers."""
    tif = TimeInForce.GTC
    order = NewOrder(
        client_id=seen.client_id,
        coin=seen.coin,
        side=seen.side,
        size=seen.size,
        limit_px=seen.limit_px,
        tif=tif,
        reduce_only=seen.reduce_only,
        trigger=seen.trigger,
    )
    return held(TrackedOrder(order, purpose, index, seen.placed_ms), seen, now_ms)


def adopted_by(fill: VenueFill, purpose: Purpose, index: int, most: Decimal) -> TrackedOrder:
    """Return an order under a name of ours, known from a fill alone: of `most` size at first, the venue is asked."""
    size, reduces = max(most, fill.size), purpose is not Purpose.ENTRY
    order = NewOrder(
        client_id=fill.client_id,
        coin=fill.coin,
        side=fill.side,
        size=size,
        limit_px=fill.px,
        tif=TimeInForce.IOC,
        reduce_only=reduces,
    )
    return replace(TrackedOrder(order, purpose, index, fill.time_ms), doubtful=True)
