"""The paper account: requests reach the book after a latency, market messages fill, trigger, fund and liquidate.

A pure function of what is asked and shown: time is an argument, a replay repeats every fill, and its whole state is a
value that can be stored. Messages are applied before the requests that became due on their way (the market comes
first: the order meets the first book seen after it arrived, and loses every race it might lose).
In the literature: exchange simulator with order latency; deterministic state machine.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from lotus.manifest import Asset
from lotus.timebase import HOUR_MS, NS_PER_MS
from lotus.trading.execution.orders import OrderGrouping, OrderState, OrderUpdate, TimeInForce
from lotus.trading.venue import VenueEvent
from lotus_venues.ladder import Level
from lotus_venues.order_form import TOO_SMALL
from lotus_venues.paper_account import error_messages
from lotus_venues.paper_account.execution import MICRO, PaperExecution, is_passed
from lotus_venues.paper_account.matching import crossing, see_book, see_trade
from lotus_venues.paper_account.money import Marks, PaperTerms, far_micro, mark_px2, open_micro
from lotus_venues.paper_account.orders import OrderForm, PaperOrder, Request, tied_to
from lotus_venues.paper_account.state import PaperState, after_outage, fresh_state, from_stored, to_stored

MIN_VALUE_MICRO = 10_000_000
_MOST_HOURS = 24


class PaperAccount:
    """One account over a universe. Requests return their number; `answers` holds what became of them on arrival."""

    def __init__(self, universe: Sequence[Asset], terms: PaperTerms | None = None, name: str = "") -> None:
        """Open a new account; `restore` puts a stored one in its place. `name` begins the names of its fills."""
        self.universe, self.terms, self.name = tuple(universe), terms or PaperTerms(), name
        cash = int(self.terms.deposit_usd.scaleb(-MICRO))
        state = fresh_state(self.universe, cash, self.terms.default_leverage)
        self.execution = PaperExecution(self.universe, self.terms, state, name)
        self.answers: dict[int, list[OrderUpdate]] = {}

    @property
    def state(self) -> PaperState:
        """The state as it is."""
        return self.execution.state

    # requests

    def place(self, now_ns: int, forms: Sequence[OrderForm], grouping: OrderGrouping = OrderGrouping.NONE) -> int:
        """Ask for orders in one request."""
        return self._ask(now_ns, Request(0, 0, tuple(forms), grouping))

    def cancel(self, now_ns: int, client_ids: Sequence[str]) -> int:
        """Ask to cancel orders."""
        return self._ask(now_ns, Request(0, 0, canceled=tuple(client_ids)))

    def modify(self, now_ns: int, form: OrderForm) -> int:
        """Ask to replace a resting order: it goes to the back of the queue under a new number of the venue."""
        return self._ask(now_ns, Request(0, 0, modified=form))

    def set_leverage(self, asset: int, leverage: int, is_cross: bool) -> None:
        """Set the leverage of a coin."""
        self.execution.is_changed = True
        self.state.positions[asset].leverage, self.state.positions[asset].is_cross = leverage, is_cross

    def order_of(self, client_id: str) -> OrderUpdate:
        """Return where an order stands: `NEVER_PLACED` when unknown, `UNKNOWN` while it is still on its way."""
        order = self.state.orders.get(client_id)
        if order is not None:
            return self.execution.update_of(order)
        on_way = any(form.client_id == client_id for request in self.state.on_way for form in request.placed)
        return OrderUpdate(client_id, OrderState.UNKNOWN if on_way else OrderState.NEVER_PLACED, self.execution.now_ms)

    def marks(self) -> Marks:
        """Return the equity at the mark, at the mids (optimistic) and at the far side with fees (pessimistic)."""
        state, fee = self.state, self.terms.fee_bps(True)
        parts = list(zip(state.positions, state.quotes, state.ladders, strict=True))
        mids = [b.mid2 if b.is_two_sided else mark_px2(q, b) for _, q, b in parts]
        mid = sum(open_micro(p, px2) for (p, _, _), px2 in zip(parts, mids, strict=True))
        far = sum(far_micro(p, b, mark_px2(q, b), fee) for p, q, b in parts)
        return Marks(self.execution.equity_micro(), state.cash_micro + mid, state.cash_micro + far)

    # market messages

    def on_book(self, asset: int, recv_ns: int, time_ms: int, bids: Sequence[Level], asks: Sequence[Level]) -> None:
        """Take a full snapshot (price units, lots; best first)."""
        self.state.ladders[asset].on_book(recv_ns, bids, asks, deep=True)
        self._shown(asset, recv_ns, time_ms)

    def on_fast(self, asset: int, recv_ns: int, time_ms: int, bids: Sequence[Level], asks: Sequence[Level]) -> None:
        """Take a shallow snapshot; older levels beyond it stay."""
        self.state.ladders[asset].on_book(recv_ns, bids, asks, deep=False)
        self._shown(asset, recv_ns, time_ms)

    def on_bbo(self, asset: int, recv_ns: int, time_ms: int, bid: Level | None, ask: Level | None) -> None:
        """Take a change of the best levels (None: that side is empty)."""
        self.state.ladders[asset].on_bbo(recv_ns, bid, ask)
        self._shown(asset, recv_ns, time_ms)

    def on_trade(self, asset: int, recv_ns: int, time_ms: int, tid: int, px: int, lots: int, side: int) -> None:
        """Take one trade; `side` is the aggressor's. A trade seen before (a replay) is passed over."""
        if self._is_new(asset, time_ms, tid):
            left = lots
            for order in self._resting(asset, -side):
                part = see_trade(order, px, left, time_ms) if left else 0
                left -= self._fill_resting(order, part)
        self._after(asset, recv_ns, time_ms)

    def on_context(self, asset: int, recv_ns: int, mark: int, oracle: int, rate_e12: int) -> None:
        """Take mark and oracle price and the hourly funding rate times 10^12; the hour's funding is paid first."""
        self._pay(recv_ns)
        quote = self.state.quotes[asset]
        quote.mark, quote.oracle, quote.rate_e12 = mark, oracle, rate_e12
        self._after(asset, recv_ns, 0)

    def advance(self, now_ns: int) -> None:
        """Let time pass: due requests arrive, funding is paid, the scheduled cancel falls."""
        self.state.now_ns = max(self.state.now_ns, now_ns)
        self._pay(now_ns)
        due = [r for r in self.state.on_way if r.due_ns <= self.state.now_ns]
        if due:
            self.state.on_way = [r for r in self.state.on_way if r.due_ns > self.state.now_ns]
        for request in due:
            self.answers[request.number] = self._arrive(request)
        if self.state.cancel_at_ms is not None and self.execution.now_ms >= self.state.cancel_at_ms:
            self.state.cancel_at_ms = None
            for names in self.state.open_ids:
                self._cancel_all(names)

    # storing

    @property
    def has_news(self) -> bool:
        """Whether anything changed, happened or was answered since it was last taken."""
        return bool(self.execution.is_changed or self.execution.news or self.answers)

    def take_answers(self) -> dict[int, list[OrderUpdate]]:
        """Return the answers given since the last call, by request."""
        given, self.answers = self.answers, {}
        return given

    def see_again(self, now_ns: int) -> None:
        """Go on at the first line after an outage: books are forgotten, and the outage is noted."""
        after_outage(self.state, now_ns // NS_PER_MS)
        self.execution.is_changed = True

    def take_events(self) -> list[VenueEvent]:
        """Return the events since the last call."""
        news, self.execution.news = self.execution.news, []
        return news

    def change(self) -> dict[str, object] | None:
        """Return what changed since the last `saved` in the form of `PaperStore.save`; None when nothing did."""
        done = self.execution
        if not done.is_changed:
            return None
        marks = {name: getattr(self.marks(), name) for name in Marks.__slots__} | {"time_ms": done.now_ms}
        open_orders = (done.state.orders[name] for names in done.state.open_ids for name in names)
        moved = {o.client_id: o for o in open_orders if o.state is OrderState.RESTING}  # their queues move untold
        return to_stored(done.state, list((moved | done.touched).values()), done.made) | {"marks": marks}

    def saved(self) -> None:
        """Note that the last `change` is kept."""
        self.execution.touched, self.execution.made, self.execution.is_changed = {}, [], False

    def stored(self) -> dict[str, object]:
        """Return the whole state as plain JSON values."""
        return to_stored(self.state, list(self.state.orders.values()), self.state.fills)

    def restore(self, stored: dict[str, object], outage: bool = True) -> None:
        """Take a stored state; after an `outage` books are forgotten and resting orders queue at the back."""
        self.execution = PaperExecution(self.universe, self.terms, from_stored(stored, self.universe), self.name)
        if outage:
            after_outage(self.state)

    def forget(self, before_ms: int) -> None:
        """Drop final orders and fills older than a time from memory (the store keeps them).

        What an order that lives belongs to stays with it.
        """
        state = self.state
        alive = [state.orders[name] for names in state.open_ids for name in names]
        tied = {name for order in alive for name in tied_to(order)}
        kept = {n: o for n, o in state.orders.items() if not o.state.is_final or o.changed_ms >= before_ms or n in tied}
        state.orders = kept
        state.fills = [fill for fill in state.fills if fill.time_ms >= before_ms]

    # inside

    def _ask(self, now_ns: int, request: Request) -> int:
        number = self.state.next_request
        self.state.next_request += 1
        due_ns = now_ns + self.terms.latency_ms * NS_PER_MS
        self.state.on_way.append(replace(request, number=number, due_ns=due_ns))
        self.execution.is_changed = True
        self.advance(now_ns)
        return number

    def _arrive(self, request: Request) -> list[OrderUpdate]:
        if request.modified is not None:
            return [self._modify(request.modified)]
        if request.canceled:
            return [self._cancel(name) for name in request.canceled]
        return self._place(request)

    def _place(self, request: Request) -> list[OrderUpdate]:
        fresh = [form for form in request.placed if form.client_id not in self.state.orders]
        orders = [self._new_order(form) for form in fresh]
        if request.grouping is OrderGrouping.ENTRY_WITH_EXITS and len(orders) == len(request.placed):
            _tie_to_entry(orders)
        elif request.grouping is OrderGrouping.POSITION_EXITS:
            _tie_to_position(orders)
        shared = self._group_refusal(fresh, orders) if request.grouping is not OrderGrouping.NONE else ""
        pairs = list(zip(fresh, orders, strict=True))
        for form, order in reversed(pairs) if shared else pairs:  # a refused entry would cancel its exits
            self._enter(order, form.refusal or shared)
        return [self.execution.update_of(self.state.orders[form.client_id]) for form in request.placed]

    def _new_order(self, form: OrderForm) -> PaperOrder:
        state = self.state
        order = PaperOrder(
            client_id=form.client_id,
            oid=state.next_oid,
            asset=form.asset,
            side=form.side,
            lots=form.lots,
            left=form.lots,
            limit=form.limit,
            tif=form.tif,
            reduce_only=form.reduce_only,
            placed_ms=self.execution.now_ms,
            trigger=form.trigger,
            kind=form.kind,
            trigger_market=form.trigger_market,
        )
        state.next_oid += 1
        state.orders[form.client_id] = order
        return order

    def _group_refusal(self, forms: Sequence[OrderForm], orders: Sequence[PaperOrder]) -> str:
        """Return why a group is refused whole: one of its forms, or an exit that would fire as soon as it could."""
        wrong = next((form.refusal for form in forms if form.refusal), "")
        for order in orders:
            if wrong or not order.trigger:
                continue
            px2 = mark_px2(self.state.quotes[order.asset], self.state.ladders[order.asset])
            entry = self.state.orders.get(order.parent)
            if entry is not None and (2 * entry.limit - px2) * entry.side < 0:
                px2 = 2 * entry.limit  # it rests: the mark will be there when it is filled
            wrong = error_messages.BAD_TRIGGER if px2 and is_passed(order, px2) else ""
        return wrong

    def _enter(self, order: PaperOrder, refusal: str) -> None:
        if order.state.is_final:
            return
        reason = refusal or self._refusal(order)
        if reason:
            self.execution.finish(order, OrderState.REJECTED, reason)
            return
        self.state.open_ids[order.asset].append(order.client_id)
        if order.trigger:
            self.state.cancel_at_ms = None  # a scheduled cancel would remove the stop
            self.execution.tell(order, OrderState.WAITING)
            return
        taken = self.execution.match(order)
        if order.left > 0 and order.tif is TimeInForce.IOC:
            state = OrderState.CANCELED if taken else OrderState.REJECTED
            self.execution.finish(order, state, error_messages.CANCELED if taken else error_messages.NO_MATCH)
        elif order.left > 0:
            self.execution.rest(order, taken)
        self.execution.settle()

    def _refusal(self, order: PaperOrder) -> str:
        ladder, execution = self.state.ladders[order.asset], self.execution
        if order.limit * order.lots < MIN_VALUE_MICRO and not order.reduce_only:
            return TOO_SMALL
        if order.trigger:
            px2 = mark_px2(self.state.quotes[order.asset], ladder)
            return error_messages.BAD_TRIGGER if px2 and not order.parent and is_passed(order, px2) else ""
        if order.reduce_only and execution.reducible(order) <= 0:
            return error_messages.NOT_REDUCING
        if order.tif is TimeInForce.ALO and crossing(ladder, order.side, order.limit):
            decimals = self.universe[order.asset].px_decimals
            best = (levels[0][0] if levels else 0 for levels in (ladder.bids, ladder.asks))
            bid, ask = (Decimal(px).scaleb(-decimals).normalize() for px in best)
            return error_messages.POST_ONLY.format(bid=format(bid, "f"), ask=format(ask, "f"))
        return "" if order.reduce_only or self._affords(order) else error_messages.NO_MARGIN

    def _affords(self, order: PaperOrder) -> bool:
        position = self.state.positions[order.asset]
        opens = order.left - min(order.left, max(0, -order.side * position.lots))
        if opens == 0:
            return True
        need = -(-opens * order.limit // position.leverage)
        return need <= self.execution.free_micro()

    def _gone(self, client_id: str) -> OrderUpdate:
        return OrderUpdate(client_id, OrderState.NEVER_PLACED, self.execution.now_ms, reason=error_messages.GONE)

    def _cancel(self, client_id: str) -> OrderUpdate:
        order = self.state.orders.get(client_id)
        if order is None:
            return self._gone(client_id)
        if not order.state.is_final:
            self.execution.finish(order, OrderState.CANCELED, error_messages.CANCELED)
        return self.execution.update_of(order)

    def _modify(self, form: OrderForm) -> OrderUpdate:
        order = self.state.orders.get(form.client_id)
        if order is None or order.state.is_final or form.refusal:
            return self._refuse_modify(order, form)
        self.state.open_ids[order.asset].remove(order.client_id)
        replaced = self._new_order(form)
        replaced.parent, replaced.exits, replaced.siblings = order.parent, order.exits, order.siblings
        replaced.whole_position = order.whole_position
        self._enter(replaced, "")
        return self.execution.update_of(replaced)

    def _refuse_modify(self, order: PaperOrder | None, form: OrderForm) -> OrderUpdate:
        if order is None:
            return self._gone(form.client_id)
        update = self.execution.update_of(order)
        return replace(update, reason=form.refusal or update.reason or error_messages.GONE)

    def _cancel_all(self, names: list[str]) -> None:
        for name in tuple(names):
            order = self.state.orders[name]
            if not order.state.is_final:
                self.execution.finish(order, OrderState.CANCELED, error_messages.SCHEDULED)

    def _shown(self, asset: int, recv_ns: int, time_ms: int) -> None:
        ladder = self.state.ladders[asset]
        for side in (1, -1):
            for order in self._resting(asset, side):
                self._fill_resting(order, see_book(order, ladder))
        self._after(asset, recv_ns, time_ms)

    def _after(self, asset: int, recv_ns: int, time_ms: int) -> None:
        self.state.venue_ms = max(self.state.venue_ms, time_ms)
        self.state.now_ns = max(self.state.now_ns, recv_ns)
        if self.state.open_ids[asset]:
            self.execution.trigger(asset)
        self.execution.settle()
        self.advance(recv_ns)

    def _resting(self, asset: int, side: int) -> list[PaperOrder]:
        names = self.state.open_ids[asset]
        if not names:
            return []
        orders = (self.state.orders[name] for name in names)
        live = [o for o in orders if o.side == side and o.state is OrderState.RESTING]
        return sorted(live, key=lambda o: (-o.side * o.limit, o.oid)) if len(live) > 1 else live

    def _fill_resting(self, order: PaperOrder, lots: int) -> int:
        part = min(lots, self.execution.reducible(order)) if lots else 0
        if part > 0:
            self.execution.fill(order, order.limit, part, is_taker=False)
        return part

    def _is_new(self, asset: int, time_ms: int, tid: int) -> bool:
        quote = self.state.quotes[asset]
        if time_ms < quote.trade_ms or (time_ms == quote.trade_ms and tid in quote.trade_ids):
            return False
        quote.trade_ids = [tid] if time_ms > quote.trade_ms else [*quote.trade_ids, tid]
        quote.trade_ms = time_ms
        return True

    def _pay(self, now_ns: int) -> None:
        hour = now_ns // NS_PER_MS // HOUR_MS
        if self.state.hour >= 0:
            for passed in range(max(self.state.hour, hour - _MOST_HOURS) + 1, hour + 1):
                self.execution.pay_funding(passed)
        self.state.hour = max(self.state.hour, hour)


def _tie_to_entry(orders: list[PaperOrder]) -> None:
    entry, exits = orders[0], orders[1:]
    entry.exits = [order.client_id for order in exits]
    for order in exits:
        order.parent = entry.client_id
        order.siblings = [name for name in entry.exits if name != order.client_id]


def _tie_to_position(orders: list[PaperOrder]) -> None:
    names = [order.client_id for order in orders]
    for order in orders:
        order.whole_position = True
        order.siblings = [name for name in names if name != order.client_id]
