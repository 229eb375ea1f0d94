"""Orders to the venue's words and back: as the SDK spells them, and unknown where the answer has another form."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hyperliquid.utils.signing import float_to_wire, order_request_to_order_wire
from hyperliquid.utils.types import Cloid
from hypothesis import given
from hypothesis import strategies as st

from lotus.errors import WireError
from lotus.trading.execution.orders import (
    NewOrder,
    OrderState,
    OrderTrigger,
    Side,
    TimeInForce,
    TriggerKind,
    client_order_id,
)
from lotus_venues.hyperliquid.order_wire import decimal_text, order_wire, placed_update, statuses_of, told_state

NAME = client_order_id("plan", "entry")
ORDER = NewOrder(NAME, "BTC", Side.BUY, Decimal("0.010"), Decimal(100_000))
PART = Decimal("0.004")


@given(
    st.decimals("0.00001", "1000", places=5),
    st.decimals("0.1", "99999", places=1),
    st.sampled_from(TimeInForce),
    st.booleans(),
    st.booleans(),
)
def test_orders_are_spelt_as_the_sdk_spells_them(
    size: Decimal, px: Decimal, tif: TimeInForce, is_buy: bool, is_stop: bool
) -> None:
    trigger = OrderTrigger(px, TriggerKind.STOP_LOSS) if is_stop else None
    side = Side.BUY if is_buy else Side.SELL
    order = NewOrder(NAME, "BTC", side, size, px, tif, is_stop, trigger)
    kind: dict[str, Any] = {"limit": {"tif": tif.value}}
    if is_stop:
        kind = {"trigger": {"isMarket": True, "triggerPx": float(px), "tpsl": "sl"}}
    theirs = order_request_to_order_wire(
        {
            "coin": "BTC",
            "is_buy": is_buy,
            "sz": float(size),
            "limit_px": float(px),
            "order_type": kind,
            "reduce_only": is_stop,
            "cloid": Cloid.from_str(NAME),
        },
        3,
    )
    ours = order_wire(order, 3)
    assert ours == theirs
    assert json.dumps(ours) == json.dumps(theirs)
    assert decimal_text(size) == float_to_wire(float(size))


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ({"resting": {"oid": 7}}, (OrderState.RESTING, 7, 0, None, "")),
        ({"filled": {"totalSz": "0.01", "avgPx": "2", "oid": 7}}, (OrderState.FILLED, 7, ORDER.size, Decimal(2), "")),
        ({"filled": {"totalSz": "0.004", "avgPx": "1", "oid": 7}}, (OrderState.CANCELED, 7, PART, 1, "canceled")),
        ({"error": "No."}, (OrderState.REJECTED, None, 0, None, "No.")),
        ("waitingForTrigger", (OrderState.WAITING, None, 0, None, "")),
    ],
)  # fmt: skip
def test_answers_by_order(entry: Any, wanted: tuple[Any, ...]) -> None:
    update = placed_update(entry, ORDER, 7)
    assert (update.state, update.oid, update.filled, update.average_px, update.reason) == wanted
    assert (update.client_id, update.time_ms) == (ORDER.client_id, 7)


@pytest.mark.parametrize("answer", [None, [], {}, {"status": "ok"}, {"status": "ok", "response": {"data": {}}}, 5])
def test_answers_of_another_form_are_unknown(answer: Any) -> None:
    with pytest.raises(WireError):
        statuses_of(answer)
    assert statuses_of({"status": "err", "response": "no"}) == "no"
    assert statuses_of({"status": "ok", "response": {"type": "default"}}) == []


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("open", OrderState.RESTING),
        ("filled", OrderState.FILLED),
        ("marginCanceled", OrderState.CANCELED),
        ("neverHeardOfItCanceled", OrderState.CANCELED),
        ("badAloPxRejected", OrderState.REJECTED),
        ("newWord", OrderState.RESTING),
    ],
)
def test_status_words_are_an_open_set(word: str, state: OrderState) -> None:
    assert told_state(word, is_trigger=False) is state
    assert told_state("open", is_trigger=True) is OrderState.WAITING
