"""One side of a book: what is shown, what waits behind it, and older books."""

from typing import Any

from matched import MID, engine

from lotus.trading.execution.orders import OrderGrouping, Side
from lotus_venues.local_exchange.engine.values import OrderRequest
from lotus_venues.local_exchange.requests.wire_out import number


def ask(side: int, px: int, lots: int, tif: str = "Gtc", **keys: Any) -> OrderRequest:
    """An order in units."""
    return OrderRequest(0, side > 0, number(px, 1), number(lots, 5), keys.pop("reduce_only", False), tif, **keys)


def test_beyond_the_shown_book_the_whole_level_counts_as_ahead_once_it_is_seen() -> None:
    made = engine()
    made.on_book(0, [(MID - 10, 300)], [(MID + 10, 300)], 2_000, whole=True)
    (answer,) = made.place("ann", [ask(1, MID - 50, 200)], OrderGrouping.NONE)
    assert answer.order is not None
    made.on_trade(0, Side.SELL, MID - 50, 1_000, 2_050, 1)  # nobody knows what stood before it
    assert answer.order.filled == 0
    made.on_book(0, [(MID - 50, 80), (MID - 60, 10)], [(MID + 10, 300)], 2_100, whole=True)
    made.on_trade(0, Side.SELL, MID - 50, 100, 2_200, 2)
    assert answer.order.filled == 20


def test_a_taker_cannot_take_the_same_shown_size_twice_until_the_tape_shows_it_again() -> None:
    made = engine()
    made.on_book(0, [(MID - 10, 300)], [(MID + 10, 300)], 2_000, whole=True)
    first, second = (made.place(o, [ask(1, MID + 10, 200, "Ioc")], OrderGrouping.NONE)[0] for o in ("ann", "bob"))
    assert first.order is not None
    assert second.order is not None
    assert (first.order.filled, second.order.filled) == (200, 100)
    made.on_book(0, [(MID - 10, 300)], [(MID + 10, 300)], 2_100, whole=True)
    (third,) = made.place("cid", [ask(1, MID + 10, 200, "Ioc")], OrderGrouping.NONE)
    assert third.order is not None
    assert third.order.filled == 200


def test_an_older_book_leaves_the_best_prices_of_a_newer_bbo() -> None:
    made = engine()
    made.on_book(0, [(MID - 10, 300)], [(MID + 10, 300)], 2_000, whole=True)
    made.on_book(0, [(MID, 50)], [(MID + 10, 200)], 2_500, whole=False)
    made.on_book(0, [(MID - 10, 299), (MID - 20, 9)], [(MID + 10, 1), (MID + 20, 9)], 2_400, whole=True)
    market = made.state.markets[0]
    assert [(px, lots) for px, lots, _ in market.bids.levels()] == [(MID, 50), (MID - 10, 299), (MID - 20, 9)]
    assert [(px, lots) for px, lots, _ in market.asks.levels()] == [(MID + 10, 200), (MID + 20, 9)]
