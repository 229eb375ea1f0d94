"""The daemon says what holds it and what its accounts hold."""

import json
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lotus.manifest import Asset
from lotus.trading.execution.orders import AccountSnapshot, VenuePosition
from lotus_desk.execution.plan_run import DeskCounts
from lotus_desk.market.snapshot import DeskTerms, MarketSnapshot
from lotus_desk.safety.arming import wall_ms
from lotus_desk.safety.kill_switch import KillSwitch
from lotus_live.reports.status import rate_status, trading_status
from lotus_venues.hyperliquid.exchange import Exchange
from lotus_venues.hyperliquid.http import JsonPoster
from lotus_venues.hyperliquid.rate_budget import AddressWeight, RateBudget
from lotus_venues.hyperliquid.venue import HyperliquidVenue


def test_the_daemon_says_what_holds_it_and_what_its_accounts_hold(tmp_path: Path) -> None:
    terms = DeskTerms(Decimal(1), Decimal(1), Decimal(1), 1)
    market = MarketSnapshot((Asset("BTC", 5),), "local", terms, wall_ms, mismatch="tr: tr_plans.x is missing")
    market.holds, market.halted = {"book": "the account is not armed"}, True
    held = VenuePosition("BTC", Decimal("0.02"), Decimal(1), Decimal(0), Decimal(0), 5)
    market.accounts["book"] = AccountSnapshot(Decimal(99), Decimal(0), Decimal(99), (held,), 0)
    desk: Any = SimpleNamespace(
        switch=KillSwitch(tmp_path).prepare(), reconcilers=[], recovered=True, counts=DeskCounts(broken=2), venues={}
    )
    desk.switch.throw()
    trading: Any = SimpleNamespace(desk=desk, market=market)
    told = trading_status(trading)
    assert told["held_by"] == [
        "kill switch: halt", "release_mismatch: tr: tr_plans.x is missing", "book: the account is not armed",
    ]  # fmt: skip
    assert told["accounts"] == {"book": {"equity_usd": "99", "positions": {"BTC": "0.02"}}}
    assert told["broken"] == 2
    assert json.dumps(told)


def test_the_daemon_says_how_much_of_the_rate_budget_is_used() -> None:
    signer: Any = None
    now_ms, shared = 1_000_000, AddressWeight(limit=900)
    budgets = {name: RateBudget(shared) for name in ("long", "short")}
    venues: dict[str, Any] = {
        name: HyperliquidVenue(Exchange(JsonPoster("http://127.0.0.1:9"), signer, "0x1", lambda: now_ms, budget))
        for name, budget in budgets.items()
    }
    budgets["long"].spend(20, now_ms, actions=3)
    shared.note(5, now_ms)
    first, second = rate_status(venues | {"paper": SimpleNamespace()})
    assert (first["account"], first["venue"], first["weight"], first["limit"]) == ("long", "local", 25, 900)
    assert (first["actions_left"], second["actions_left"]) == (9_997, 10_000), "actions are the account's own"
    assert second["weight"] == 25, "weight is the address's"
    assert json.dumps(first)
    now_ms += 60_000
    assert rate_status(venues)[0]["weight"] == 0, "a minute later"
