"""What executions do to a paper account: positions, fees, exits that wake or end, reduce-only orders, liquidation.

It changes a `PaperState` and tells what happened; it takes no request and sees no message. Pure: time is in the state.
In the literature: trade processing of a matching engine, one-cancels-other orders.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from lotus.manifest import Asset
from lotus.timebase import HOUR_MS, NS_PER_MS
from lotus.trading.execution.orders import FundingPayment, OrderState, OrderUpdate, Side, TriggerKind, VenueFill
from lotus.trading.venue import VenueEvent
from lotus_venues.fees import fee_micro
from lotus_venues.order_form import would_cross
from lotus_venues.paper_account import error_messages
from lotus_venues.paper_account.matching import crossing, join, take
from lotus_venues.paper_account.money import (
    RATE_SCALE,
    PaperTerms,
    funding_micro,
    initial_micro,
    maintenance_micro,
    mark_px2,
    open_micro,
)
from lotus_venues.paper_account.orders import PaperFill, PaperFunding, PaperOrder, PaperPosition
from lotus_venues.paper_account.state import PaperState

MICRO = -6
PAID_HOURS = 6  # payments are remembered, and repeated after a crash, for so long


@dataclass(slots=True)
class PaperExecution:
    """An account's state with the rules of execution; `news` collects events until they are taken.

    `touched` holds the orders changed and `made` the fills since the last save, `is_changed` tells of anything else;
    `moved` are the coins whose position changed since their reduce-only orders were looked at.
    """

    universe: tuple[Asset, ...]
    terms: PaperTerms
    state: PaperState
    name: str = ""
    news: list[VenueEvent] = field(default_factory=list)
    touched: dict[str, PaperOrder] = field(default_factory=dict)
    made: list[PaperFill] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)
    is_changed: bool = False

    @property
    def now_ms(self) -> int:
        """Time of the account."""
        return self.state.now_ns // NS_PER_MS

    def held(self) -> list[tuple[Asset, PaperPosition, int]]:
        """Return every position that is not flat, with its asset and twice its mark price."""
        state = self.state
        return [
            (self.universe[index], position, mark_px2(state.quotes[index], state.ladders[index]))
            for index, position in enumerate(state.positions)
            if position.lots
        ]

    def equity_micro(self) -> int:
        """Return cash plus open results at the mark."""
        return self._equity_micro(self.held())

    def margin_micro(self) -> int:
        """Return the initial margin of all positions."""
        return sum([initial_micro(position, px2) for _, position, px2 in self.held()])

    def free_micro(self) -> int:
        """Return what is left of the equity for further entries."""
        held = self.held()
        margin = sum([initial_micro(position, px2) for _, position, px2 in held])
        return self._equity_micro(held) - margin - self.reserved_micro()

    def _equity_micro(self, held: Sequence[tuple[Asset, PaperPosition, int]]) -> int:
        return self.state.cash_micro + sum([open_micro(position, px2) for _, position, px2 in held])

    def reserved_micro(self) -> int:
        """Return the initial margin that resting entries would need."""
        orders = [self.state.orders[name] for names in self.state.open_ids if names for name in names]
        resting = [o for o in orders if o.state is OrderState.RESTING and not o.reduce_only]
        return sum(-(-o.left * o.limit // self.state.positions[o.asset].leverage) for o in resting)

    def reducible(self, order: PaperOrder) -> int:
        """Return the lots that an order may still execute: all of it, or what a reduce-only one finds to reduce."""
        held = -order.side * self.state.positions[order.asset].lots
        if order.whole_position:
            return max(0, held)
        return min(order.left, max(0, held)) if order.reduce_only else order.left

    def match(self, order: PaperOrder) -> int:
        """Let an order take from the book up to its limit; return the lots taken."""
        wanted = self.reducible(order)
        levels = take(self.state.ladders[order.asset], order.side, wanted, order.limit) if wanted else []
        for px, lots in levels:
            self.fill(order, px, lots, is_taker=True)
        return sum(lots for _, lots in levels)

    def rest(self, order: PaperOrder, taken: int) -> None:
        """Put an order into the book behind what is shown there."""
        ladder = self.state.ladders[order.asset]
        join(order, ladder, self.state.venue_ms, taken + crossing(ladder, order.side, order.limit))
        self.tell(order, OrderState.RESTING)

    def fill(self, order: PaperOrder, px: int, lots: int, is_taker: bool) -> None:
        """Book one execution of an order and end it when nothing is left."""
        self._book(order.client_id, order.oid, order.asset, order.side, px, lots, is_taker)
        order.left, order.done, order.value_micro = order.left - lots, order.done + lots, order.value_micro + px * lots
        if order.left <= 0:
            self.finish(order, OrderState.FILLED)
        elif not is_taker:
            self.tell(order, order.state)

    def finish(self, order: PaperOrder, state: OrderState, reason: str = "") -> None:
        """Bring an order to its final state, tell it, and let its exits and siblings follow."""
        names = self.state.open_ids[order.asset]
        if order.client_id in names:
            names.remove(order.client_id)
        order.reason = reason
        self.tell(order, state)
        if order.exits:
            self._follow_entry(order)
        if state is OrderState.FILLED:
            for name in order.siblings:
                if not self.state.orders[name].state.is_final:
                    self.finish(self.state.orders[name], OrderState.CANCELED, error_messages.SIBLING_FILLED)

    def tell(self, order: PaperOrder, state: OrderState) -> None:
        """Set the state of an order and tell it."""
        order.state, order.changed_ms = state, self.now_ms
        self.touched[order.client_id] = order
        self.is_changed = True
        self.news.append(self.update_of(order))

    def update_of(self, order: PaperOrder) -> OrderUpdate:
        """Return an order as the port tells it."""
        asset, average = self.universe[order.asset], None
        filled = Decimal(order.done).scaleb(-asset.sz_decimals)
        if order.done:
            px, rest = divmod(order.value_micro, order.done)  # at one price the same digits, for less than a division
            whole = Decimal(px).scaleb(-asset.px_decimals)
            average = Decimal(order.value_micro).scaleb(MICRO) / filled if rest else whole
        return OrderUpdate(
            client_id=order.client_id,
            state=order.state,
            time_ms=order.changed_ms,
            oid=order.oid,
            filled=filled,
            average_px=average,
            reason=order.reason,
            would_cross=would_cross(order.reason),
        )

    def trigger(self, asset: int) -> None:
        """Send every waiting trigger of a coin whose price the mark has passed."""
        px2 = mark_px2(self.state.quotes[asset], self.state.ladders[asset])
        if not px2:
            return
        for name in tuple(self.state.open_ids[asset]):
            order = self.state.orders[name]
            if order.state is OrderState.WAITING and order.trigger and not order.parent and is_passed(order, px2):
                self.fire(order)

    def fire(self, order: PaperOrder) -> None:
        """Turn a trigger into its order: a taker bounded by its limit, or a limit order that may rest."""
        if order.whole_position:
            order.lots = order.left = self.reducible(order)
        if self.reducible(order) <= 0:
            self.finish(order, OrderState.CANCELED, error_messages.REDUCE_ONLY_CANCELED)
            return
        order.state = OrderState.RESTING
        taken = self.match(order)
        if order.left > 0 and not order.state.is_final:
            if order.trigger_market:
                self.finish(order, OrderState.CANCELED, "" if taken else error_messages.NO_LIQUIDITY)
            else:
                self.rest(order, taken)

    def settle(self) -> None:
        """Look after what executions moved: reduce-only orders without a position, an account without equity."""
        while self.moved:
            self._end_orphans(self.moved.pop())
        held = self.held()
        need = sum([maintenance_micro(position, px2, self.terms.most(asset.name)) for asset, position, px2 in held])
        if held and self._equity_micro(held) < need:
            self._liquidate()

    def _end_orphans(self, asset: int) -> None:
        lots = self.state.positions[asset].lots
        for name in tuple(self.state.open_ids[asset]):
            order = self.state.orders[name]
            if not order.state.is_final and order.reduce_only and not order.parent and -order.side * lots <= 0:
                self.finish(order, OrderState.CANCELED, error_messages.REDUCE_ONLY_CANCELED)

    def _liquidate(self) -> None:
        for names in self.state.open_ids:
            for name in tuple(names):
                if not self.state.orders[name].state.is_final:
                    self.finish(self.state.orders[name], OrderState.CANCELED, error_messages.LIQUIDATED)
        for index, position in enumerate(self.state.positions):
            self._close(index, position)

    def pay_funding(self, hour: int) -> None:
        """Pay a full hour's funding on every position at the last oracle price and rate."""
        for index, (position, quote) in enumerate(zip(self.state.positions, self.state.quotes, strict=True)):
            if position.lots and quote.oracle:
                paid = funding_micro(position, quote)
                self.is_changed = True
                self.state.cash_micro -= paid
                self.state.funding_micro += paid
                made = PaperFunding(index, hour, position.lots, paid, quote.rate_e12)
                self.state.paid = [*(p for p in self.state.paid if p.hour > hour - PAID_HOURS), made]
                self.news.append(self._payment(made))

    def tell_paid_again(self) -> None:
        """Tell the funding of the last hours once more: after a crash nobody can ask for it."""
        self.news += [self._payment(paid) for paid in self.state.paid]

    def _payment(self, paid: PaperFunding) -> FundingPayment:
        asset = self.universe[paid.asset]
        size = Decimal(paid.lots).scaleb(-asset.sz_decimals)
        rate = Decimal(paid.rate_e12) / RATE_SCALE
        return FundingPayment(asset.name, Decimal(paid.paid_micro).scaleb(MICRO), size, rate, paid.hour * HOUR_MS)

    def _close(self, index: int, position: PaperPosition) -> None:
        side = -1 if position.lots > 0 else 1
        for px, lots in take(self.state.ladders[index], side, abs(position.lots), None):
            self._book("", self.state.next_oid, index, side, px, lots, True)
        self.state.next_oid += 1

    def _follow_entry(self, entry: PaperOrder) -> None:
        for child in (self.state.orders[name] for name in entry.exits):
            if child.state.is_final:
                continue
            if entry.state is OrderState.REJECTED:
                self.finish(child, OrderState.REJECTED, entry.reason)
            elif entry.state is not OrderState.FILLED:
                self.finish(child, OrderState.CANCELED, error_messages.ENTRY_GONE)
            else:
                child.parent = ""
                self.touched[child.client_id] = child
        self.trigger(entry.asset)

    def _book(self, client_id: str, oid: int, index: int, side: int, px: int, lots: int, is_taker: bool) -> None:
        state, asset = self.state, self.universe[index]
        fee = fee_micro(px * lots, self.terms.fee_bps(is_taker))
        realised = state.positions[index].apply(side, lots, px)
        state.cash_micro += realised - fee
        state.fees_micro += fee
        fill = PaperFill(
            number=state.next_fill,
            client_id=client_id,
            oid=oid,
            asset=index,
            side=side,
            lots=lots,
            px=px,
            fee_micro=fee,
            is_taker=is_taker,
            time_ms=self.now_ms,
        )
        state.next_fill += 1
        state.fills.append(fill)
        self.made.append(fill)
        self.moved.add(index)
        self.news.append(venue_fill(fill, asset, self.name))


def is_passed(order: PaperOrder, mark_px2_now: int) -> bool:
    """Tell whether the mark has reached a trigger: a stop from the good side, a take-profit from the bad one."""
    away = (mark_px2_now - 2 * order.trigger) * order.side
    return away >= 0 if order.kind is TriggerKind.STOP_LOSS else away <= 0


def venue_fill(fill: PaperFill, asset: Asset, account: str = "") -> VenueFill:
    """Return a fill as the port tells it, its number under the name of its account."""
    return VenueFill(
        fill_id=f"{account}/{fill.number}" if account else str(fill.number),
        client_id=fill.client_id,
        oid=fill.oid,
        coin=asset.name,
        side=Side(fill.side),
        size=Decimal(fill.lots).scaleb(-asset.sz_decimals),
        px=Decimal(fill.px).scaleb(-asset.px_decimals),
        fee_usd=Decimal(fill.fee_micro).scaleb(MICRO),
        is_taker=fill.is_taker,
        time_ms=fill.time_ms,
    )
