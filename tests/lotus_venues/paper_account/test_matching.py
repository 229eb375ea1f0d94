"""How paper orders meet the market: queues, prints, books that cross."""

from paper_market import BUY, LOTS, PX, SELL, market

from lotus.trading.execution.orders import (
    OrderState,
    TimeInForce,
)


def test_trades_eat_the_queue_first() -> None:
    made = market()
    name = made.place(BUY, PX)
    made.trade(SELL, PX, 4000)
    assert made.filled(name) == 0
    made.trade(SELL, PX, 1300)
    assert made.filled(name) == 300
    made.trade(BUY, PX, 9000)
    assert made.filled(name) == 300


def test_what_the_book_showed_gone_does_not_eat_the_queue_again() -> None:
    """The book shows the queue shrunk before the print that shrank it arrives: the print is that, and fills nothing."""
    made = market()
    name = made.place(BUY, PX)
    made.book([(PX, 1000), (PX - 10, 5000)], [(PX + 1, 5000)])
    made.trade(SELL, PX, 4000)
    assert made.filled(name) == 0
    made.trade(SELL, PX, 1500)
    assert made.filled(name) == 500


def test_a_trade_through_the_price_fills_no_more_than_it_was() -> None:
    made = market()
    name = made.place(BUY, PX)
    made.trade(SELL, PX - 10, 300)
    assert made.filled(name) == 300
    made.trade(SELL, PX - 10, 3000)
    assert (made.filled(name), made.state(name)) == (LOTS, OrderState.FILLED)


def test_trades_from_before_the_order_and_replayed_ones_fill_nothing() -> None:
    made = market()
    made.trade(SELL, PX - 10, 10, tid=77)
    old = made.now_ms
    name = made.place(BUY, PX)
    made.trade(SELL, PX - 10, 500, time_ms=old)
    assert made.filled(name) == 0
    made.trade(SELL, PX - 10, 100, tid=99)
    stamp = made.now_ms
    for _ in range(30):
        made.trade(SELL, PX - 10, 100, tid=99, time_ms=stamp)
        made.trade(SELL, PX - 10, 100, tid=98, time_ms=stamp - 1)
    assert made.filled(name) == 100


def test_a_book_that_crosses_fills_what_it_newly_shows() -> None:
    made = market()
    name = made.place(BUY, PX + 1, 8000)
    assert made.filled(name) == 5000
    made.book([(PX, 5000)], [(PX + 1, 5000)])
    assert made.filled(name) == 5000  # the very size that was taken is still shown
    made.book([(PX, 5000)], [(PX + 1, 6000)])
    assert made.filled(name) == 6000
    made.book([(PX, 5000)], [(PX + 11, 5000)])
    made.book([(PX, 5000)], [(PX + 1, 1000)])
    assert made.filled(name) == 7000


def test_size_taken_is_gone_until_the_book_is_shown_again() -> None:
    made = market()
    first, second = made.place(BUY, PX + 1, 4000), made.place(BUY, PX + 1, 4000, tif=TimeInForce.IOC)
    assert (made.filled(first), made.filled(second)) == (4000, 1000)


def test_an_unseen_level_fills_only_through() -> None:
    made = market()
    name = made.place(BUY, PX - 500)
    made.trade(SELL, PX - 500, 50_000)
    assert made.filled(name) == 0
    made.book([(PX - 500, 700)], [(PX + 1, 10)])
    made.trade(SELL, PX - 500, 800)
    assert made.filled(name) == 100


def test_own_orders_share_one_trade_by_price_and_time() -> None:
    made = market()
    worse, better, later = made.place(BUY, PX - 10), made.place(BUY, PX), made.place(BUY, PX)
    made.trade(SELL, PX - 20, 1500)
    assert (made.filled(better), made.filled(later), made.filled(worse)) == (1000, 500, 0)
