"""The whole state of a paper account as one value: it can be stored, given back, and goes on as if nothing happened.

Only data and its two conversions live here. In the literature: the memento pattern; state machine replication.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from lotus.errors import LedgerError
from lotus.manifest import Asset
from lotus.timebase import NS_PER_MS
from lotus.trading.execution.orders import OrderState
from lotus_venues.ladder import Ladder
from lotus_venues.paper_account.orders import UNSEEN, PaperFill, PaperFunding, PaperOrder, PaperPosition, Quote, Request

Stored = Mapping[str, Any]
MOST_OUTAGES = 20


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch in which the account saw no market, with the orders that rested and the coins that were held in it."""

    from_ms: int
    until_ms: int
    resting: int
    held: int


@dataclass(slots=True)
class PaperState:
    """Everything a paper account knows. Lists by asset stand in the order of `coins`.

    `open_ids` are the orders that are not final, oldest first; `cash_micro` is the deposit plus everything realised.
    `line_ns` and `line_nth` name the last line of the feed that it was shown, by its stamp and its number of that
    stamp; `outages` are the latest it could not see, `paid` the funding of the last hours.
    """

    coins: list[tuple[str, int]]
    cash_micro: int
    now_ns: int = 0
    venue_ms: int = 0
    hour: int = -1
    next_oid: int = 1
    next_fill: int = 1
    next_request: int = 1
    fees_micro: int = 0
    funding_micro: int = 0
    cancel_at_ms: int | None = None
    ladders: list[Ladder] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    positions: list[PaperPosition] = field(default_factory=list)
    open_ids: list[list[str]] = field(default_factory=list)
    on_way: list[Request] = field(default_factory=list)
    line_ns: int = 0
    line_nth: int = 0
    outages: list[Outage] = field(default_factory=list)
    paid: list[PaperFunding] = field(default_factory=list)
    orders: dict[str, PaperOrder] = field(default_factory=dict)
    fills: list[PaperFill] = field(default_factory=list)


class PaperStore(Protocol):
    """Keeps one paper account. A change is {"head": ..., "orders": [...], "fills": [...]} of plain JSON values.

    It may also hold `marks`, for readers. `save` is called in another thread than the account's; it is atomic and
    durable when it returns, and raises `LedgerError` when it cannot: the head replaces the last one, orders replace
    those of the same `client_id`, fills are added by `number` (perhaps a second time). `load` returns all of it in the
    same form, None before the first `save`; what ended long ago may be missing.
    """

    def load(self) -> Stored | None:
        """Return what was saved."""
        ...

    def save(self, change: Stored) -> None:
        """Keep a change."""
        ...


def fresh_state(universe: Sequence[Asset], cash_micro: int, leverage: int) -> PaperState:
    """Return the state of a new account: no book, no position, no order."""
    return PaperState(
        [(a.name, a.sz_decimals) for a in universe],
        cash_micro,
        ladders=[Ladder() for _ in universe],
        quotes=[Quote() for _ in universe],
        positions=[PaperPosition(leverage=leverage) for _ in universe],
        open_ids=[[] for _ in universe],
    )


def to_stored(state: PaperState, orders: Sequence[PaperOrder], fills: Sequence[PaperFill]) -> dict[str, Any]:
    """Return a state's head with some of its orders and fills as plain JSON values."""
    head = {name: getattr(state, name) for name in state.__slots__ if name not in ("orders", "fills")}
    stored: dict[str, Any] = msgspec.to_builtins({"head": head, "orders": list(orders), "fills": list(fills)})
    return stored


def from_stored(stored: Stored, universe: Sequence[Asset]) -> PaperState:
    """Return the state that was stored whole; raises `LedgerError` for another universe or form."""
    try:
        state = msgspec.convert(dict(stored["head"]), PaperState)
        orders = msgspec.convert(list(stored["orders"]), list[PaperOrder])
        fills = msgspec.convert(list(stored["fills"]), list[PaperFill])
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        raise LedgerError(f"a stored paper account cannot be read ({error})", "what `state` gave") from error
    if state.coins != [(a.name, a.sz_decimals) for a in universe]:
        raise LedgerError(f"the paper account is of {[c for c, _ in state.coins]}", "the universe of this venue")
    state.orders = {order.client_id: order for order in orders}
    state.fills = sorted(fills, key=lambda fill: fill.number)
    return state


def after_outage(state: PaperState, until_ms: int | None = None) -> None:
    """Forget what the market showed before an outage: books are empty and resting orders queue at the back again.

    With `until_ms` (the first time seen again) the outage is noted, beginning at the last line shown.
    """
    if until_ms is not None:
        resting = sum(len(names) for names in state.open_ids)
        held = sum(position.lots != 0 for position in state.positions)
        noted = Outage(state.line_ns // NS_PER_MS, until_ms, resting, held)
        state.outages = [*state.outages, noted][-MOST_OUTAGES:]
    state.ladders = [Ladder() for _ in state.coins]
    for order in state.orders.values():
        if order.state is OrderState.RESTING:
            order.queue, order.credit, order.crossed = UNSEEN, 0, 0
