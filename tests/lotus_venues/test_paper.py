"""Laws of the paper venue: what it fills, refuses, charges and remembers; probes against an independent ledger."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.errors import ConfigError, VenueError
from lotus.manifest import Asset
from lotus.trading.orders import Side, client_order_id
from lotus.trading.rounding import is_valid_px, round_px, round_size, tick_of
from lotus_venues.fees import fee_micro, taker_fee_bps
from lotus_venues.ladder import Ladder
from lotus_venues.orders import Fill, Order, OrderStatus
from lotus_venues.paper import BAD_SIZE, BAD_TICK, NO_LIQUIDITY, NO_MATCH, TOO_SMALL, PaperVenue, order_size
from lotus_venues.positions import LotPosition
from lotus_venues.probes import ProbeDesk

BTC = Asset("BTC", 5)
SECOND = 1_000_000_000


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


@given(
    st.lists(st.tuples(st.integers(1, 2000), st.integers(1, 500)), min_size=1, max_size=20),
    st.integers(1, 6000),
    st.sampled_from(list(Side)),
)
def test_walking_the_book_takes_best_first_and_conserves_size(
    levels: list[tuple[int, int]], lots: int, side: Side
) -> None:
    prices = sorted({px for px, _ in levels}, reverse=side is Side.SELL)
    sizes = dict(levels)
    ladder = Ladder()
    book = [(px + 10_000 if side is Side.BUY else px, sizes[px]) for px in prices]
    ladder.on_book(1, book if side is Side.SELL else [], book if side is Side.BUY else [], True)
    taken = ladder.take(side, lots, None)
    assert sum(n for _, n in taken) == min(lots, sum(n for _, n in book))
    assert [px for px, _ in taken] == [px for px, _ in book[: len(taken)]]
    assert all(n == dict(book)[px] for px, n in taken[:-1])


def test_shallow_book_keeps_deeper_levels_and_bbo_removes_better_ones() -> None:
    ladder = Ladder()
    ladder.on_book(1, [(10, 1), (9, 1), (8, 1)], [(11, 1), (12, 1), (13, 1)], True)
    ladder.on_book(2, [(9, 5), (8, 5)], [(12, 5)], False)
    assert (ladder.bids, ladder.asks) == ([(9, 5), (8, 5)], [(12, 5), (13, 1)])
    ladder.on_bbo(3, (8, 7), None)
    assert (ladder.bids, ladder.asks, ladder.is_two_sided) == ([(8, 7)], [], False)


@given(st.lists(st.tuples(st.booleans(), st.lists(st.integers(1, 60), max_size=25, unique=True)), max_size=12))
def test_a_side_is_the_fresh_levels_and_whatever_was_worse(messages: list[tuple[bool, list[int]]]) -> None:
    ladder, bids, asks = Ladder(), [], []
    for k, (deep, prices) in enumerate(messages):
        fresh = [(px, k) for px in sorted(prices, reverse=True)]
        kept = [] if deep or not fresh else [x for x in bids if x[0] < fresh[-1][0]]
        bids = [*fresh, *kept][: 25 if deep else 20]
        mirrored = [(-px, n) for px, n in fresh]
        kept = [] if deep or not fresh else [x for x in asks if x[0] > mirrored[-1][0]]
        asks = [*mirrored, *kept][: 25 if deep else 20]
        ladder.on_book(k, fresh, mirrored, deep)
        assert (ladder.bids, ladder.asks) == (bids, asks)


@given(st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(1, 50), st.integers(90, 110)), max_size=30))
def test_netted_position_equals_cash_accounting(trades: list[tuple[Side, int, int]]) -> None:
    position, cash, lots = LotPosition(), 0, 0
    for i, (side, n, px) in enumerate(trades):
        position.apply(Fill("c", "e", 0, side, px, n, 3, i, i, 0))
        cash -= side * n * px
        lots += side * n
    assert position.lots == lots
    assert position.net_micro(2 * 100) == cash + lots * 100 - 3 * len(trades)


def drive(desk: ProbeDesk, recv_ns: int, bid: int, ask: int) -> None:
    """Show the desk and its venue one change of the best levels."""
    desk.settle(desk.advance(recv_ns))
    desk.settle(desk.venue.on_bbo(0, recv_ns, 0, (bid, 10_000), (ask, 10_000)))


def test_two_probes_of_opposite_direction_are_never_netted() -> None:
    desk = ProbeDesk(venue(), 1000.0, 250)
    desk.publish("up", 0, Side.BUY, 0, 30)
    desk.publish("down", 0, Side.SELL, 0, 30)
    drive(desk, SECOND, 1_000_000, 1_000_010)
    drive(desk, 30 * SECOND + 249_000_000, 1_001_000, 1_001_010)
    assert not desk.take_closed()
    drive(desk, 30 * SECOND + 250_000_000, 1_002_000, 1_002_010)
    up, down = sorted(desk.take_closed(), key=lambda p: p.event_id, reverse=True)
    lots = up.lots
    assert lots == down.lots == 999
    fees = fee_micro(lots * 1_000_010, 4.5) + fee_micro(lots * 1_002_000, 4.5)
    assert up.net_micro == lots * (1_002_000 - 1_000_010) - fees
    assert up.payoff_bps == pytest.approx(19.9 - 9.0, abs=0.02)
    assert down.payoff_bps == pytest.approx(-20.1 - 9.0, abs=0.02)
    assert desk.venue.positions[0].lots == 0
    assert not desk.venue.known


def test_unfilled_probe_earns_zero_and_an_exit_in_parts_is_finished() -> None:
    empty = ProbeDesk(PaperVenue((BTC,), 4.5), 1000.0, 250)
    empty.publish("x", 0, Side.BUY, 0, 30)
    (refused,) = empty.take_closed()
    assert (refused.payoff_bps, refused.lots) == (0.0, 0)
    desk = ProbeDesk(venue(), 1000.0, 0)
    desk.publish("y", 0, Side.BUY, 0, 30)
    drive(desk, 1, 1_000_000, 1_000_010)
    for i in range(5):
        recv_ns = (31 + i) * SECOND
        desk.settle(desk.advance(recv_ns))
        desk.settle(desk.venue.on_book(0, recv_ns, 0, [(1_000_000, 300)], [(1_000_010, 300)], True))
    (probe,) = desk.take_closed()
    assert (probe.lots, probe.exit_lots, probe.exit_orders) == (999, 999, 4)


def test_exit_is_sent_again_when_there_is_no_liquidity() -> None:
    desk = ProbeDesk(venue(), 1000.0, 0)
    desk.publish("z", 0, Side.SELL, 0, 30)
    drive(desk, 1, 1_000_000, 1_000_010)
    desk.settle(desk.venue.on_bbo(0, 2, 0, (1_000_000, 10), None))
    desk.settle(desk.advance(31 * SECOND))
    drive(desk, 32 * SECOND, 1_000_000, 1_000_010)
    drive(desk, 33 * SECOND, 1_000_000, 1_000_010)
    (probe,) = desk.take_closed()
    assert probe.exit_lots == probe.lots


def test_funding_is_paid_at_the_full_hour_on_the_oracle_price() -> None:
    desk = ProbeDesk(venue(), 1000.0, 0)
    start = 3600 * SECOND - 10 * SECOND
    desk.on_context(0, 12_500_000, 1_000_000)
    desk.publish("f", 0, Side.BUY, start, 30)
    drive(desk, start + 1, 1_000_000, 1_000_010)
    drive(desk, 3600 * SECOND, 1_000_000, 1_000_010)
    drive(desk, start + 31 * SECOND, 1_000_000, 1_000_010)
    (probe,) = desk.take_closed()
    assert probe.funding_micro == 999 * 1_000_000 * 12_500_000 // 10**12 == 12_487


def test_rounding_and_fees() -> None:
    assert tick_of(Asset("SOL", 2), Decimal("209.1")) == Decimal("0.01")
    assert is_valid_px(BTC, Decimal("123456"))
    assert not is_valid_px(BTC, Decimal("12345.6"))
    assert round_px(Asset("ETH", 4), Decimal("4344.17")) == Decimal("4344.2")
    assert round_size(BTC, Decimal("0.0123456")) == Decimal("0.01234")
    assert order_size(BTC, 1000.0, 2_000_010) == Decimal("0.00999")
    assert taker_fee_bps(0) == 4.5
    with pytest.raises(ConfigError):
        taker_fee_bps(9)
