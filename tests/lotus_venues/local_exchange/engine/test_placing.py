"""From a request to an order: refusals in the venue's words."""

from decimal import Decimal

import pytest
from small_engine import (
    MARK,
    ask,
    assert_conserved,
    oid_of,
    put,
    show,
    small_engine,
    told,
)

from lotus.manifest import Asset
from lotus.trading.execution.orders import NewOrder, OrderTrigger, Side, TimeInForce, TriggerKind
from lotus_venues.local_exchange.engine.values import (
    OrderRequest,
)
from lotus_venues.local_exchange.requests import error_messages
from lotus_venues.order_form import form_fault


@pytest.mark.parametrize(
    ("request_", "refused", "word"),
    [
        (ask(True, "100000.5", "0.01"), "Price must be divisible by tick size.", None),
        (ask(True, "0", "0.01"), "Order has invalid price.", None),
        (ask(True, "1e5", "0.01"), "Order has invalid price.", None),
        (ask(True, "-100000", "0.01"), "Order has invalid price.", None),
        (ask(True, "99000", "0.000001"), "Order has invalid size.", None),
        (ask(True, "99000", "0"), "Order has zero size.", None),
        (ask(True, "99000", "0.0001"), "Order must have minimum value of $10.", "minTradeNtlRejected"),
        (ask(True, "99000", "3"), "Insufficient margin to place order.", "perpMarginRejected"),
        (ask(False, "99000", "0.01", reduce_only=True), "Reduce only order would increase position.",
         "reduceOnlyRejected"),
        (ask(True, "100001", "0.01", "Alo"),
         "Post only order would have immediately matched, bbo was 99999@100001.", "badAloPxRejected"),
        (ask(True, "99000", "0.01", "Ioc"), "Order could not immediately match against any resting orders.",
         "iocCancelRejected"),
        (ask(True, "4000", "0.01"), "Order price cannot be more than 95% away from the reference price",
         "oracleRejected"),
        (ask(False, "99000", "0.01", trigger_px="100001", kind="sl"), "Invalid TP/SL price.", "badTriggerPxRejected"),
        (ask(True, "101000", "0.01", trigger_px="100001", kind="tp"), "Invalid TP/SL price.", "badTriggerPxRejected"),
        (ask(True, "99000", "0.01", asset=7), "Invalid asset: 7", None),
    ],
)  # fmt: skip
def test_each_refusal_in_the_venues_words(request_: OrderRequest, refused: str, word: str | None) -> None:
    made = small_engine()
    answer = put(made, request_)
    assert answer.error == refused
    assert not made.state.accounts["ann"].open
    if word is None:
        assert answer.order is None
    else:
        assert answer.order is not None
        assert answer.order.status == word
    assert_conserved(made)


def test_a_market_order_against_an_empty_side_finds_no_liquidity() -> None:
    made = small_engine()
    show(made, MARK, asks=False)
    assert put(made, ask(True, "105000", "0.01", "FrontendMarket")).error == "No liquidity available for market order."
    assert put(made, ask(True, "105000", "0.01", "Ioc")).error == error_messages.NO_MATCH


def test_too_many_open_orders() -> None:
    made = small_engine(usd=1_000_000)
    for _ in range(1_000):
        oid_of(put(made, ask(True, "99000", "0.001")))
    assert put(made, ask(True, "99000", "0.001")).error == "Too many open orders."


def test_an_accounts_orders_do_not_trade_with_each_other() -> None:
    made = small_engine()
    resting = oid_of(put(made, ask(True, "100000", "0.01")))
    made.drain()
    crossing = oid_of(put(made, ask(False, "100000", "0.02")))
    assert told(made) == [("selfTradeCanceled", resting), ("open", crossing)]


def test_after_an_upgrade_only_orders_that_must_rest_are_taken() -> None:
    made = small_engine()
    made.state.post_only_until_ms = made.state.now_ms + 1_000
    orders = [ask(True, "100001", "0.01", "Ioc"), ask(True, "99000", "0.01"), ask(True, "99000", "0.01", "Alo")]
    assert [put(made, order).error for order in orders] == [
        error_messages.POST_ONLY_PERIOD,
        error_messages.POST_ONLY_PERIOD,
        "",
    ]
    made.advance(made.state.now_ms + 1_000)
    assert put(made, orders[0]).error == ""


@pytest.mark.parametrize(
    ("buys", "px", "error"),
    [(False, "99001", error_messages.BAD_TRIGGER), (False, "99000", ""), (True, "100999", error_messages.BAD_TRIGGER)],
)
def test_a_stop_does_not_promise_a_price_better_than_its_trigger(buys: bool, px: str, error: str) -> None:
    made = small_engine()
    put(made, ask(not buys, "99999" if buys else "100001", "0.1", "Ioc"))
    trigger = "101000" if buys else "99000"
    assert put(made, ask(buys, px, "0.1", trigger_px=trigger, kind="sl", reduce_only=True)).error == error
    order = NewOrder(
        "0x1",
        "BTC",
        Side.BUY if buys else Side.SELL,
        Decimal("0.1"),
        Decimal(px),
        TimeInForce.GTC,
        True,
        OrderTrigger(Decimal(trigger), TriggerKind.STOP_LOSS, False),
    )
    assert form_fault(order, Asset("BTC", 5)) == error


def test_a_refused_order_does_not_hide_the_one_that_bears_its_cloid() -> None:
    made = small_engine()
    oid = oid_of(put(made, ask(True, "99000", "0.01", cloid="0xab")))
    assert put(made, ask(True, "99000", "5", cloid="0xab")).error
    found = made.find("ann", "0xab")
    assert found is not None
    assert found.oid == oid
