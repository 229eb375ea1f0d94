"""Laws of the paper venue: latency, levels, limits and refusals."""

from decimal import Decimal

import pytest

from lotus.errors import VenueError
from lotus.manifest import Asset
from lotus.trading.execution.orders import Side, client_order_id
from lotus_venues.orders import Order, OrderStatus
from lotus_venues.paper import BAD_SIZE, BAD_TICK, NO_LIQUIDITY, NO_MATCH, TOO_SMALL, PaperVenue

BTC = Asset("BTC", 5)


def venue() -> PaperVenue:
    """Return a venue with BTC at 100,000 / 100,001 (unit 0.1 USD), two levels of 0.01 and 0.02 a side."""
    made = PaperVenue((BTC,), 4.5)
    made.on_book(0, 0, 0, [(1_000_000, 1000), (999_990, 2000)], [(1_000_010, 1000), (1_000_020, 2000)], True)
    return made


def order(size: str, limit: str | None = None, side: Side = Side.BUY, name: str = "a", active_ns: int = 0) -> Order:
    """Return an entry order."""
    px = None if limit is None else Decimal(limit)
    return Order(client_order_id(name, "entry"), name, "entry", 0, side, Decimal(size), px, 0, active_ns)


def touch(made: PaperVenue, recv_ns: int) -> tuple[list[tuple[int, int]], str, str]:
    """Show the venue the same best levels again; return fills (price, lots), last status and reason."""
    outcome = made.on_bbo(0, recv_ns, 1, made.ladders[0].bids[0], made.ladders[0].asks[0])
    last = outcome.reports[-1]
    return [(f.px, f.lots) for f in outcome.fills], last.status, last.reason


def test_market_order_waits_for_its_latency_then_walks_the_levels() -> None:
    made = venue()
    made.submit(order("0.015", active_ns=250))
    assert made.on_bbo(0, 249, 1, (1_000_000, 1000), (1_000_010, 1000)).reports == ()
    assert touch(made, 250) == ([(1_000_010, 1000), (1_000_020, 500)], "filled", "")
    assert made.positions[0].lots == 1500


def test_remainder_is_canceled_and_a_limit_is_never_passed() -> None:
    made = venue()
    made.submit(order("0.05", "100001"))
    assert touch(made, 1) == ([(1_000_010, 1000)], "partially_filled", "")
    made.submit(order("0.05", "100000", name="b"))
    assert touch(made, 2) == ([], "canceled", NO_MATCH)


@pytest.mark.parametrize(
    ("size", "limit", "reason"),
    [
        ("0.0000001", "100001", BAD_SIZE),
        ("0", "100001", BAD_SIZE),
        ("NaN", "100001", BAD_SIZE),
        ("0.01", "100000.5", BAD_TICK),
        ("0.01", "-1", BAD_TICK),
        ("0.00005", None, TOO_SMALL),
        ("0.00009", "100001", TOO_SMALL),
    ],
)
def test_refusals(size: str, limit: str | None, reason: str) -> None:
    report = venue().submit(order(size, limit))
    assert (report.status, report.reason) == (OrderStatus.REJECTED, reason)


def test_no_book_means_no_market_order_and_a_repeated_order_is_the_same_order() -> None:
    empty = PaperVenue((BTC,), 4.5)
    assert empty.submit(order("0.01")).reason == NO_LIQUIDITY
    made = venue()
    first = made.submit(order("0.01"))
    assert made.submit(order("0.01")) is first
    assert len(touch(made, 1)[0]) == 1
    assert made.submit(order("0.01")).status is OrderStatus.FILLED
    with pytest.raises(VenueError, match="other contents"):
        made.submit(order("0.02"))
