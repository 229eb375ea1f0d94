"""The form of an order before it is sent: one fault at a time in the venue's words, exits of any value."""

from dataclasses import replace
from decimal import Decimal

import pytest

from lotus.manifest import Asset
from lotus.trading.execution.orders import NewOrder, OrderTrigger, Side, TriggerKind
from lotus_venues.order_form import BAD_SIZE, BAD_TICK, BAD_TRIGGER, TOO_SMALL, form_fault

BTC = Asset("BTC", 5)
ORDER = NewOrder("0x" + "0" * 32, "BTC", Side.BUY, Decimal("0.01"), Decimal("61250"))


def stop(px: str) -> OrderTrigger:
    """A stop at a price."""
    return OrderTrigger(Decimal(px), TriggerKind.STOP_LOSS)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, ""),
        ({"size": Decimal("0.000001")}, BAD_SIZE),
        ({"size": Decimal(0)}, BAD_SIZE),
        ({"limit_px": Decimal("61250.5")}, BAD_TICK),
        ({"trigger": stop("61250.5")}, BAD_TICK),
        ({"size": Decimal("0.00016")}, TOO_SMALL),
        ({"size": Decimal("0.00016"), "reduce_only": True}, ""),
        ({"trigger": stop("61251")}, BAD_TRIGGER),
        ({"trigger": stop("61250")}, ""),
        ({"side": Side.SELL, "trigger": stop("61249")}, BAD_TRIGGER),
        ({"side": Side.SELL, "trigger": stop("61251")}, ""),
    ],
)
def test_each_fault_is_told_in_the_venues_words(changes: dict, fault: str) -> None:
    assert form_fault(replace(ORDER, **changes), BTC) == fault
