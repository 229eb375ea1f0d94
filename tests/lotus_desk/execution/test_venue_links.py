"""A desk of two venues starts with the one that answers, and joins the other when it does."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from desk_bed import BTC, Books, FreshMarket, SmallVenue, ended, now_ms, until

from lotus.errors import VenueError
from lotus.modules.intents import Module
from lotus.trading.execution.orders import AccountSnapshot, Side
from lotus.trading.plan.plan import Authority, ProbeTerms, probe_plan
from lotus_desk.execution import account_looks, venue_links
from lotus_desk.execution.desk import TradingDesk
from lotus_desk.market.snapshot import DeskTerms
from lotus_desk.safety.kill_switch import KillSwitch

TERMS = DeskTerms(Decimal(1000), Decimal(300), Decimal(10**6), 5_000)


class LateVenue(SmallVenue):
    """A venue that cannot be reached before it is `up`."""

    up = False
    asked = 0

    async def connect(self) -> None:
        self.asked += 1
        if not self.up:
            raise VenueError("cannot be reached", "a connection")
        await super().connect()

    async def account(self) -> AccountSnapshot:
        if not self.up:
            raise VenueError("the venue is not connected", "connect() first")
        return await super().account()


def desk_of(books: Books, switch: KillSwitch, **venues: SmallVenue) -> TradingDesk:
    names: Any = {"a": venues["first"], **({"a@local-2": venues["second"]} if "second" in venues else {})}
    others = ("local-2",) if "second" in venues else ()
    given: Any = books
    return TradingDesk(given, FreshMarket((BTC,), "local", TERMS, now_ms, others=others), names, switch)


def test_a_venue_that_is_late_is_joined_and_traded_at(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(venue_links, "AGAIN_S", 0.01)
    monkeypatch.setattr(account_looks, "LOOK_S", 0.05)
    books = Books()
    first, second = SmallVenue(books), LateVenue(books, name="local-2")

    def accept(name: str, account: str) -> str:
        terms = ProbeTerms(Decimal(1000), Decimal(300), Authority(account, Decimal(10**6), ("tr",)), ("local",))
        plan = probe_plan(name, BTC, Side.BUY, Decimal(100_000), now_ms(), 500, terms)
        books.accept(plan)
        return str(plan.plan_id)

    async def run() -> None:
        desk = desk_of(books, KillSwitch(tmp_path).prepare(), first=first, second=second)
        task = asyncio.create_task(desk.run())
        await until(lambda: desk.recovered)
        assert list(desk.market.away) == ["a@local-2"]
        assert desk.market.answering("a") == ("a",)
        one = accept("one", "a")
        desk.applied(Module.TR)
        await until(lambda: one in books.finished, 15.0)
        assert second.asked > 1
        second.up = True
        await until(lambda: not desk.market.away, 15.0)
        two = accept("two", "a@local-2")
        desk.applied(Module.TR)
        await until(lambda: two in books.finished, 15.0)
        assert len(first.fills) == len(second.fills) == 2
        assert (first.held, second.held, desk.counts.broken) == (0, 0, 0)
        await ended(task)

    asyncio.run(run())


@pytest.mark.parametrize("alone", [True, False])
def test_no_desk_starts_where_no_venue_answers(tmp_path: Any, alone: bool) -> None:
    books = Books()
    venues = {"first": LateVenue(books)} | ({} if alone else {"second": LateVenue(books, name="local-2")})
    desk = desk_of(books, KillSwitch(tmp_path).prepare(), **venues)
    with pytest.raises(VenueError, match="cannot be reached"):
        asyncio.run(desk.run())
