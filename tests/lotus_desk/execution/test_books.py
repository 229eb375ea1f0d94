"""Funding through the desk: told by paper and by the local exchange, borne by the plans that held, rows as reported."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from paper_lines import bbo, context

sys.path.insert(0, str(Path(__file__).parents[2] / "lotus_venues"))

from local_bed import MovableClock

from lotus.hashing import natural_id
from lotus.manifest import Asset, Manifest
from lotus.modules.intents import Module
from lotus.modules.messages.trading import PlanReference
from lotus.timebase import HOUR_MS, NS_PER_MS
from lotus.trading.execution.events import Close
from lotus.trading.execution.orders import Side
from lotus.trading.plan.plan import probe_plan
from lotus_desk.accounts.accounts import VenueAccess, venue_account
from lotus_desk.accounts.paper import PaperAccounts
from lotus_desk.execution.books import TradeBooks
from lotus_desk.execution.desk import TradingDesk
from lotus_desk.market.snapshot import DeskTerms, MarketSnapshot, account_name
from lotus_desk.safety.kill_switch import KillSwitch
from lotus_herald.keys import Keys
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.bodies import to_plain
from lotus_store.ledger.trading.paper_books import PaperBooks
from lotus_store.ledger.trading.plans import PlanRow, funding_of, open_plans, plans_for, put_plan
from lotus_venues.local_exchange.frames import book_frame, context_frame
from lotus_venues.local_exchange.options import Options, TimeSource
from lotus_venues.local_exchange.web.server import LocalExchange

BTC = Asset("BTC", 5)
PX = 1_000_000
RATE = 10**8  # 0.0001 an hour
TERMS = DeskTerms(Decimal(1000), Decimal(300), Decimal(10**6), 5_000)


class Bed:
    """Two accounts of a desk on one market, whose clock can be moved to the next hour."""

    def __init__(self, databases: Databases, settings: Settings, name: str) -> None:
        self.databases, self.settings, self.name = databases, settings, name
        self.clock = MovableClock()
        self.market = MarketSnapshot((BTC,), name, TERMS, self.clock, {"BTC": 40}, session="run")
        self.show: Callable[[int], None]
        self.venues: dict[str, Any]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[TradingDesk]:
        if self.name == "paper":
            manifest = replace(Manifest(), outcomes=replace(Manifest().outcomes, latency_ms=0))
            store = partial(PaperBooks, self.databases)
            place = replace(self.settings, manifest=manifest)
            paper = PaperAccounts(place, (BTC,), "run", lambda: self.clock() * NS_PER_MS, store)
            self.venues = {account_name(side): paper.open(account_name(side)) for side in Side}

            def show(rate: int) -> None:
                for line in (bbo(self.clock() * NS_PER_MS, PX, 5000), context(self.clock() * NS_PER_MS, PX, rate)):
                    paper.see(line.recv_ns, line)  # type: ignore[arg-type]

            self.show = show
            yield await self._begun()
            return
        options = Options(clock=TimeSource.WALL, limit_scale=0, wall_ms=self.clock, client_ms=self.clock)
        async with LocalExchange((BTC,), options=options) as exchange:
            self.venues = {
                account_name(side): venue_account(
                    account_name(side),
                    VenueAccess(
                        url=exchange.url,
                        keys=self.settings.keys_root,
                        journals=self.settings.home / "signer",
                        universe=(BTC,),
                        clock_ms=self.clock,
                        expires_ms=5_000,
                        pace=30.0,
                    ),
                    Decimal(2000),
                )
                for side in Side
            }

            def feed(rate: int) -> None:
                exchange.feed(book_frame("BTC", self.clock(), [("100000.0", "5")], [("100001.0", "5")]))
                exchange.feed(context_frame("BTC", "100000.0", "100000.0", str(Decimal(rate).scaleb(-12))))

            self.show = feed
            yield await self._begun()

    async def _begun(self) -> TradingDesk:
        self._market()
        books = TradeBooks(self.databases, Keys(self.settings.keys_root), self.name, "run")
        desk = TradingDesk(books, self.market, self.venues, KillSwitch(self.settings.home).prepare())
        self.task = asyncio.create_task(desk.run())
        await until(lambda: desk.recovered, self._market)
        return desk

    def _market(self, rate: int = RATE) -> None:
        self.show(rate)
        self.market._tops[0] = self.clock(), PX, PX + 10
        self.market._marks[0] = PX

    def accept(self, side: Side) -> str:
        event, at = natural_id(self.name, side), self.clock()
        plan = probe_plan(event, BTC, side, Decimal(100_000), at, 4 * HOUR_MS, self.market.terms(side))
        row = PlanRow(
            plan.plan_id, "main", natural_id(event), event, "probe", "BTC", self.name, "accepted", at, to_plain(plan),
            PlanReference(event_id=event, detector_id="d", window_end_ms=at), {}, session="run",
        )  # fmt: skip
        with self.databases.connect("tr") as tr:
            put_plan(tr, row)
        return plan.plan_id


async def until(holds: Callable[[], bool], again: Callable[[], None] = lambda: None, limit_s: float = 20.0) -> None:
    async with asyncio.timeout(limit_s):
        while not holds():
            again()
            await asyncio.sleep(0.05)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["paper", "local"])
def test_what_accounts_paid_is_borne_by_the_plans_that_held(
    databases: Databases, settings: Settings, name: str
) -> None:
    bed = Bed(databases, settings, name)

    async def go() -> None:
        async with bed.open() as desk:
            names = {side: bed.accept(side) for side in Side}
            desk.applied(Module.TR)
            await until(lambda: desk.counts.fills >= 2, bed._market)
            bed._market()
            bed.clock.ahead_ms += HOUR_MS - bed.clock() % HOUR_MS + 31_000
            bed._market()

            def paid() -> bool:
                with databases.connect("tr") as tr:
                    return all(funding_of(tr, plan) for plan in names.values())

            await until(paid, bed._market)
            for plan in names.values():
                desk.post(plan, Close())
            await until(lambda: desk.counts.finished == 2, bed._market)
            with databases.connect("tr") as tr:
                assert open_plans(tr, (name,), "run") == []
                for side, plan in names.items():
                    (line,) = funding_of(tr, plan)
                    (row,) = plans_for(tr, plan)
                    told: Any = tr.execute("SELECT exec_metrics FROM tr_strand WHERE id = %s", [plan]).fetchone()
                    assert line.account == account_name(side)
                    assert line.usd == pytest.approx(int(side) * 0.1, rel=0.02), "longs pay, shorts receive"
                    assert float(told[0]["funding_usd"]) == pytest.approx(line.usd)
                    assert row.stage == "done"
            bed.task.cancel()
            await asyncio.gather(bed.task, return_exceptions=True)

    asyncio.run(go())
