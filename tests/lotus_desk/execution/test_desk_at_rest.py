"""The desk with orders at rest, against the local exchange over its sockets with signed requests: the exchange judges.

Books are in memory; the market is what the exchange shows. What the engine does is tested in `lotus_trading`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from desk_bed import BTC, Books, ended, now_ms, until

from lotus.detectors.entry_style import EntryStyle, Fallback
from lotus.trading.execution.orders import Side
from lotus.trading.plan.plan import Authority, ProbeTerms, probe_plan
from lotus.trading.plan.styles import Styles
from lotus_desk.accounts.accounts import VenueAccess, venue_account
from lotus_desk.execution.desk import TradingDesk
from lotus_desk.execution.stored import restored
from lotus_desk.market.snapshot import DeskTerms, MarketSnapshot
from lotus_desk.safety.kill_switch import KillSwitch
from lotus_venues.local_exchange.frames import book_frame, context_frame, trade_frame
from lotus_venues.local_exchange.options import Options, TimeSource
from lotus_venues.local_exchange.web.server import LocalExchange

pytestmark = pytest.mark.clock("orders rest for seconds of wall time")
D = Decimal
JOIN = Styles(EntryStyle.JOIN, Fallback.CROSS, EntryStyle.JOIN)


class SeenMarket(MarketSnapshot):
    """A market that shows what the exchange was fed."""

    def seen(self, bid: int, ask: int) -> None:
        self._tops[0] = now_ms(), 10 * bid, 10 * ask


@dataclass
class Place:
    """An exchange of one coin, a desk on it that may die and live again, and what the exchange has of the account."""

    exchange: LocalExchange
    home: Path
    books: Books = field(default_factory=Books)
    tid: int = 0
    market: Any = None
    task: "asyncio.Task[None] | None" = None
    bid: int = 100_000

    def show(self, bid: int, *, desk_sees: bool = True) -> None:
        """Move the book to a bid, the offer 10 USD above."""
        self.bid = bid
        self.exchange.feed(book_frame("BTC", now_ms(), [(f"{bid}.0", "5.0")], [(f"{bid + 10}.0", "5.0")]))
        self.exchange.feed(context_frame("BTC", f"{bid}.0", f"{bid}.0", "0.0"))
        if desk_sees:
            self.market.seen(bid, bid + 10)

    def trade(self, side: Side, px: int) -> None:
        """Print a large trade of an aggressor, through what rests at a better price."""
        self.tid += 1
        word = "B" if side is Side.BUY else "A"
        self.exchange.feed(trade_frame("BTC", now_ms(), word, f"{px}.0", "9.0", self.tid))

    async def start(self) -> None:
        """Start a desk, in the place of one that died."""
        terms = DeskTerms(D(1000), D(300), D(10**6), 5_000)
        self.market = SeenMarket((BTC,), "local", terms, now_ms, {"BTC": 40})
        access = VenueAccess(
            url=self.exchange.url, keys=self.home / "keys", journals=self.home / "signer", universe=(BTC,),
            clock_ms=now_ms, expires_ms=2_000,
        )  # fmt: skip
        self.market.seen(self.bid, self.bid + 10)
        venue = venue_account("a", access, D(100_000))
        books: Any = self.books
        desk = TradingDesk(books, self.market, {"a": venue}, KillSwitch(self.home).prepare())
        self.task = asyncio.create_task(self._life(desk, venue))
        await until(lambda: desk.recovered, 10.0)

    async def _life(self, desk: TradingDesk, venue: Any) -> None:
        async def seen() -> None:
            while True:
                self.market._tops[0] = now_ms(), *self.market._tops[0][1:]  # the feed goes on
                await asyncio.sleep(0.1)

        try:
            await asyncio.gather(desk.run(), seen())
        finally:
            venue.exchange.signer.journal.close()

    async def die(self) -> None:
        """End the desk as a cancelled task ends: nothing is withdrawn."""
        assert self.task is not None
        await ended(self.task)

    def accept(self, name: str, hold_ms: int, rest_ms: int, styles: Styles = JOIN) -> str:
        """Accept a plan of a long probe."""
        terms = ProbeTerms(D(1000), D(300), Authority("a", D(10**6), ("tr",)), ("local",), styles=styles)
        terms = replace(terms, rest_ms=rest_ms)
        plan = probe_plan(name, BTC, Side.BUY, D(self.bid), now_ms(), hold_ms, terms)
        self.books.accept(plan)
        return plan.plan_id

    @property
    def orders(self) -> list[Any]:
        """Every order of the account that is no trigger, by the exchange's own books, oldest first."""
        return [o for o in self.exchange.engine.state.orders.values() if o.stop is None]

    @property
    def fills(self) -> list[Any]:
        """Every execution of the account."""
        (account,) = self.exchange.engine.state.accounts.values()
        return account.fills

    def resting(self, px: int) -> Callable[[], bool]:
        """Return a question: does exactly one order rest, at a price?"""
        return lambda: [o.px for o in self.orders if o.is_open] == [10 * px]

    def whole(self, plan: str) -> None:
        """Require that the plan is over, its account flat and empty, and that no order was sent twice or unwritten."""
        state = restored(self.books.rows[plan].execution)
        (account,) = self.exchange.engine.state.accounts.values()
        assert state.done
        assert not account.open
        assert account.lots(0) == 0
        names = [o.cloid for o in self.orders]  # a stop that was modified has its name twice
        assert len(names) == len(set(names))
        assert set(names) <= self.books.names
        assert {str(f.tid) for f in account.fills} == {f.fill_id for f in state.fills}


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Place]:
    """Open an exchange and a desk on it."""
    options = Options(clock=TimeSource.WALL, limit_scale=0)
    async with LocalExchange((BTC,), options=options) as exchange:
        made = Place(exchange, folder)
        made.exchange.feed(book_frame("BTC", now_ms(), [("100000.0", "5.0")], [("100010.0", "5.0")]))
        made.exchange.feed(context_frame("BTC", "100000.0", "100000.0", "0.0"))
        await made.start()
        try:
            yield made
        finally:
            await made.die()


def test_both_ways_at_rest_pay_the_makers_fee(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as at:
            plan = at.accept("one", 2_000, 4_000)
            await until(at.resting(100_000))
            at.trade(Side.SELL, 99_999)
            await until(lambda: len(at.fills) == 1)
            await until(at.resting(100_010))
            at.trade(Side.BUY, 100_011)
            await until(lambda: at.books.finished == [plan])
            at.whole(plan)
            assert [(f.crossed, f.px) for f in at.fills] == [(False, 1_000_000), (False, 1_000_100)]

    asyncio.run(go())


def test_an_order_follows_the_best_and_crosses_when_its_wait_is_over(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as at:
            plan = at.accept("one", 4_000, 2_000, Styles(EntryStyle.IMPROVE))
            await until(at.resting(100_001))
            at.show(100_050)
            await until(at.resting(100_051))
            await until(lambda: bool(at.fills))
            assert [o.px for o in at.orders[:2]] == [1_000_010, 1_000_510]
            assert (at.fills[0].crossed, at.fills[0].px) == (True, 1_000_600)
            await until(lambda: at.books.finished == [plan])
            at.whole(plan)

    asyncio.run(go())


def test_a_post_only_order_that_comes_too_late_is_priced_anew(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as at:
            at.show(99_900, desk_sees=False)
            plan = at.accept("one", 3_000, 2_000, replace(JOIN, fallback=Fallback.SKIP))
            await until(lambda: bool(at.orders))
            at.show(99_900)
            await until(at.resting(99_900))
            assert [o.status for o in at.orders] == ["badAloPxRejected", "open"]
            await until(lambda: at.books.finished == [plan])
            at.whole(plan)
            assert not at.fills

    asyncio.run(go())


def test_a_part_filled_at_rest_is_kept_and_the_rest_crosses(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as at:
            plan = at.accept("one", 3_000, 1_500, Styles(EntryStyle.JOIN))
            await until(at.resting(100_000))
            (order,) = [o for o in at.orders if o.is_open]
            at.tid += 1
            at.exchange.feed(trade_frame("BTC", now_ms(), "A", "100000.0", "5.004", at.tid))  # 5 are ahead
            await until(lambda: len(at.fills) == 1)
            assert at.fills[0].lots == 400
            at.show(100_000)  # new bids stand where the trade took all
            await until(lambda: len(at.fills) == 2)
            assert [f.crossed for f in at.fills] == [False, True]
            assert sum(f.lots for f in at.fills) == order.lots
            await until(lambda: at.books.finished == [plan])
            at.whole(plan)

    asyncio.run(go())


@pytest.mark.parametrize("flatten", [False, True])
def test_the_kill_switch_cancels_what_rests(tmp_path: Path, flatten: bool) -> None:
    async def go() -> None:
        async with place(tmp_path) as at:
            plan = at.accept("one", 20_000, 10_000)
            await until(at.resting(100_000))
            KillSwitch(at.home).throw(flatten=flatten)
            await until(lambda: not any(o.is_open for o in at.orders), 2.0)
            await until(lambda: at.books.finished == [plan])
            at.whole(plan)
            assert not at.fills

    asyncio.run(go())


def test_a_desk_that_died_goes_on_with_the_order_that_rests(tmp_path: Path) -> None:
    async def go() -> None:
        async with place(tmp_path) as at:
            plan = at.accept("one", 9_000, 6_000)
            await until(at.resting(100_000))
            await at.die()
            at.bid = 100_040
            at.exchange.feed(book_frame("BTC", now_ms(), [("100040.0", "5.0")], [("100050.0", "5.0")]))
            await at.start()
            await until(at.resting(100_040))
            at.trade(Side.SELL, 100_039)
            await until(lambda: len(at.fills) == 1)
            await at.die()
            await at.start()
            await until(at.resting(100_050), 10.0)
            at.trade(Side.BUY, 100_051)
            await until(lambda: at.books.finished == [plan])
            at.whole(plan)
            assert [f.crossed for f in at.fills] == [False, False]

    asyncio.run(go())
