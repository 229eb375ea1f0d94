"""Probes: never netted, closed after their horizon, charged with funding."""

import pytest

from lotus.manifest import Asset
from lotus.trading.execution.orders import Side
from lotus_venues.fees import fee_micro
from lotus_venues.paper import PaperVenue
from lotus_venues.probes import ProbeDesk

BTC = Asset("BTC", 5)
SECOND = 1_000_000_000


def venue() -> PaperVenue:
    """Return a venue with BTC at 100,000 / 100,001 (unit 0.1 USD), two levels of 0.01 and 0.02 a side."""
    made = PaperVenue((BTC,), 4.5)
    made.on_book(0, 0, 0, [(1_000_000, 1000), (999_990, 2000)], [(1_000_010, 1000), (1_000_020, 2000)], True)
    return made


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
    assert not desk.venue.reports


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
