"""A net result in bps of the notional that was planned at the mid when the entry opened."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from lotus_desk.execution.result import payoff_bps


@pytest.mark.parametrize(
    ("arrival_px", "entered", "wanted"),
    [(Decimal(50), Decimal(2), 100.0), (Decimal(50), Decimal(0), 0.0), (None, Decimal(2), 0.0)],
)
def test_the_payoff_is_over_what_was_planned_not_over_what_was_filled(
    arrival_px: Decimal | None, entered: Decimal, wanted: float
) -> None:
    state: Any = SimpleNamespace(plan=SimpleNamespace(size=Decimal(4)), arrival_px=arrival_px, entered=entered)
    assert payoff_bps(state, Decimal(2)) == wanted
