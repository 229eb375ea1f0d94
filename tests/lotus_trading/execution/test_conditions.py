"""Conditions of a plan: hold at their level, all of them open, any one closes."""

from decimal import Decimal

import pytest
from trading_plans import view

from lotus.trading.execution.conditions import all_hold, first_holding, holds, passed
from lotus.trading.execution.orders import Side
from lotus.trading.plan.plan import Condition, ConditionKind

D = Decimal


@pytest.mark.parametrize(
    ("kind", "level", "changes", "held"),
    [
        (ConditionKind.PRICE_ABOVE, 100, {}, True),
        (ConditionKind.PRICE_ABOVE, 101, {}, False),
        (ConditionKind.PRICE_BELOW, 100, {}, True),
        (ConditionKind.PRICE_BELOW, 99, {}, False),
        (ConditionKind.VOLUME_SPIKE, 2, {"volume_ratio": D(2)}, True),
        (ConditionKind.VOLUME_SPIKE, 2, {"volume_ratio": D("1.9")}, False),
        (ConditionKind.VOLUME_SPIKE, 2, {}, False),
        (ConditionKind.VOLATILITY_THRESHOLD, 5, {"volatility_bps": D(6)}, True),
        (ConditionKind.VOLATILITY_THRESHOLD, 5, {"volatility_bps": D(4)}, False),
        (ConditionKind.VOLATILITY_THRESHOLD, 5, {}, False),
    ],
)
def test_conditions_hold_at_their_level(kind: ConditionKind, level: int, changes: dict[str, D], held: bool) -> None:
    assert holds(Condition(kind, D(level)), view(mark=100, **changes)) is held


def test_all_conditions_open_and_any_one_closes() -> None:
    above, below = Condition(ConditionKind.PRICE_ABOVE, D(99)), Condition(ConditionKind.PRICE_BELOW, D(98))
    seen = view(mark=100)
    assert all_hold((), seen)
    assert all_hold((above,), seen)
    assert not all_hold((above, below), seen)
    assert first_holding((below, above), seen) == above
    assert first_holding((below,), seen) is None
    assert passed(D(100), Side.BUY, seen)
    assert passed(D(100), Side.SELL, seen)
    assert not passed(D(101), Side.BUY, seen)
    assert not passed(D(99), Side.SELL, seen)
