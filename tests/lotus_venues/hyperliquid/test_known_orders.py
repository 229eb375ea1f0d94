"""What an adapter knows of its orders: ends, modifications and fills told in any order make one truth."""

from decimal import Decimal
from typing import Any

from lotus.trading.execution.orders import (
    OrderState,
    client_order_id,
)
from lotus_venues.hyperliquid.known_orders import KnownOrders

NAME = client_order_id("plan", "entry")


def told(oid: int, status: str, left: str = "0.01", time_ms: int = 5) -> dict[str, Any]:
    """Return an entry of `orderUpdates`."""
    order = {"coin": "BTC", "side": "B", "limitPx": "1", "sz": left, "oid": oid, "origSz": "0.01", "cloid": NAME}
    return {"order": order, "status": status, "statusTimestamp": time_ms}


def test_the_end_of_a_superseded_number_is_not_the_end_of_the_order() -> None:
    known = KnownOrders()
    assert known.told_order(told(1, "open")) is not None
    known.modifying(NAME, 100)
    assert known.told_order(told(1, "canceled")) is None
    assert known.told_order(told(2, "open")) is not None
    assert known.is_modify_over(NAME, 50)
    assert known.modified(NAME) == []
    assert known.told_order(told(1, "canceled")) is None
    ended = known.told_order(told(2, "canceled", "0.004"))
    assert ended is not None
    assert (ended.state, ended.filled) == (OrderState.CANCELED, Decimal("0.006"))


def test_an_end_after_a_modify_expired_is_the_end() -> None:
    known = KnownOrders()
    known.told_order(told(1, "open"))
    known.modifying(NAME, 100)
    assert known.told_order(told(1, "canceled", time_ms=101)) is not None


def test_a_modify_of_another_process_is_waited_out() -> None:
    known = KnownOrders()
    known.modifying(NAME, 100)
    assert known.told_order(told(1, "canceled", time_ms=90)) is None
    assert known.told_order(told(2, "open", time_ms=90)) is not None
    assert not known.is_modify_over(NAME, 90)
    assert known.is_modify_over(NAME, 101)
    assert known.modified(NAME) == []
    assert known.unfinished() == [NAME]


def test_news_from_before_the_end_are_passed_over() -> None:
    known = KnownOrders()
    assert known.told_order(told(1, "filled", "0")) is not None
    assert known.told_order(told(1, "open")) is None
    assert known.told_order(told(1, "filled", "0")) is not None
    assert known.unfinished() == []


def test_a_modify_that_never_came_releases_what_was_held() -> None:
    known = KnownOrders()
    known.told_order(told(1, "open"))
    known.modifying(NAME, 100)
    known.told_order(told(1, "canceled"))
    assert not known.is_modify_over(NAME, 100)
    assert known.is_modify_over(NAME, 101)
    (ended,) = known.modified(NAME)
    assert ended.state is OrderState.CANCELED


def test_fills_are_told_once_and_make_the_average() -> None:
    known = KnownOrders()
    known.told_order(told(1, "open"))
    fill = {"coin": "BTC", "side": "B", "sz": "0.005", "px": "10", "fee": "0.1", "crossed": True, "time": 5, "oid": 1}
    first, again = known.told_fill(fill | {"tid": 8}), known.told_fill(fill | {"tid": 8})
    assert first is not None
    assert (first.client_id, again) == (NAME, None)
    known.told_fill(fill | {"tid": 9, "px": "20"})
    ended = known.told_order(told(1, "filled", "0"))
    assert ended is not None
    assert (ended.filled, ended.average_px) == (Decimal("0.01"), 15)


def test_an_order_is_forgotten_after_its_end_and_its_fills_are_no_news_all_the_same() -> None:
    known = KnownOrders()
    known.told_order(told(1, "open"))
    fill = {"coin": "BTC", "px": "1", "sz": "0.01", "side": "B", "time": 5, "oid": 1, "tid": 9, "fee": "0",
            "feeToken": "USDC", "crossed": True, "cloid": NAME, "closedPnl": "0", "hash": "0x"}  # fmt: skip
    assert known.told_fill(fill) is not None
    known.told_order(told(1, "filled", "0.0", time_ms=6))
    known.prune(6, 0)
    assert NAME in known.by_name
    known.prune(7, 0)
    assert (known.by_name, known.names) == ({}, {})
    assert known.told_fill(fill) is None
    assert (known.by_name, known.unfinished()) == ({}, [])
