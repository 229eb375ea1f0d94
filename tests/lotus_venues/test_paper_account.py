"""Laws of the paper account: what a resting order may claim, what money does, and that its state is a value."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.errors import LedgerError, VenueError
from lotus.manifest import Asset
from lotus.timebase import HOUR_MS, NS_PER_MS
from lotus.trading.orders import (
    FundingPayment,
    NewOrder,
    OrderGrouping,
    OrderState,
    OrderUpdate,
    Side,
    TimeInForce,
    TriggerKind,
    VenueFill,
    client_order_id,
)
from lotus_venues.paper_account.account import PaperAccount
from lotus_venues.paper_account.money import PaperTerms
from lotus_venues.paper_account.orders import OrderForm
from lotus_venues.paper_account.state import Stored, from_stored
from lotus_venues.paper_account.venue import PaperAccountVenue

BTC, ETH = Asset("BTC", 5), Asset("ETH", 4)
UNIVERSE = (BTC, ETH)
T0 = 1_760_000_400_000  # 400 s after a full hour
PX, LOTS = 1_000_000, 1000  # 100,000.0 USD; 0.01 BTC
BUY, SELL = 1, -1


@dataclass
class Market:
    """An account and the hands that move its market, a millisecond a message."""

    account: PaperAccount
    now_ms: int = T0
    tid: int = 0
    names: int = 0

    def book(self, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
        """Show a book."""
        self.now_ms += 1
        self.account.on_book(0, self.now_ms * NS_PER_MS, self.now_ms, bids, asks)

    def trade(self, side: int, px: int, lots: int, tid: int = 0, time_ms: int = 0) -> None:
        """Show a trade."""
        self.now_ms += 1
        self.tid += 1
        stamp = time_ms or self.now_ms
        self.account.on_trade(0, self.now_ms * NS_PER_MS, stamp, tid or self.tid, px, lots, side)

    def mark(self, px: int, rate_e12: int = 0) -> None:
        """Tell mark and oracle."""
        self.now_ms += 1
        self.account.on_context(0, self.now_ms * NS_PER_MS, px, px, rate_e12)

    def place(self, side: int, px: int, lots: int = LOTS, **more: Any) -> str:
        """Place an order and return its name."""
        self.names += 1
        name = client_order_id(str(self.names), "entry")
        self.account.place(self.now_ms * NS_PER_MS, [OrderForm(name, 0, side, lots, px, **more)])
        return name

    def filled(self, name: str) -> int:
        """Return the lots that an order has filled."""
        return self.account.state.orders[name].done

    def state(self, name: str) -> OrderState:
        """Return where an order stands."""
        return self.account.order_of(name).state


def market(**terms: Any) -> Market:
    """Return a market of 100,000.0 / 100,000.1 with 0.05 BTC a side, and a second level of 0.05."""
    made = Market(PaperAccount(UNIVERSE, PaperTerms(Decimal(10_000), **terms)))
    made.mark(PX)
    made.book([(PX, 5000), (PX - 10, 5000)], [(PX + 1, 5000), (PX + 11, 5000)])
    return made


def test_trades_eat_the_queue_first() -> None:
    made = market()
    name = made.place(BUY, PX)
    made.trade(SELL, PX, 4000)
    assert made.filled(name) == 0
    made.trade(SELL, PX, 1300)
    assert made.filled(name) == 300
    made.trade(BUY, PX, 9000)
    assert made.filled(name) == 300


def test_what_the_book_showed_gone_does_not_eat_the_queue_again() -> None:
    """The book shows the queue shrunk before the print that shrank it arrives: the print is that, and fills nothing."""
    made = market()
    name = made.place(BUY, PX)
    made.book([(PX, 1000), (PX - 10, 5000)], [(PX + 1, 5000)])
    made.trade(SELL, PX, 4000)
    assert made.filled(name) == 0
    made.trade(SELL, PX, 1500)
    assert made.filled(name) == 500


def test_a_trade_through_the_price_fills_no_more_than_it_was() -> None:
    made = market()
    name = made.place(BUY, PX)
    made.trade(SELL, PX - 10, 300)
    assert made.filled(name) == 300
    made.trade(SELL, PX - 10, 3000)
    assert (made.filled(name), made.state(name)) == (LOTS, OrderState.FILLED)


def test_trades_from_before_the_order_and_replayed_ones_fill_nothing() -> None:
    made = market()
    made.trade(SELL, PX - 10, 10, tid=77)
    old = made.now_ms
    name = made.place(BUY, PX)
    made.trade(SELL, PX - 10, 500, time_ms=old)
    assert made.filled(name) == 0
    made.trade(SELL, PX - 10, 100, tid=99)
    stamp = made.now_ms
    for _ in range(30):
        made.trade(SELL, PX - 10, 100, tid=99, time_ms=stamp)
        made.trade(SELL, PX - 10, 100, tid=98, time_ms=stamp - 1)
    assert made.filled(name) == 100


def test_a_book_that_crosses_fills_what_it_newly_shows() -> None:
    made = market()
    name = made.place(BUY, PX + 1, 8000)
    assert made.filled(name) == 5000
    made.book([(PX, 5000)], [(PX + 1, 5000)])
    assert made.filled(name) == 5000  # the very size that was taken is still shown
    made.book([(PX, 5000)], [(PX + 1, 6000)])
    assert made.filled(name) == 6000
    made.book([(PX, 5000)], [(PX + 11, 5000)])
    made.book([(PX, 5000)], [(PX + 1, 1000)])
    assert made.filled(name) == 7000


def test_size_taken_is_gone_until_the_book_is_shown_again() -> None:
    made = market()
    first, second = made.place(BUY, PX + 1, 4000), made.place(BUY, PX + 1, 4000, tif=TimeInForce.IOC)
    assert (made.filled(first), made.filled(second)) == (4000, 1000)


def test_an_unseen_level_fills_only_through() -> None:
    made = market()
    name = made.place(BUY, PX - 500)
    made.trade(SELL, PX - 500, 50_000)
    assert made.filled(name) == 0
    made.book([(PX - 500, 700)], [(PX + 1, 10)])
    made.trade(SELL, PX - 500, 800)
    assert made.filled(name) == 100


def test_own_orders_share_one_trade_by_price_and_time() -> None:
    made = market()
    worse, better, later = made.place(BUY, PX - 10), made.place(BUY, PX), made.place(BUY, PX)
    made.trade(SELL, PX - 20, 1500)
    assert (made.filled(better), made.filled(later), made.filled(worse)) == (1000, 500, 0)


def test_requests_wait_for_their_latency_and_lose_races() -> None:
    made = market(latency_ms=50)
    name = made.place(BUY, PX + 1, tif=TimeInForce.IOC)
    assert made.state(name) is OrderState.UNKNOWN
    made.now_ms += 48
    made.book([(PX, 5000)], [(PX + 1, 5000)])
    assert made.state(name) is OrderState.UNKNOWN
    made.book([(PX, 5000)], [(PX + 1, 400)])
    assert (made.state(name), made.filled(name)) == (OrderState.CANCELED, 400)
    resting = made.place(BUY, PX)
    made.now_ms += 50
    made.mark(PX)
    made.account.cancel(made.now_ms * NS_PER_MS, [resting])
    made.now_ms += 48
    made.trade(SELL, PX - 10, LOTS)
    assert made.state(resting) is OrderState.FILLED


def test_children_of_an_entry_that_ends_half_filled_end_with_it() -> None:
    made = market()
    entry, stop = client_order_id("e", "entry"), client_order_id("e", "stop")
    forms = [
        OrderForm(entry, 0, BUY, 20_000, PX + 1, TimeInForce.IOC),
        OrderForm(stop, 0, SELL, 20_000, PX - 900, reduce_only=True, trigger=PX - 500),
    ]
    made.account.set_leverage(0, 20, True)
    made.account.place(made.now_ms * NS_PER_MS, forms, OrderGrouping.ENTRY_WITH_EXITS)
    assert (made.state(entry), made.filled(entry), made.state(stop)) == (
        OrderState.CANCELED,
        5000,
        OrderState.CANCELED,
    )


def test_exits_of_a_position_take_all_of_it() -> None:
    made = market()
    made.place(BUY, PX + 1, 3000)
    names = [client_order_id("p", "sl"), client_order_id("p", "tp")]
    forms = [
        OrderForm(names[0], 0, SELL, 1, PX - 900, reduce_only=True, trigger=PX - 500),
        OrderForm(names[1], 0, SELL, 1, PX, reduce_only=True, trigger=PX + 500, kind=TriggerKind.TAKE_PROFIT),
    ]
    made.account.place(made.now_ms * NS_PER_MS, forms, OrderGrouping.POSITION_EXITS)
    made.place(BUY, PX + 1, 1000)
    made.mark(PX + 500)
    assert (made.filled(names[1]), made.state(names[0])) == (4000, OrderState.CANCELED)
    assert made.account.state.positions[0].lots == 0


def test_reduce_only_orders_end_with_the_position() -> None:
    made = market()
    made.place(BUY, PX + 1, 1000)
    stop = made.place(SELL, PX - 900, 1000, reduce_only=True, trigger=PX - 500)
    gain = made.place(SELL, PX + 200, 1000, reduce_only=True)
    made.place(SELL, PX, 1000, tif=TimeInForce.IOC)
    assert (made.state(stop), made.state(gain)) == (OrderState.CANCELED, OrderState.CANCELED)
    assert made.account.state.orders[stop].reason == "reduceOnlyCanceled"


def test_below_maintenance_everything_is_closed() -> None:
    made = market(default_leverage=20)
    made.book([(PX, 5000)], [(PX + 1, 200_000)])
    made.place(BUY, PX + 1, 150_000)
    resting = made.place(SELL, PX + 500, 10_000)
    made.book([(PX - 60_000, 100_000), (PX - 61_000, 100_000)], [(PX - 59_000, 50_000)])
    assert made.account.state.positions[0].lots == 150_000
    made.mark(PX - 60_000)
    assert made.account.state.positions[0].lots == 0
    assert made.account.state.orders[resting].reason == "liquidatedCanceled"
    forced = [fill for fill in made.account.state.fills if not fill.client_id]
    assert [(fill.lots, fill.px, fill.side) for fill in forced] == [
        (100_000, PX - 60_000, SELL),
        (50_000, PX - 61_000, SELL),
    ]


def test_each_full_hour_pays_once() -> None:
    made = market()
    made.place(BUY, PX + 1, 1000)
    made.mark(PX, 10**8)  # 0.0001 an hour on 0.01 BTC at 100,000 USD: 0.1 USD
    made.account.take_events()
    made.now_ms = (T0 // HOUR_MS + 3) * HOUR_MS
    made.mark(PX)
    made.mark(PX)
    paid = [e for e in made.account.take_events() if isinstance(e, FundingPayment)]
    assert [(p.usd, p.time_ms % HOUR_MS) for p in paid] == [(Decimal("0.1"), 0)] * 3
    assert made.account.state.funding_micro == 300_000


def test_the_pessimistic_mark_is_what_closing_now_would_bring() -> None:
    made = market()
    made.place(BUY, PX + 11, 7000)
    marks = made.account.marks()
    before = marks.far_micro
    assert marks.far_micro < marks.mid_micro
    made.place(SELL, PX - 100, 7000, tif=TimeInForce.IOC)
    after = made.account.marks()
    assert after.far_micro == after.mid_micro == made.account.state.cash_micro
    assert abs(after.far_micro - before) <= 2  # the fee of each level is rounded up


def test_liquidation_price_is_where_equity_meets_maintenance() -> None:
    async def run() -> None:
        made = market(default_leverage=20)
        made.book([(PX, 200_000)], [(PX + 1, 200_000)])
        venue = PaperAccountVenue(made.account, lambda: made.now_ms * NS_PER_MS)
        await venue.connect()
        made.place(BUY, PX + 1, 150_000)
        (held,) = (await venue.account()).positions
        assert held.liquidation_px is not None
        px = int(held.liquidation_px * 10)
        assert PX // 2 < px < PX
        made.mark(px + 2)
        assert made.account.state.positions[0].lots == 150_000
        made.mark(px - 2)
        assert made.account.state.positions[0].lots == 0

    asyncio.run(run())


STEP = st.one_of(
    st.tuples(st.just("book"), st.integers(-30, 30), st.integers(1, 6000)),
    st.tuples(st.just("trade"), st.sampled_from([BUY, SELL]), st.integers(-30, 30), st.integers(1, 4000)),
    st.tuples(st.just("mark"), st.integers(-60, 60), st.integers(-(10**8), 10**8)),
    st.tuples(
        st.just("place"),
        st.sampled_from([BUY, SELL]),
        st.integers(-25, 25),
        st.integers(101, 6000),
        st.sampled_from(TimeInForce),
        st.booleans(),
        st.booleans(),
    ),
    st.tuples(st.just("group"), st.sampled_from([BUY, SELL]), st.integers(-25, 25), st.integers(101, 3000)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("modify"), st.integers(0, 30), st.integers(-25, 25), st.integers(101, 3000)),
    st.tuples(st.just("hour")),
)


def play(made: Market, step: Any) -> None:
    """Do one random step."""
    now_ns = made.now_ms * NS_PER_MS
    match step:
        case ("book", shift, lots):
            made.book([(PX + shift, lots), (PX + shift - 5, 3000)], [(PX + shift + 1, 3000), (PX + shift + 9, lots)])
        case ("trade", side, shift, lots):
            made.trade(side, PX + shift, lots)
        case ("mark", shift, rate):
            made.mark(PX + shift, rate)
        case ("place", side, shift, lots, tif, reduce_only, is_stop):
            made.place(side, PX + shift, lots, tif=tif, reduce_only=reduce_only, trigger=(PX + shift) * is_stop)
        case ("group", side, shift, lots):
            made.names += 1
            entry, stop = (client_order_id(str(made.names), purpose) for purpose in ("entry", "stop"))
            exit_px = PX + shift - side * 20
            forms = [
                OrderForm(entry, 0, side, lots, PX + shift),
                OrderForm(stop, 0, -side, lots, exit_px - side * 900, reduce_only=True, trigger=exit_px),
            ]
            made.account.place(now_ns, forms, OrderGrouping.ENTRY_WITH_EXITS)
        case ("cancel", index):
            made.account.cancel(now_ns, [client_order_id(str(index), "entry")])
        case ("modify", index, shift, lots):
            name = client_order_id(str(index), "entry")
            side = made.account.state.orders[name].side if name in made.account.state.orders else BUY
            made.account.modify(now_ns, OrderForm(name, 0, side, lots, PX + shift))
        case ("hour",):
            made.now_ms += HOUR_MS
            made.mark(PX)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(STEP, max_size=40), st.integers(0, 40), st.sampled_from([0, 3]))
def test_a_stored_account_goes_on_as_if_nothing_happened(steps: list[Any], cut: int, latency_ms: int) -> None:
    """Storing through JSON at any point changes neither a later event nor the state; so does a replay."""
    straight, broken = market(latency_ms=latency_ms), market(latency_ms=latency_ms)
    for index, step in enumerate(steps):
        if index == cut:
            broken.account.take_events()
            text = json.dumps(broken.account.stored())
            broken.account = PaperAccount(UNIVERSE, broken.account.terms)
            broken.account.restore(json.loads(text), outage=False)
            straight.account.take_events()
        play(straight, step)
        play(broken, step)
    assert broken.account.take_events() == straight.account.take_events()
    assert broken.account.stored() == straight.account.stored()


@dataclass
class Ledger:
    """An independent account of the events, in fractions."""

    cash: Fraction = Fraction(10_000)
    lots: Fraction = Fraction(0)
    filled: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def take(self, event: object) -> None:
        """Book an event."""
        if isinstance(event, VenueFill):
            self.cash -= Fraction(event.px) * Fraction(event.size) * int(event.side) + Fraction(event.fee_usd)
            self.lots += Fraction(event.size) * int(event.side)
            self.filled[event.client_id] += event.size
        elif isinstance(event, FundingPayment):
            self.cash -= Fraction(event.usd)


@settings(max_examples=examples(80), deadline=None)
@given(st.lists(STEP, max_size=50))
def test_money_orders_and_positions_agree_with_an_independent_ledger(steps: list[Any]) -> None:
    made, ledger = market(), Ledger()
    finals: dict[str, OrderState] = {}
    for step in steps:
        play(made, step)
        state = made.account.state
        for event in made.account.take_events():
            ledger.take(event)
            if isinstance(event, VenueFill) and not event.is_taker:
                order = state.orders[event.client_id]
                assert (event.px * 10 - order.limit) == 0 or step[0] == "modify"
            if isinstance(event, OrderUpdate) and event.state.is_final:
                assert event.client_id not in finals
                finals[event.client_id] = event.state
        mark = state.quotes[0].mark
        worth = ledger.cash + ledger.lots * Fraction(mark, 10)
        assert Fraction(made.account.execution.equity_micro(), 10**6) == worth
        assert Fraction(state.positions[0].lots, 10**5) == ledger.lots
        open_names = set(state.open_ids[0])
        assert open_names == {n for n, o in state.orders.items() if not o.state.is_final}
        for name, order in state.orders.items():
            assert 0 <= order.left <= order.lots
            assert order.done + order.left == order.lots
            assert order.done == 0 or ledger.filled[name] * 10**5 >= order.done


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(STEP, max_size=40))
def test_reduce_only_never_opens_or_turns(steps: list[Any]) -> None:
    made, lots = market(), 0
    for step in steps:
        play(made, step)
        for event in made.account.take_events():
            if isinstance(event, VenueFill):
                after = lots + int(event.size * 10**5) * int(event.side)
                order = made.account.state.orders.get(event.client_id)
                if order is not None and order.reduce_only:
                    assert abs(after) < abs(lots)
                    assert after * lots >= 0
                lots = after


class FailingStore:
    """A store that can be switched to fail."""

    def __init__(self) -> None:
        """Work at first."""
        self.fails, self.saved = False, 0

    def load(self) -> Stored | None:
        """Hold nothing."""
        return None

    def save(self, change: Stored) -> None:
        """Count or fail."""
        if self.fails:
            raise LedgerError("no disk")
        self.saved += len(change["orders"])


def test_nothing_is_told_that_could_not_be_saved() -> None:
    async def run() -> None:
        made, store = market(), FailingStore()
        venue = PaperAccountVenue(made.account, lambda: made.now_ms * NS_PER_MS, store, timeout_s=0.05)
        await venue.connect()
        order = NewOrder(client_order_id("a", "entry"), "BTC", Side.BUY, Decimal("0.01"), Decimal(99_000))
        store.fails = True
        (update,) = await venue.place([order])
        assert (update.state, update.reason) == (OrderState.UNKNOWN, "no disk")
        with pytest.raises(VenueError, match="cannot be saved"):
            await venue.order_of(order.client_id)
        store.fails = False
        assert (await venue.order_of(order.client_id)).state is OrderState.RESTING
        assert store.saved == 1
        told = venue.events()
        assert await asyncio.wait_for(anext(told), 1) == await venue.order_of(order.client_id)

    asyncio.run(run())


def test_a_tape_that_stops_leaves_a_request_unknown() -> None:
    async def run() -> None:
        made = market(latency_ms=20)
        venue = PaperAccountVenue(made.account, lambda: made.now_ms * NS_PER_MS, timeout_s=0.1)
        await venue.connect()
        order = NewOrder(client_order_id("a", "entry"), "BTC", Side.BUY, Decimal("0.01"), Decimal(99_000))
        (update,) = await venue.place([order])
        assert update.state is OrderState.UNKNOWN
        made.now_ms += 20
        assert (await venue.order_of(order.client_id)).state is OrderState.RESTING

    asyncio.run(run())


def test_an_order_waits_for_its_latency_behind_the_port() -> None:
    async def run() -> None:
        made = market(latency_ms=20)
        loop = asyncio.get_running_loop()
        began, base = loop.time(), made.now_ms
        clock: Callable[[], int] = lambda: base * NS_PER_MS + int((loop.time() - began) * 1e9)  # noqa: E731
        venue = PaperAccountVenue(made.account, clock)
        await venue.connect()
        order = NewOrder(client_order_id("a", "x"), "BTC", Side.BUY, Decimal("0.01"), Decimal(100_100))
        (update,) = await venue.place([order])
        assert update.state is OrderState.FILLED
        assert loop.time() - began >= 0.019

    asyncio.run(run())


def test_a_stored_account_of_another_universe_is_refused() -> None:
    stored = market().account.stored()
    with pytest.raises(LedgerError, match="universe"):
        from_stored(stored, (BTC,))
    with pytest.raises(LedgerError, match="cannot be read"):
        from_stored({"head": {}, "orders": [], "fills": []}, UNIVERSE)


def test_after_an_outage_orders_queue_at_the_back_again() -> None:
    made = market()
    name = made.place(BUY, PX)
    made.trade(SELL, PX, 4999)
    stored = json.loads(json.dumps(made.account.stored()))
    made.account.restore(stored)
    made.trade(SELL, PX, 900)
    assert made.filled(name) == 0
    made.book([(PX, 200)], [(PX + 1, 10)])
    made.trade(SELL, PX, 300)
    assert made.filled(name) == 100


def test_the_scheduled_cancel_falls_and_a_stop_disarms_it() -> None:
    async def run() -> None:
        made = market()
        venue = PaperAccountVenue(made.account, lambda: made.now_ms * NS_PER_MS)
        await venue.connect()
        first = made.place(BUY, PX - 100)
        assert not await venue.schedule_cancel(made.now_ms + 4_000)
        assert await venue.schedule_cancel(made.now_ms + 5_000)
        made.now_ms += 5_000
        made.mark(PX)
        assert made.account.state.orders[first].reason == "scheduledCancel"
        assert await venue.schedule_cancel(made.now_ms + 5_000)
        made.place(BUY, PX + 1)
        stop = made.place(SELL, PX - 900, reduce_only=True, trigger=PX - 500)
        made.now_ms += 6_000
        made.mark(PX)
        assert made.state(stop) is OrderState.WAITING

    asyncio.run(run())


def test_forgotten_orders_are_final_and_old() -> None:
    made = market()
    old, open_still = made.place(BUY, PX + 1), made.place(BUY, PX - 100)
    made.now_ms += 1_000
    new = made.place(BUY, PX + 1)
    made.account.forget(made.now_ms)
    assert set(made.account.state.orders) == {open_still, new}
    assert [fill.client_id for fill in made.account.state.fills] == [new]
    assert made.state(old) is OrderState.NEVER_PLACED


def test_a_limit_trigger_rests_at_its_limit() -> None:
    made = market()
    made.place(BUY, PX + 1)
    stop = made.place(SELL, PX + 300, reduce_only=True, trigger=PX - 500, trigger_market=False)
    made.book([(PX - 510, 5000)], [(PX - 505, 5000)])
    made.mark(PX - 500)
    assert made.state(stop) is OrderState.RESTING
    made.trade(BUY, PX + 301, LOTS)
    assert made.state(stop) is OrderState.FILLED
    assert made.account.state.fills[-1].px == PX + 300
