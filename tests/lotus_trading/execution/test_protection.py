"""Stops that guard a position: they follow it, are replaced, and are executed by hand."""

from decimal import Decimal
from typing import Any

import pytest
from trading_plans import BTC, plan
from trading_venue import Desk, ModelVenue

from lotus.trading.execution.executor import begin
from lotus.trading.execution.order_machine import Purpose
from lotus.trading.execution.orders import OrderState, Side
from lotus.trading.execution.state import Ending, Phase

from ..desks import settle

D = Decimal
BOTH = pytest.mark.parametrize("side", list(Side))


def desk_of(side: Side = Side.BUY, **changes: Any) -> Desk:
    """Return a desk with a fresh execution and a healthy venue."""
    return Desk(begin(plan(side, **changes), BTC, "model", 0), ModelVenue())


def states(desk: Desk, purpose: Purpose) -> list[OrderState]:
    """Return the states of the orders of a purpose."""
    return [o.state for o in desk.state.of(purpose)]


@BOTH
def test_a_resting_entry_filled_in_part_has_a_guard_that_follows_and_is_withdrawn_when_time_ends(side: Side) -> None:
    desk = desk_of(side, strategy="limit", entry_px=D(100_000), valid_until_ms=8_000, size=D("0.008"))
    desk.venue.mark = D(100_000 + int(side) * 5)
    settle(desk)
    assert states(desk, Purpose.ENTRY) == [OrderState.RESTING]
    desk.venue.share = D("0.5")
    desk.venue.move(D(100_000))
    settle(desk, 2_500)
    assert (desk.state.held, desk.venue.protected) == (D("0.004"), D("0.004"))
    desk.venue.move(D(100_000))
    settle(desk, 2_500)
    assert (desk.state.held, desk.venue.protected) == (D("0.006"), D("0.006"))
    desk.venue.mark = D(100_000 + int(side) * 5)
    settle(desk, 4_000)
    assert states(desk, Purpose.ENTRY) == [OrderState.CANCELED]
    assert desk.state.held == D("0.006")
    assert desk.venue.protected == D("0.006")
    desk.venue.move(D(100_000 - int(side) * 1_000))
    settle(desk, 3_000)
    assert (desk.state.done, desk.venue.position) == (True, 0)


def test_when_the_rest_of_an_entry_fills_the_grouped_stop_takes_over_and_the_guard_goes() -> None:
    desk = desk_of(strategy="limit", entry_px=D(100_000))
    desk.venue.mark = D(100_005)
    settle(desk)
    desk.venue.share = D("0.5")
    desk.venue.move(D(100_000))
    settle(desk, 2_500)
    assert desk.venue.protected == D("0.005")
    desk.venue.share = D(1)
    desk.venue.move(D(100_000))
    settle(desk, 2_500)
    assert (desk.state.held, desk.venue.protected) == (D("0.01"), D("0.01"))
    assert states(desk, Purpose.GUARD) == [OrderState.CANCELED]


@BOTH
def test_a_stop_that_the_venue_drops_is_replaced_and_one_it_refuses_closes_the_position(side: Side) -> None:
    dropped = desk_of(side)
    dropped.venue.drop_children = True
    settle(dropped, 2_000)
    assert (dropped.state.held, dropped.venue.protected) == (D("0.01"), D("0.01"))
    refused = desk_of(side)
    refused.venue.drop_children = refused.venue.refuse_stops = True
    settle(refused, 5_000)
    assert (refused.state.done, refused.state.ending, refused.venue.position) == (True, Ending.UNPROTECTED, 0)
    assert [a.kind for a in refused.alarms] == ["unprotected"]


def test_a_stop_that_the_venue_does_not_fire_is_executed_by_hand() -> None:
    desk = settle(desk_of())
    desk.venue.mark = D(98_900)  # the venue's trigger stays silent
    settle(desk, 1_000)
    assert desk.state.phase is Phase.HOLDING
    settle(desk, 1_500)
    assert (desk.state.ending, desk.venue.position) == (Ending.STOP, 0)
