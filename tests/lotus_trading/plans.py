"""Plans and market views for the tests of the trader."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from lotus.manifest import Asset
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.orders import Side
from lotus.trading.plan.plan import Authority, Limits, Plan, PlanId, PlanKind

BTC = Asset("BTC", 5)
D = Decimal


def plan(side: Side = Side.BUY, **changes: Any) -> Plan:
    """Return a sound plan of 0.01 BTC at the market around 100,000, stop 1 % and take-profit 2 % away."""
    sign = int(side)
    made = Plan(
        plan_id=PlanId("p1"),
        signal_id="s1",
        decision_id="d1",
        lifecycle_id="l1",
        kind=PlanKind.BOOK,
        coin="BTC",
        side=side,
        size=D("0.01"),
        created_ms=0,
        valid_until_ms=60_000,
        stop_px=D(100_000 - sign * 1_000),
        limits=Limits(D("0.1"), D(20_000), 5),
        authority=Authority("main", D(5_000), ("tr",)),
        venues=("paper",),
        take_profit_px=D(100_000 + sign * 2_000),
        risk_reward=D(2),
        release="r1",
    )
    return replace(made, **changes)


def view(time_ms: int = 0, mark: int | Decimal = 100_000, **changes: Any) -> MarketView:
    """Return a market with a spread of 2 USD around the mark."""
    made = MarketView("BTC", time_ms, D(mark) - 1, D(mark) + 1, D(mark))
    return replace(made, **changes)
