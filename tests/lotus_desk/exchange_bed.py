"""The local exchange over its sockets, with signed requests, and a desk on it that may die and live again.

Books are in memory; the market is what the exchange shows.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from desk_bed import BTC, Books, ended, now_ms, until

from lotus.detectors.entry_style import EntryStyle, Fallback
from lotus.trading.execution.orders import Side
from lotus.trading.plan.plan import Authority, ProbeTerms, probe_plan
from lotus.trading.plan.styles import Styles
from lotus_desk.accounts.accounts import VenueAccess, venue_account
from lotus_desk.execution.desk import TradingDesk
from lotus_desk.execution.stored import restored
from lotus_desk.market.snapshot import DeskTerms, MarketSnapshot
from lotus_desk.market.triggers import TriggerDesk
from lotus_desk.safety.kill_switch import KillSwitch
from lotus_venues.local_exchange.frames import book_frame, context_frame, trade_frame
from lotus_venues.local_exchange.options import Options, TimeSource
from lotus_venues.local_exchange.web.server import LocalExchange

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
    triggers: TriggerDesk | None = None

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
        desk = TradingDesk(books, self.market, {"a": venue}, KillSwitch(self.home).prepare(), self.triggers)
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

    def accept(self, name: str, hold_ms: int, rest_ms: int, styles: Styles = JOIN, **more: Any) -> str:
        """Accept a plan of a long probe."""
        terms = ProbeTerms(D(1000), D(300), Authority("a", D(10**6), ("tr",)), ("local",), styles=styles)
        terms = replace(terms, rest_ms=rest_ms)
        plan = probe_plan(name, BTC, Side.BUY, D(self.bid), now_ms(), hold_ms, terms)
        self.books.accept(replace(plan, **more))
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
async def place(folder: Path, triggers: TriggerDesk | None = None) -> AsyncIterator[Place]:
    """Open an exchange and a desk on it."""
    options = Options(clock=TimeSource.WALL, limit_scale=0)
    async with LocalExchange((BTC,), options=options) as exchange:
        made = Place(exchange, folder, triggers=triggers)
        made.exchange.feed(book_frame("BTC", now_ms(), [("100000.0", "5.0")], [("100010.0", "5.0")]))
        made.exchange.feed(context_frame("BTC", "100000.0", "100000.0", "0.0"))
        await made.start()
        try:
            yield made
        finally:
            await made.die()
