"""What the exchange remembers: an order from its number to its end, and what its owner is told of it."""

import pytest

from lotus.manifest import Asset
from lotus.trading.execution.orders import Side, TimeInForce
from lotus_venues.local_exchange.engine import state as module
from lotus_venues.local_exchange.engine.accounts import Account
from lotus_venues.local_exchange.engine.market import Listing, MarketState
from lotus_venues.local_exchange.engine.state import ExchangeState
from lotus_venues.local_exchange.engine.values import EngineOrderStatus, ExchangeOrder, OrderChanged, VenueCancel


def exchange() -> ExchangeState:
    """Return an exchange of one asset with one account."""
    made = ExchangeState([MarketState(Listing(Asset("BTC", 5)))], now_ms=50)
    made.accounts["ann"] = Account("ann")
    return made


def admitted(state: ExchangeState, cloid: str | None = None, side: Side = Side.BUY) -> ExchangeOrder:
    order = ExchangeOrder(0, "ann", 0, side, 1_000, 5, 5, TimeInForce.GTC, False, 40, cloid)
    state.admit(order)
    return order


def rested(state: ExchangeState) -> ExchangeOrder:
    """Return an admitted order that rests in the book."""
    order = admitted(state)
    state.markets[0].side(order.side).join(order, 0)
    state.accounts["ann"].rest(order)
    return order


def test_an_admitted_order_is_open_and_a_client_id_names_the_newest_that_bears_it() -> None:
    state = exchange()
    first, second = admitted(state, "0xa"), admitted(state, "0xa")
    assert state.orders == state.accounts["ann"].open == {first.oid: first, second.oid: second}
    assert second.oid == first.oid + 1
    assert state.accounts["ann"].cloids == {"0xa": second.oid}


def test_an_order_that_ends_leaves_the_book_and_its_owner_is_told() -> None:
    state = exchange()
    order = rested(state)
    assert list(state.markets[0].bids.orders()) == [order]
    state.close(order, EngineOrderStatus.CANCELED)
    account = state.accounts["ann"]
    assert list(state.markets[0].bids.orders()) == []
    assert not account.open
    assert not account.resting_oids
    assert state.orders[order.oid].status == EngineOrderStatus.CANCELED
    assert state.touched == {("ann", 0)}
    assert state.events == [OrderChanged("ann", 0, Side.BUY, 1_000, 5, order.oid, 40, 5, None, "canceled", 50)]


@pytest.mark.parametrize(
    ("status", "by_venue"),
    [
        (EngineOrderStatus.CANCELED, False),
        (EngineOrderStatus.FILLED, False),
        (EngineOrderStatus.MARGIN_CANCELED, True),
        (EngineOrderStatus.SCHEDULED_CANCEL, True),
    ],
)
def test_a_cancellation_by_the_venue_is_an_event_of_its_own(status: EngineOrderStatus, by_venue: bool) -> None:
    state = exchange()
    order = rested(state)
    state.close(order, status)
    assert [VenueCancel("ann", 0, order.oid)] * by_venue == state.events[1:]


@pytest.mark.parametrize(("held", "side", "lots"), [(5, Side.SELL, 5), (5, Side.BUY, 0), (-3, Side.BUY, 3), (0, 1, 0)])
def test_an_order_reduces_at_most_what_is_held_on_the_other_side(held: int, side: Side, lots: int) -> None:
    state = exchange()
    order = admitted(state, side=Side(side))
    state.position(order).lots = held
    assert state.reducible(order) == lots


def test_old_orders_are_forgotten_but_open_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_ORDERS", 20)
    state = exchange()
    orders = [admitted(state, f"0x{k}") for k in range(20)]
    state.close(orders[0], EngineOrderStatus.REJECTED)
    admitted(state)
    assert orders[0].oid not in state.orders
    assert orders[1].oid in state.orders
    assert "0x0" not in state.accounts["ann"].cloids
    assert state.accounts["ann"].cloids["0x1"] == orders[1].oid
