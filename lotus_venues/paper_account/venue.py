"""The paper venue behind the port: a thin asynchronous shell around `PaperAccount`, with a store behind it.

The caller shows it the market (`market`) and calls `ahead.note` after each message or batch; requests wait for their
latency. What changed is saved before it is news (`write_ahead`). Nothing here matches. In the literature: ports and
adapters.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from decimal import Decimal

from lotus.errors import VenueError
from lotus.manifest import Asset
from lotus.timebase import NS_PER_MS
from lotus.trading.execution.orders import (
    AccountSnapshot,
    NewOrder,
    OpenOrder,
    OrderGrouping,
    OrderState,
    OrderTrigger,
    OrderUpdate,
    Side,
    VenueFill,
    VenuePosition,
)
from lotus.trading.execution.rounding import px_units, size_lots
from lotus.trading.venue import VenueEvent
from lotus_venues.event_queue import EventQueue
from lotus_venues.order_form import form_fault
from lotus_venues.paper_account.account import PaperAccount
from lotus_venues.paper_account.execution import MICRO, venue_fill
from lotus_venues.paper_account.money import initial_micro, liquidation_px, mark_px2, open_micro
from lotus_venues.paper_account.orders import OrderForm, PaperOrder
from lotus_venues.paper_account.state import PaperStore
from lotus_venues.paper_account.write_ahead import WriteAhead, WriteAheadBatch


class PaperAccountVenue:
    """The port over one paper account. `clock_ns` is the time of the tape or of the wall; `timeout_s` bounds a wait.

    A request whose latency has not passed within `timeout_s` (a tape that stopped) comes back `UNKNOWN`.
    """

    def __init__(
        self,
        market: PaperAccount,
        clock_ns: Callable[[], int],
        store: PaperStore | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        """Wrap an account; the first `connect` loads what the store holds, unless `load` did before."""
        self.market, self.clock_ns, self.store, self.timeout_s = market, clock_ns, store, timeout_s
        self.queue = EventQueue()
        self.ahead = WriteAhead(market, store, self._tell)
        self._waiting: dict[int, asyncio.Future[list[OrderUpdate]]] = {}
        self._index = {asset.name: index for index, asset in enumerate(market.universe)}
        self._is_open = self._is_loaded = False

    @property
    def name(self) -> str:
        """Name in reports."""
        return "paper"

    @property
    def universe(self) -> Sequence[Asset]:
        """Assets that can be traded."""
        return self.market.universe

    async def connect(self) -> None:
        """Load the account, if there is a store that has it; an account that was loaded goes on as it is."""
        if not self._is_loaded:
            self.load(outage=True)
        self._is_open = True
        self.queue.open()

    def load(self, outage: bool) -> bool:
        """Load the account from its store, as after an `outage` or with its books; return whether the store had it."""
        stored = self.store.load() if self.store is not None else None
        if stored is not None:
            self.market.restore(dict(stored), outage)
            self.market.execution.tell_paid_again()
        self._is_loaded = True
        return stored is not None

    async def close(self) -> None:
        """Save; resting orders stay with the account, and the market may still be shown."""
        if self._is_open:
            self.market.execution.is_changed = True
            with suppress(VenueError):
                await self.ahead.settled()
        self._is_open = False
        self.queue.close()

    async def place(
        self, orders: Sequence[NewOrder], grouping: OrderGrouping = OrderGrouping.NONE
    ) -> Sequence[OrderUpdate]:
        """Place orders after the latency; a name already used comes back as it stands."""
        forms = [self._form(order) for order in orders]
        repeated = sum(order.client_id in self.market.state.orders for order in orders)
        if grouping is not OrderGrouping.NONE and 0 < repeated < len(orders):
            raise VenueError("a group was sent before in part", "all of its orders or none", "another plan's names")
        number = self.market.place(self._now(), forms, grouping)
        return await self._answer(number, [order.client_id for order in orders])

    async def cancel(self, coin: str, client_ids: Sequence[str]) -> Sequence[OrderUpdate]:
        """Cancel orders after the latency; a final one comes back in its final state."""
        self._asset(coin)
        return await self._answer(self.market.cancel(self._now(), client_ids), client_ids) if client_ids else ()

    async def modify(self, order: NewOrder) -> OrderUpdate:
        """Replace price and size of a resting order: it queues anew, under a new number of the venue."""
        number = self.market.modify(self._now(), self._form(order))
        return (await self._answer(number, [order.client_id]))[0]

    async def set_leverage(self, coin: str, leverage: int, is_cross: bool = True) -> None:
        """Set the leverage of a coin; raises `VenueError` beyond its largest."""
        index, most = self._asset(coin), self.market.terms.most(coin)
        if not 1 <= leverage <= most:
            raise VenueError(f"leverage {leverage} of {coin}", f"1 to {most}")
        self._now()
        self.market.set_leverage(index, leverage, is_cross)
        self.ahead.note()

    async def account(self) -> AccountSnapshot:
        """Return equity and margin at the mark, and all positions."""
        self.market.advance(self._now())
        snapshot = self._account()
        await self.ahead.settled()
        return snapshot

    def _account(self) -> AccountSnapshot:
        done = self.market.execution
        equity, margin = done.equity_micro(), done.margin_micro()
        positions = tuple(
            self._position(index, equity) for index, held in enumerate(self.market.state.positions) if held.lots
        )
        free = max(0, equity - margin - done.reserved_micro())
        return AccountSnapshot(_usd(equity), _usd(margin), _usd(free), positions, done.now_ms)

    async def open_orders(self) -> Sequence[OpenOrder]:
        """Return all orders that are not final."""
        self.market.advance(self._now())
        state = self.market.state
        orders = [self._open_order(state.orders[name]) for names in state.open_ids for name in names]
        await self.ahead.settled()
        return orders

    async def order_of(self, client_id: str) -> OrderUpdate:
        """Return where an order stands."""
        self.market.advance(self._now())
        update = self.market.order_of(client_id)
        await self.ahead.settled()
        return update

    async def fills_since(self, time_ms: int) -> Sequence[VenueFill]:
        """Return executions from a time on, oldest first; those that were forgotten (`forget`) are missing."""
        self.market.advance(self._now())
        fills = [fill for fill in self.market.state.fills if fill.time_ms >= time_ms]
        answer = [venue_fill(fill, self.universe[fill.asset], self.market.name) for fill in fills]
        await self.ahead.settled()
        return answer

    async def schedule_cancel(self, time_ms: int | None) -> bool:
        """Arm or disarm the cancel-all; refused while triggers rest, because it would remove stops."""
        now_ms = self._now() // NS_PER_MS
        orders = await self.open_orders()
        if time_ms is not None and (any(order.trigger for order in orders) or time_ms < now_ms + 5_000):
            return False
        self.market.state.cancel_at_ms = time_ms
        self.market.execution.is_changed = True
        self.ahead.note()
        return True

    def events(self) -> AsyncIterator[VenueEvent]:
        """Yield what happened, once it is saved."""
        return self.queue.read()

    async def server_time_ms(self) -> int:
        """Return the account's clock."""
        return self._now() // NS_PER_MS

    async def best_prices(self, coin: str) -> tuple[Decimal, Decimal] | None:
        """Return best bid and ask."""
        index = self._asset(coin)
        ladder, decimals = self.market.state.ladders[index], self.universe[index].px_decimals
        if not ladder.bids or not ladder.asks:
            return None
        bid, ask = ladder.bids[0][0], ladder.asks[0][0]
        return Decimal(bid).scaleb(-decimals), Decimal(ask).scaleb(-decimals)

    def _tell(self, batch: WriteAheadBatch) -> None:
        self.queue.put(batch.events)
        for number, updates in batch.answers.items():
            waiting = self._waiting.pop(number, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(updates)

    async def _answer(self, number: int, client_ids: Sequence[str]) -> list[OrderUpdate]:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[list[OrderUpdate]] = loop.create_future()
        self._waiting[number] = waiting
        self.ahead.note()
        if waiting.done():
            return waiting.result()
        loop.call_later(self.market.terms.latency_ms / 1e3, self._look)
        try:
            async with asyncio.timeout(self.timeout_s):
                return await waiting
        except TimeoutError:
            self._waiting.pop(number, None)
            now_ms, reason = self.clock_ns() // NS_PER_MS, self.ahead.failure or "it has not arrived yet"
            return [OrderUpdate(name, OrderState.UNKNOWN, now_ms, reason=reason) for name in client_ids]

    def _look(self) -> None:
        self.market.advance(self.clock_ns())
        self.ahead.note()

    def _now(self) -> int:
        if not self._is_open:
            raise VenueError("the paper venue is closed", "connect() first")
        return self.clock_ns()

    def _asset(self, coin: str) -> int:
        if coin not in self._index:
            raise VenueError(f"{coin} is not traded here", ", ".join(self._index))
        return self._index[coin]

    def _form(self, order: NewOrder) -> OrderForm:
        index = self._asset(order.coin)
        asset, trigger = self.universe[index], order.trigger
        refusal = form_fault(order, asset)
        lots, limit = (0, 0) if refusal else (size_lots(asset, order.size), px_units(asset, order.limit_px))
        if trigger is None or refusal:
            return OrderForm(
                client_id=order.client_id,
                asset=index,
                side=order.side,
                lots=lots,
                limit=limit,
                tif=order.tif,
                reduce_only=order.reduce_only,
                refusal=refusal,
            )
        return OrderForm(
            client_id=order.client_id,
            asset=index,
            side=order.side,
            lots=lots,
            limit=limit,
            tif=order.tif,
            reduce_only=order.reduce_only,
            trigger=px_units(asset, trigger.px),
            kind=trigger.kind,
            trigger_market=trigger.is_market,
        )

    def _position(self, index: int, equity: int) -> VenuePosition:
        state, asset = self.market.state, self.universe[index]
        held = state.positions[index]
        px2 = mark_px2(state.quotes[index], state.ladders[index])
        size = Decimal(held.lots).scaleb(-asset.sz_decimals)
        rest = equity - open_micro(held, px2)
        end = liquidation_px(held, rest, self.market.terms.most(asset.name))
        return VenuePosition(
            coin=asset.name,
            size=size,
            entry_px=_usd(held.cost_micro) / size,
            unrealised_usd=_usd(open_micro(held, px2)),
            margin_usd=_usd(initial_micro(held, px2)),
            leverage=held.leverage,
            is_cross=held.is_cross,
            liquidation_px=None if end is None else Decimal(end).scaleb(-asset.px_decimals),
        )

    def _open_order(self, order: PaperOrder) -> OpenOrder:
        asset = self.universe[order.asset]
        trigger = None
        if order.trigger:
            px = Decimal(order.trigger).scaleb(-asset.px_decimals)
            trigger = OrderTrigger(px, order.kind, order.trigger_market)
        return OpenOrder(
            client_id=order.client_id,
            oid=order.oid,
            coin=asset.name,
            side=Side(order.side),
            size=Decimal(order.lots).scaleb(-asset.sz_decimals),
            left=Decimal(order.left).scaleb(-asset.sz_decimals),
            limit_px=Decimal(order.limit).scaleb(-asset.px_decimals),
            placed_ms=order.placed_ms,
            reduce_only=order.reduce_only,
            trigger=trigger,
        )


def _usd(micro: int) -> Decimal:
    return Decimal(micro).scaleb(MICRO)
