"""What an adapter knows of its orders: from answers, from the user stream and from questions, made one truth.

A fill is news once, whatever repeats it. A modify gives an order a new number and the venue tells the old one as
canceled under the same name: that is passed over. No request is made here. In the literature: idempotent consumer.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from lotus.hashing import key64
from lotus.trading.execution.orders import FundingPayment, NewOrder, OrderState, OrderUpdate, VenueFill
from lotus_venues.hyperliquid.order_wire import fill_of, filled_of, funding_of, told_state
from lotus_venues.order_form import would_cross

_FILLS_KEPT = 50_000


@dataclass(slots=True)
class KnownOrder:
    """One order by name: its number at the venue, the numbers it had before, its last state and its executions."""

    oid: int | None = None
    superseded: set[int] = field(default_factory=set)
    last: OrderUpdate | None = None
    lots: dict[int, Decimal] = field(default_factory=dict)
    value: dict[int, Decimal] = field(default_factory=dict)
    is_trigger: bool = False
    modifying_till_ms: int = 0
    modifying_oid: int | None = None
    held: list[Mapping[str, Any]] = field(default_factory=list)

    def count(self, oid: int, lots: Decimal, value: Decimal) -> None:
        """Add executions of one of its numbers."""
        self.lots[oid] = self.lots.get(oid, Decimal(0)) + lots
        self.value[oid] = self.value.get(oid, Decimal(0)) + value


class KnownOrders:
    """All orders of this process, the numbers that belong to them, and the fills that were news already."""

    def __init__(self) -> None:
        """Know nothing."""
        self.by_name: dict[str, KnownOrder] = {}
        self.names: dict[int, str] = {}
        self._fills: set[int] = set()  # hashes, for a name takes three times as much
        self._fills_before: set[int] = set()
        self._paid: set[tuple[str, int]] = set()
        self._nameless: OrderedDict[int, tuple[Decimal, Decimal]] = OrderedDict()  # lots and value by number

    def expect(self, orders: Iterable[NewOrder]) -> None:
        """Note orders about to be sent."""
        for order in orders:
            self.by_name[order.client_id] = KnownOrder(is_trigger=order.trigger is not None)

    def of(self, name: str) -> KnownOrder:
        """Return what is known of a name (nothing yet: an empty record)."""
        return self.by_name.setdefault(name, KnownOrder())

    def number(self, name: str, oid: int | None) -> None:
        """Note the venue's number of an order. Numbers rise, so the highest is the order's, the others superseded."""
        order = self.of(name)
        if oid is None or oid == order.oid:
            return
        self.names[oid] = name
        if order.oid is not None:
            order.superseded.add(min(oid, order.oid))
        order.oid = max(oid, order.oid or oid)
        if oid in self._nameless:
            order.count(oid, *self._nameless.pop(oid))

    def keep(self, update: OrderUpdate) -> OrderUpdate:
        """Note the state of an order and return it with the average price of its executions, where they are known."""
        self.number(update.client_id, update.oid)
        order = self.of(update.client_id)
        order.last = replace(update, oid=order.oid, average_px=update.average_px or self.average(order, update.filled))
        return order.last

    def average(self, order: KnownOrder, filled: Decimal) -> Decimal | None:
        """Return the average price of the executions of an order's present number; None unless all are known."""
        oid = order.oid if order.oid is not None else -1
        lots = order.lots.get(oid, Decimal(0))
        return order.value[oid] / lots if lots and lots == filled else None

    def told_order(self, payload: Mapping[str, Any]) -> OrderUpdate | None:
        """Take an entry of `orderUpdates`; None without a name, for a superseded number and news from before an end."""
        order = payload["order"]
        oid = int(order["oid"])
        name = order.get("cloid") or self.names.get(oid, "")
        if not name:
            return None
        entry = self.of(name)
        is_end = payload["status"] not in ("open", "filled", "triggered")
        if is_end and int(payload["statusTimestamp"]) <= entry.modifying_till_ms:
            entry.held.append(payload)
            return None
        self.number(name, oid)
        if oid in entry.superseded:
            return None
        update = self.update_of(name, order, payload["status"], int(payload["statusTimestamp"]))
        ended = entry.last is not None and entry.last.state.is_final and entry.last.state is not OrderState.NEVER_PLACED
        has_ended = ended and oid == entry.oid
        return None if has_ended and not update.state.is_final else self.keep(update)

    def modifying(self, name: str, till_ms: int) -> None:
        """Note that a modify is on its way, which can be accepted until a time: ends wait for its answer."""
        order = self.of(name)
        order.modifying_till_ms, order.modifying_oid = till_ms, order.oid

    def modified(self, name: str) -> list[OrderUpdate]:
        """Release what was held back while an order was being modified; ends of its old number are dropped."""
        order = self.of(name)
        held, order.held, order.modifying_till_ms = order.held, [], 0
        updates = (self.told_order(entry) for entry in held)
        return [update for update in updates if update is not None]

    def is_modify_over(self, name: str, now_ms: int) -> bool:
        """Tell whether a modify whose answer was lost is decided: the number changed, or it can be accepted no more."""
        order = self.of(name)
        is_another = order.modifying_oid is not None and order.oid != order.modifying_oid
        is_decided = is_another or now_ms > order.modifying_till_ms
        return bool(order.modifying_till_ms) and is_decided

    def update_of(self, name: str, order: Mapping[str, Any], word: str, time_ms: int) -> OrderUpdate:
        """Return the update that the venue's words for an order amount to."""
        entry = self.of(name)
        is_trigger = (entry.is_trigger or bool(order.get("isTrigger"))) and word != "triggered"
        state = told_state(word, is_trigger)
        filled = filled_of(order, state)
        if state is OrderState.FILLED and Decimal(0) < Decimal(order["sz"]) < Decimal(order["origSz"]):
            state, filled = OrderState.CANCELED, filled - Decimal(order["sz"])
        reason = "" if word in ("open", "filled", "triggered") else word
        return OrderUpdate(
            client_id=name,
            state=state,
            time_ms=time_ms,
            oid=int(order["oid"]),
            filled=filled,
            average_px=None,
            reason=reason,
            would_cross=would_cross(reason),
        )

    def told_fill(self, payload: Mapping[str, Any]) -> VenueFill | None:
        """Take a fill; None when it is no news."""
        fill = self.fill_of(payload)
        key = key64(fill.fill_id)
        if key in self._fills or key in self._fills_before:
            return None
        self._fills.add(key)
        if len(self._fills) > _FILLS_KEPT // 2:
            self._fills, self._fills_before = set(), self._fills
        if fill.client_id:
            self.of(fill.client_id).count(fill.oid, fill.size, fill.size * fill.px)
        else:  # its order may become known by number later
            lots, value = self._nameless.pop(fill.oid, (Decimal(0), Decimal(0)))
            self._nameless[fill.oid] = lots + fill.size, value + fill.size * fill.px
            if len(self._nameless) > _FILLS_KEPT:
                self._nameless.popitem(last=False)
        return fill

    def told_funding(self, payloads: Iterable[Mapping[str, Any]]) -> list[FundingPayment]:
        """Take funding payments; return those that are news."""
        payments = {(paid.coin, paid.time_ms): paid for paid in map(funding_of, payloads)}
        fresh = [paid for key, paid in payments.items() if key not in self._paid]
        self._paid |= payments.keys()
        return fresh

    def fill_of(self, payload: Mapping[str, Any]) -> VenueFill:
        """Return a fill under its order's name."""
        return fill_of(payload, self.names)

    def forget(self, names: Iterable[str]) -> None:
        """Drop orders that were never sent."""
        for name in names:
            self.by_name.pop(name, None)

    def prune(self, before_ms: int, paid_before_ms: int) -> None:
        """Drop orders that were final before a time, with their numbers, and payments of before another."""
        self._paid = {key for key in self._paid if key[1] >= paid_before_ms}
        old = {n for n, k in self.by_name.items() if k.last and k.last.state.is_final and k.last.time_ms < before_ms}
        self.by_name = {name: order for name, order in self.by_name.items() if name not in old}
        self.names = {oid: name for oid, name in self.names.items() if name not in old}
        strange = [oid for oid, name in self.names.items() if not name]
        for oid in strange[:-_FILLS_KEPT]:
            del self.names[oid]

    def unfinished(self) -> list[str]:
        """Return the names whose last known state is not final."""
        return [name for name, order in self.by_name.items() if order.last is None or not order.last.state.is_final]
