"""Money is looked at on the wall's clock, and in step at the barriers alone."""

import asyncio
from collections import Counter
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from lotus.errors import VenueError
from lotus.trading.execution.orders import AccountSnapshot
from lotus_desk.execution import account_looks
from lotus_desk.execution.account_looks import Accounts
from lotus_desk.market.snapshot import DeskTerms, MarketSnapshot


@pytest.mark.parametrize("in_step", [False, True])
def test_accounts_are_looked_at_in_time_but_for_a_replay_in_step(
    monkeypatch: pytest.MonkeyPatch, in_step: bool
) -> None:
    monkeypatch.setattr(account_looks, "LOOK_S", 0.001)
    seen: Counter[str] = Counter()

    async def compared() -> None:
        seen["compared"] += 1

    async def account() -> str:
        seen["asked"] += 1
        return "money"

    market: Any = SimpleNamespace(accounts={}, is_wall=False, others=(), use=lambda _: None)
    venues: Any = {"book": SimpleNamespace(account=account)}
    reconcilers: Any = [SimpleNamespace(compare=compared)]

    async def run() -> None:
        accounts = Accounts(market, venues, reconcilers, dict, in_step)
        task = asyncio.create_task(accounts.run())
        while not seen["compared"]:
            await asyncio.sleep(0.001)
        task.cancel()
        assert bool(seen["asked"]) is not in_step
        await accounts.look()
        assert market.accounts == {"book": "money"}

    asyncio.run(run())


def test_of_several_venues_one_that_does_not_answer_is_away_and_told_until_it_does(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock, money = SimpleNamespace(ms=1_000), AccountSnapshot(Decimal(1), Decimal(1), Decimal(0), (), 0)
    terms = DeskTerms(Decimal(1000), Decimal(300), Decimal(10**6), 5_000)
    market = MarketSnapshot((), "local", terms, lambda: clock.ms, others=("local-2",))
    state = {"book": "well", "book@local-2": "well"}
    monkeypatch.setattr(account_looks, "ANSWER_S", 0.01)

    def venue(name: str) -> Any:
        async def account() -> AccountSnapshot:
            if state[name] == "hung":
                await asyncio.sleep(1.0)
            if state[name] == "dead":
                raise VenueError("cannot be reached", "a connection")
            return money

        return SimpleNamespace(account=account)

    async def run() -> None:
        held = {"book@local-2": {"BTC": Decimal(2)}}
        accounts = Accounts(market, {n: venue(n) for n in state}, [], dict, held=lambda: held)
        await accounts.look()
        assert (market.away, market.answering("book")) == ({}, ("book", "book@local-2"))
        for how in ("dead", "hung"):
            state["book@local-2"] = how
            clock.ms += 100
            await accounts.look()
            assert (dict(market.away), market.answering("book")) == ({"book@local-2": 1_100}, ("book",))
        state["book"] = "dead"
        await accounts.look()
        assert market.answering("book") == ("book", "book@local-2"), "where nobody answers everything is as it was"
        state["book"] = "well"
        clock.ms = 1_100 + account_looks.UNTRACKED_MS
        await accounts.look()
        await accounts.look()
        assert accounts.untracked == {"book@local-2": {"BTC": Decimal(2)}}
        assert caplog.text.count("2 BTC held there is not tracked") == 1
        accounts.doubted.clear()
        state["book@local-2"] = "well"
        await accounts.look()
        assert (market.away, accounts.untracked, accounts.doubted.is_set()) == ({}, {}, True), "and is compared at once"

    asyncio.run(run())
