"""Money is looked at on the wall's clock, and in step at the barriers alone."""

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from lotus_desk.execution import account_looks
from lotus_desk.execution.account_looks import Accounts


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
