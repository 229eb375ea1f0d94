"""The conformance suite of the venue port: what every adapter must do, told through the port alone.

An adapter's tests give a `Bed`: the venue, connected, and hands that move its market. A check knows nothing of the
adapter; `CHECKS` lists them all. The market of a fresh bed is 100000 bid, 100001 offered, 1 BTC each, mark 100000.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Protocol

import pytest

from lotus.errors import VenueError
from lotus.trading.execution.orders import (
    FundingPayment,
    NewOrder,
    OrderGrouping,
    OrderState,
    OrderTrigger,
    OrderUpdate,
    Side,
    TimeInForce,
    TriggerKind,
    VenueFill,
    client_order_id,
)
from lotus.trading.venue import Venue, VenueEvent

COIN = "BTC"
BID, ASK = Decimal(100_000), Decimal(100_001)
LOT = Decimal("0.01")
IOC, GTC, ALO = TimeInForce.IOC, TimeInForce.GTC, TimeInForce.ALO
PATIENCE_S = 5.0


class Hands(Protocol):
    """What moves the market of a bed; each call returns when the venue has taken it."""

    async def quote(self, bid: Decimal, ask: Decimal, size: Decimal) -> None:
        """Replace the book (of others) by one level each side."""
        ...

    async def trade(self, aggressor: Side, px: Decimal, size: Decimal) -> None:
        """Let somebody else trade at a price: it eats what stands there, the account's resting orders last."""
        ...

    async def mark(self, px: Decimal) -> None:
        """Move the mark (and oracle) price."""
        ...

    async def next_hour(self, rate: Decimal) -> None:
        """Let the next full hour pass with a funding rate."""
        ...


@dataclass(slots=True)
class Bed:
    """A venue to be checked, and the events it told."""

    venue: Venue
    hands: Hands
    run: str = "check"
    told: list[VenueEvent] = field(default_factory=list)
    _names: "itertools.count[int]" = field(default_factory=itertools.count)
    _task: "asyncio.Task[None] | None" = None

    async def listen(self) -> None:
        """Collect events from now on, from the venue as it is now."""
        await self.deafen()

        async def collect() -> None:
            async for event in self.venue.events():
                self.told.append(event)

        self._task = asyncio.create_task(collect())
        await asyncio.sleep(0)

    async def deafen(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def close(self) -> None:
        """Stop listening and close the venue."""
        await self.deafen()
        await self.venue.close()

    def order(self, side: Side, px: Decimal, size: Decimal = LOT, tif: TimeInForce = GTC, **more: object) -> NewOrder:
        """Return a fresh order of its own name."""
        name = client_order_id(f"{self.run}{next(self._names)}", "entry")
        return replace(NewOrder(name, COIN, side, size, px, tif), **more)  # type: ignore[arg-type]

    def stop(self, side: Side, px: Decimal, kind: TriggerKind = TriggerKind.STOP_LOSS, size: Decimal = LOT) -> NewOrder:
        """Return a reduce-only market trigger whose limit lies 5 % beyond."""
        limit = (px * (1 + Decimal("0.05") * int(side))).quantize(Decimal(1000))
        return self.order(side, limit, size, reduce_only=True, trigger=OrderTrigger(px, kind))

    async def one(self, order: NewOrder) -> OrderUpdate:
        """Place one order."""
        (update,) = await self.venue.place([order])
        return update

    async def bought(self, size: Decimal = LOT) -> VenueFill:
        """Open a long by a taker order."""
        order = self.order(Side.BUY, ASK + 100, size, IOC)
        assert (await self.one(order)).state is OrderState.FILLED
        fills = await self.fills_of(order.client_id)
        return fills[0]

    async def held(self) -> Decimal:
        """Return the signed position."""
        return sum((p.size for p in (await self.venue.account()).positions if p.coin == COIN), Decimal(0))

    async def fills_of(self, client_id: str) -> list[VenueFill]:
        """Return the fills of an order."""
        return [fill for fill in await self.venue.fills_since(0) if fill.client_id == client_id]

    async def until(self, wanted: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait for something to become true."""
        end = time.monotonic() + PATIENCE_S
        while not await wanted():
            assert time.monotonic() < end, f"never: {what}"
            await asyncio.sleep(0.02)

    async def state(self, client_id: str, state: OrderState) -> OrderUpdate:
        """Wait for an order to stand in a state."""

        async def there() -> bool:
            return (await self.venue.order_of(client_id)).state is state

        await self.until(there, f"{client_id} {state}")
        return await self.venue.order_of(client_id)


async def ioc_takes_and_the_rest_is_canceled(bed: Bed) -> None:
    """A marketable IOC is filled at the book's price, fee charged; what the book does not hold is canceled."""
    order = bed.order(Side.BUY, ASK + 100, Decimal("0.5"), IOC)
    update = await bed.one(order)
    assert (update.state, update.filled, update.average_px) == (OrderState.FILLED, Decimal("0.5"), ASK)
    assert update.oid is not None
    (fill,) = await bed.fills_of(order.client_id)
    assert (fill.size, fill.px, fill.side, fill.is_taker) == (Decimal("0.5"), ASK, Side.BUY, True)
    assert fill.fee_usd > 0
    await bed.hands.quote(BID, ASK, Decimal("0.1"))
    part = await bed.one(bed.order(Side.SELL, BID, Decimal("0.3"), IOC, reduce_only=True))
    assert (part.state, part.filled) == (OrderState.CANCELED, Decimal("0.1"))
    assert await bed.held() == Decimal("0.4")


async def ioc_without_a_match_is_rejected(bed: Bed) -> None:
    """An IOC that meets nothing is refused in words and leaves nothing."""
    update = await bed.one(bed.order(Side.BUY, BID, tif=IOC))
    assert update.state is OrderState.REJECTED
    assert "immediately match" in update.reason
    assert await bed.held() == 0


async def the_same_name_is_the_same_order(bed: Bed) -> None:
    """Placing a name again, resting or final, alone or beside new ones, never makes a second order."""
    resting, taker = bed.order(Side.BUY, BID - 1000), bed.order(Side.BUY, ASK, tif=IOC)
    first = await bed.one(resting)
    assert (await bed.one(taker)).state is OrderState.FILLED
    again = await bed.venue.place([resting, taker, bed.order(Side.BUY, BID - 2000)])
    assert [u.state for u in again] == [OrderState.RESTING, OrderState.FILLED, OrderState.RESTING]
    assert again[0].oid == first.oid
    assert len(await bed.fills_of(taker.client_id)) == 1
    assert len(await bed.venue.open_orders()) == 2
    assert await bed.held() == LOT


async def the_same_name_at_once_is_one_order(bed: Bed) -> None:
    """Placing a name twice at the same time makes one order; nobody is told that it does not exist."""
    order = bed.order(Side.BUY, ASK, tif=IOC)
    both = await asyncio.gather(bed.one(order), bed.one(order), return_exceptions=True)
    assert not [told for told in both if isinstance(told, OrderUpdate) and told.state is OrderState.NEVER_PLACED]
    await bed.state(order.client_id, OrderState.FILLED)
    assert len(await bed.fills_of(order.client_id)) == 1
    assert await bed.held() == LOT


async def gtc_rests_and_is_filled_as_maker(bed: Bed) -> None:
    """A resting order waits behind what is shown and is filled at its own price at the maker's fee."""
    order = bed.order(Side.BUY, BID, Decimal("0.1"))
    assert (await bed.one(order)).state is OrderState.RESTING
    await bed.hands.trade(Side.SELL, BID, Decimal("0.5"))
    assert (await bed.venue.order_of(order.client_id)).filled == 0
    await bed.hands.trade(Side.SELL, BID, Decimal("0.53"))
    part = await bed.venue.order_of(order.client_id)
    assert (part.state, part.filled) == (OrderState.RESTING, Decimal("0.03"))
    await bed.hands.quote(BID - 10, ASK, Decimal(1))
    await bed.hands.trade(Side.SELL, BID - 10, Decimal("0.2"))
    done = await bed.state(order.client_id, OrderState.FILLED)
    assert (done.filled, done.average_px) == (Decimal("0.1"), BID)
    fills = await bed.fills_of(order.client_id)
    assert sum(f.size for f in fills) == Decimal("0.1")
    assert not any(f.is_taker for f in fills)


async def alo_never_takes(bed: Bed) -> None:
    """A post-only order is refused when it would match and rests when it does not."""
    update = await bed.one(bed.order(Side.BUY, ASK, tif=ALO))
    assert update.state is OrderState.REJECTED
    assert "Post only" in update.reason
    assert f"{BID}@{ASK}" in update.reason
    assert update.would_cross
    assert not (await bed.one(bed.order(Side.BUY, Decimal("99999.55")))).would_cross
    assert (await bed.one(bed.order(Side.BUY, BID - 5, tif=ALO))).state is OrderState.RESTING
    assert await bed.held() == 0


async def alo_of_an_exit_never_takes(bed: Bed) -> None:
    """An exit that must not cross is refused when it would, and fills as a maker when the market comes."""
    await bed.bought()
    update = await bed.one(replace(bed.order(Side.SELL, BID, tif=ALO), reduce_only=True))
    assert update.state is OrderState.REJECTED
    assert update.would_cross
    resting = replace(bed.order(Side.SELL, ASK, tif=ALO), reduce_only=True)
    assert (await bed.one(resting)).state is OrderState.RESTING
    await bed.hands.trade(Side.BUY, ASK + 1, Decimal(10))
    await bed.state(resting.client_id, OrderState.FILLED)
    assert await bed.held() == 0


async def reduce_only_only_reduces(bed: Bed) -> None:
    """Reduce-only orders are refused without a position and never turn one around."""
    refused = await bed.one(bed.order(Side.SELL, BID, tif=IOC, reduce_only=True))
    assert refused.state is OrderState.REJECTED
    assert "Reduce only" in refused.reason
    await bed.bought()
    await bed.one(bed.order(Side.SELL, BID, LOT * 3, IOC, reduce_only=True))
    assert await bed.held() == 0


async def stops_of_longs_fire_on_the_mark(bed: Bed) -> None:
    """A stop of a long waits, is among the open orders, and closes the position when the mark falls to it."""
    await bed.bought()
    stop = bed.stop(Side.SELL, BID - 500)
    assert (await bed.one(stop)).state in (OrderState.WAITING, OrderState.RESTING)
    (shown,) = await bed.venue.open_orders()
    assert shown.client_id == stop.client_id
    assert shown.trigger is not None
    assert (shown.trigger.px, shown.trigger.kind, shown.reduce_only) == (BID - 500, TriggerKind.STOP_LOSS, True)
    await bed.hands.mark(BID - 499)
    assert not (await bed.venue.order_of(stop.client_id)).state.is_final
    await bed.hands.quote(BID - 502, BID - 501, Decimal(1))
    await bed.hands.mark(BID - 500)
    await bed.state(stop.client_id, OrderState.FILLED)
    assert await bed.held() == 0


async def exits_of_shorts_fire_on_the_mark(bed: Bed) -> None:
    """A take-profit of a short fires when the mark falls to it; its stop, above, does not."""
    await bed.one(bed.order(Side.SELL, BID - 100, tif=IOC))
    stop = bed.stop(Side.BUY, BID + 500)
    gain = bed.stop(Side.BUY, BID - 500, TriggerKind.TAKE_PROFIT)
    await bed.venue.place([stop, gain])
    await bed.hands.quote(BID - 502, BID - 501, Decimal(1))
    await bed.hands.mark(BID - 501)
    await bed.state(gain.client_id, OrderState.FILLED)
    assert await bed.held() == 0
    (fill,) = await bed.fills_of(gain.client_id)
    assert fill.side is Side.BUY


async def exits_live_and_die_with_their_entry(bed: Bed) -> None:
    """Grouped exits wait for the entry; when one is done the other goes; an entry canceled takes both with it."""
    entry = bed.order(Side.BUY, ASK + 100, tif=IOC)
    stop, gain = bed.stop(Side.SELL, BID - 500), bed.stop(Side.SELL, BID + 500, TriggerKind.TAKE_PROFIT)
    first, *_ = await bed.venue.place([entry, stop, gain], OrderGrouping.ENTRY_WITH_EXITS)
    assert first.state is OrderState.FILLED

    async def both_wait() -> bool:
        return {o.client_id for o in await bed.venue.open_orders()} == {stop.client_id, gain.client_id}

    await bed.until(both_wait, "both exits open")
    await bed.hands.quote(BID - 502, BID - 501, Decimal(1))
    await bed.hands.mark(BID - 502)
    await bed.state(stop.client_id, OrderState.FILLED)
    await bed.state(gain.client_id, OrderState.CANCELED)
    assert await bed.held() == 0
    await bed.hands.quote(BID, ASK, Decimal(1))
    await bed.hands.mark(BID)
    resting = bed.order(Side.BUY, BID - 1000)
    exits = [bed.stop(Side.SELL, BID - 2000), bed.stop(Side.SELL, BID + 500, TriggerKind.TAKE_PROFIT)]
    await bed.venue.place([resting, *exits], OrderGrouping.ENTRY_WITH_EXITS)
    await bed.venue.cancel(COIN, [resting.client_id])
    for order in (resting, *exits):
        assert (await bed.state(order.client_id, OrderState.CANCELED)).filled == 0
    assert not await bed.venue.open_orders()


async def a_group_with_a_wrong_exit_is_refused_whole(bed: Bed) -> None:
    """No entry goes without its stop: a wrong tick or a trigger that has passed refuses all, also when sent again."""
    for px in (Decimal("99000.55"), BID + 700):
        entry = bed.order(Side.BUY, ASK + 100, tif=IOC)
        stop = replace(bed.stop(Side.SELL, BID - 500), trigger=OrderTrigger(px, TriggerKind.STOP_LOSS))
        for _ in range(2):
            updates = await bed.venue.place([entry, stop], OrderGrouping.ENTRY_WITH_EXITS)
            assert [u.state for u in updates] == [OrderState.REJECTED] * 2
            assert all(u.reason for u in updates)
    assert await bed.held() == 0
    assert not await bed.venue.open_orders()
    vain = bed.order(Side.BUY, BID, tif=IOC)
    updates = await bed.venue.place([vain, bed.stop(Side.SELL, BID - 500)], OrderGrouping.ENTRY_WITH_EXITS)
    assert [u.state for u in updates] == [OrderState.REJECTED] * 2
    good = bed.order(Side.BUY, BID - 1000)
    await bed.one(good)
    with pytest.raises(VenueError):
        await bed.venue.place([good, bed.stop(Side.SELL, BID - 2000)], OrderGrouping.ENTRY_WITH_EXITS)


async def cancel_is_final_and_repeatable(bed: Bed) -> None:
    """A cancel ends a resting order; again, the state stands; a name nobody used was never placed."""
    order = bed.order(Side.BUY, BID - 1000)
    await bed.one(order)
    unknown = client_order_id("nobody", "entry")
    first, never = await bed.venue.cancel(COIN, [order.client_id, unknown])
    assert (first.state, never.state) == (OrderState.CANCELED, OrderState.NEVER_PLACED)
    (again,) = await bed.venue.cancel(COIN, [order.client_id])
    assert again.state is OrderState.CANCELED
    assert not await bed.venue.open_orders()
    await bed.hands.trade(Side.SELL, BID - 1000, Decimal(3))
    assert await bed.held() == 0


async def a_fill_beats_a_late_cancel(bed: Bed) -> None:
    """A cancel that comes after the fill tells the fill."""
    order = bed.order(Side.BUY, BID)
    await bed.one(order)
    await bed.hands.quote(BID - 10, ASK, Decimal(1))
    await bed.hands.trade(Side.SELL, BID - 10, Decimal("0.5"))
    (update,) = await bed.venue.cancel(COIN, [order.client_id])
    assert (update.state, update.filled) == (OrderState.FILLED, LOT)
    assert await bed.held() == LOT


async def modify_keeps_the_name(bed: Bed) -> None:
    """A modified order has its new price and size under the same name, and is not told as canceled."""
    order = bed.order(Side.BUY, BID - 1000)
    await bed.one(order)
    changed = replace(order, limit_px=BID - 900, size=LOT * 2)
    update = await bed.venue.modify(changed)
    assert (update.client_id, update.state) == (order.client_id, OrderState.RESTING)
    (shown,) = await bed.venue.open_orders()
    assert (shown.client_id, shown.limit_px, shown.left) == (order.client_id, BID - 900, LOT * 2)
    assert (await bed.venue.order_of(order.client_id)).state is OrderState.RESTING
    await asyncio.sleep(0.1)
    ended = [e for e in bed.told if isinstance(e, OrderUpdate) and e.client_id == order.client_id and e.state.is_final]
    assert not ended
    gone = await bed.venue.modify(bed.order(Side.BUY, BID - 800))
    assert gone.state.is_final
    assert len(await bed.venue.open_orders()) == 1


async def an_unknown_name_was_never_placed(bed: Bed) -> None:
    """`order_of` knows what was placed and tells what was not."""
    order = bed.order(Side.BUY, BID - 1000)
    placed = await bed.one(order)
    known = await bed.venue.order_of(order.client_id)
    assert (known.state, known.oid) == (OrderState.RESTING, placed.oid)
    assert (await bed.venue.order_of(client_order_id("none", "entry"))).state is OrderState.NEVER_PLACED


async def fills_are_complete_and_told_once(bed: Bed) -> None:
    """`fills_since` has every execution once, oldest first, and they add up to the position."""
    start = await bed.venue.server_time_ms()
    for index in range(4):
        side = Side.BUY if index % 3 else Side.SELL
        await bed.one(bed.order(side, ASK + 100 if side is Side.BUY else BID - 100, LOT * (index + 1), IOC))
    fills = await bed.venue.fills_since(start)
    assert len({fill.fill_id for fill in fills}) == len(fills) == 4
    assert [f.time_ms for f in fills] == sorted(f.time_ms for f in fills)
    assert sum(f.size * int(f.side) for f in fills) == await bed.held()
    assert not await bed.venue.fills_since(fills[-1].time_ms + 60_000)


async def events_tell_everything(bed: Bed) -> None:
    """Orders and fills come through `events`, whoever caused them, at least once."""
    taker, maker = bed.order(Side.BUY, ASK, tif=IOC), bed.order(Side.BUY, BID)
    await bed.venue.place([taker, maker])
    await bed.hands.quote(BID - 10, ASK, Decimal(1))
    await bed.hands.trade(Side.SELL, BID - 10, Decimal("0.5"))

    async def all_told() -> bool:
        filled = {e.client_id for e in bed.told if isinstance(e, VenueFill)}
        ended = {e.client_id for e in bed.told if isinstance(e, OrderUpdate) and e.state is OrderState.FILLED}
        return filled >= {taker.client_id, maker.client_id} and ended >= {taker.client_id, maker.client_id}

    await bed.until(all_told, "both fills and both ends told")
    known = {fill.fill_id: fill for fill in await bed.venue.fills_since(0)}
    assert all(known[e.fill_id] == e for e in bed.told if isinstance(e, VenueFill))


async def what_was_told_is_read_after_closing(bed: Bed) -> None:
    """Events told before the venue was closed are still given, and then the reading ends."""
    await bed.deafen()
    order = bed.order(Side.BUY, ASK, tif=IOC)
    await bed.venue.place([order])

    async def filled() -> bool:
        return bool(await bed.fills_of(order.client_id))

    await bed.until(filled, "the fill")
    await bed.venue.close()
    async with asyncio.timeout(PATIENCE_S):
        told = [event async for event in bed.venue.events()]
    assert order.client_id in {event.client_id for event in told if not isinstance(event, FundingPayment)}
    await bed.venue.connect()
    await bed.listen()
    assert (await bed.one(bed.order(Side.SELL, BID, tif=IOC))).state is OrderState.FILLED


async def account_tells_equity_and_positions(bed: Bed) -> None:
    """Equity moves by fee and mark; a position has size, entry, open result, margin and leverage."""
    before = await bed.venue.account()
    assert (before.positions, before.margin_used_usd) == ((), 0)
    fill = await bed.bought(Decimal("0.1"))
    await bed.hands.mark(BID + 1000)
    after = await bed.venue.account()
    (held,) = after.positions
    assert (held.coin, held.size, held.entry_px) == (COIN, Decimal("0.1"), ASK)
    assert held.unrealised_usd == Decimal("99.9")
    assert after.equity_usd == before.equity_usd - fill.fee_usd + held.unrealised_usd
    assert held.margin_usd == (BID + 1000) * held.size / held.leverage == after.margin_used_usd
    assert after.withdrawable_usd <= after.equity_usd - after.margin_used_usd


async def wrong_prices_and_sizes_are_refused(bed: Bed) -> None:
    """Ticks, lots and the minimum value are refused in words; the orders beside them stand."""
    good = bed.order(Side.BUY, BID - 1000)
    wrong = [
        bed.order(Side.BUY, Decimal("99999.55")),
        bed.order(Side.BUY, BID - 1000, Decimal("0.000001")),
        bed.order(Side.BUY, BID - 1000, Decimal("0.00009")),
    ]
    for order in wrong:
        update = await bed.one(order)
        assert update.state is OrderState.REJECTED
        assert update.reason
    assert (await bed.one(good)).state is OrderState.RESTING
    assert len(await bed.venue.open_orders()) == 1
    with pytest.raises(VenueError):
        await bed.venue.place([replace(good, coin="NOSUCH", client_id=client_order_id("x", "y"))])


async def margin_bounds_what_can_be_opened(bed: Bed) -> None:
    """Leverage is set within its bounds; an order beyond the margin is refused."""
    await bed.venue.set_leverage(COIN, 5)
    equity = (await bed.venue.account()).equity_usd
    size = (equity * 6 / BID).quantize(LOT)
    update = await bed.one(bed.order(Side.BUY, BID - 1000, size))
    assert update.state is OrderState.REJECTED
    assert "margin" in update.reason
    await bed.bought()
    assert (await bed.venue.account()).positions[0].leverage == 5
    with pytest.raises(VenueError):
        await bed.venue.set_leverage(COIN, 1000)


async def funding_is_paid_at_the_full_hour(bed: Bed) -> None:
    """A long pays a positive rate on its size at the oracle price; equity falls by it; the payment is told."""
    await bed.bought(Decimal("0.1"))
    before = (await bed.venue.account()).equity_usd
    await bed.hands.next_hour(Decimal("0.0001"))

    async def paid() -> bool:
        return any(isinstance(e, FundingPayment) for e in bed.told)

    await bed.until(paid, "a funding payment")
    (payment,) = [e for e in bed.told if isinstance(e, FundingPayment)]
    assert (payment.coin, payment.size, payment.usd) == (COIN, Decimal("0.1"), Decimal(1))
    assert (await bed.venue.account()).equity_usd == before - 1


async def a_closed_venue_comes_back_as_it_was(bed: Bed) -> None:
    """Resting orders stay through close and connect, names stay used, and nothing can be done while closed."""
    order = bed.order(Side.BUY, BID - 1000)
    await bed.one(order)
    await bed.bought()
    await bed.venue.close()
    with pytest.raises(VenueError):
        await bed.one(bed.order(Side.BUY, BID - 1000))
    await bed.venue.connect()
    await bed.venue.connect()
    await bed.hands.quote(BID, ASK, Decimal(1))
    await bed.hands.mark(BID)
    assert (await bed.one(order)).state is OrderState.RESTING
    assert [o.client_id for o in await bed.venue.open_orders()] == [order.client_id]
    assert await bed.held() == LOT
    assert len(await bed.venue.fills_since(0)) == 1


async def the_scheduled_cancel_never_removes_stops(bed: Bed) -> None:
    """The venue's cancel-all is armed or refused; never while a stop rests; and it can be disarmed."""
    now = await bed.venue.server_time_ms()
    armed = await bed.venue.schedule_cancel(now + 60_000)
    if armed:
        assert await bed.venue.schedule_cancel(None)
    await bed.bought()
    await bed.one(bed.stop(Side.SELL, BID - 500))
    assert await bed.venue.schedule_cancel(now + 60_000) is False


async def best_prices_and_clock(bed: Bed) -> None:
    """Best prices are those of the book; the venue's clock runs."""
    assert await bed.venue.best_prices(COIN) == (BID, ASK)
    first = await bed.venue.server_time_ms()
    assert await bed.venue.server_time_ms() >= first > 1_500_000_000_000
    assert COIN in [asset.name for asset in bed.venue.universe]
    assert bed.venue.name


CHECKS: Sequence[Callable[[Bed], Awaitable[None]]] = (
    ioc_takes_and_the_rest_is_canceled,
    ioc_without_a_match_is_rejected,
    the_same_name_is_the_same_order,
    the_same_name_at_once_is_one_order,
    gtc_rests_and_is_filled_as_maker,
    alo_never_takes,
    alo_of_an_exit_never_takes,
    reduce_only_only_reduces,
    stops_of_longs_fire_on_the_mark,
    exits_of_shorts_fire_on_the_mark,
    exits_live_and_die_with_their_entry,
    a_group_with_a_wrong_exit_is_refused_whole,
    cancel_is_final_and_repeatable,
    a_fill_beats_a_late_cancel,
    modify_keeps_the_name,
    an_unknown_name_was_never_placed,
    fills_are_complete_and_told_once,
    events_tell_everything,
    what_was_told_is_read_after_closing,
    account_tells_equity_and_positions,
    wrong_prices_and_sizes_are_refused,
    margin_bounds_what_can_be_opened,
    funding_is_paid_at_the_full_hour,
    a_closed_venue_comes_back_as_it_was,
    the_scheduled_cancel_never_removes_stops,
    best_prices_and_clock,
)
