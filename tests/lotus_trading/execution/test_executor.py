"""The engine of one plan against a model venue: grouped entries, orders that appear or are adopted, ceilings."""

from decimal import Decimal
from typing import Any

import pytest
from trading_plans import BTC, plan
from trading_venue import Desk, ModelVenue

from lotus.trading.execution.events import (
    Close,
    Command,
    Halt,
    Place,
    Steer,
)
from lotus.trading.execution.executor import begin
from lotus.trading.execution.order_machine import Purpose
from lotus.trading.execution.orders import OrderGrouping, OrderState, Side, TimeInForce
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
def test_entry_stop_and_take_profit_go_in_one_grouped_action(side: Side) -> None:
    desk = desk_of(side)
    seen: list[Command] = []
    desk.on_command = seen.append
    settle(desk)
    (place,) = [c for c in seen if isinstance(c, Place)]
    entry, stop, target = place.orders
    assert place.grouping is OrderGrouping.ENTRY_WITH_EXITS
    assert (entry.side, entry.tif, entry.reduce_only) == (side, TimeInForce.IOC, False)
    assert entry.limit_px == D(100_000) * (1 + int(side) * D("0.005"))
    assert all(o.reduce_only and o.side is side.opposite and o.size == entry.size for o in (stop, target))
    assert (desk.state.held, desk.state.phase) == (D("0.01"), Phase.HOLDING)
    assert desk.venue.position == D("0.01") * int(side)
    assert desk.state.bare_since_ms is None


def test_an_order_that_appears_after_it_was_never_placed_is_cancelled_and_what_it_filled_closed() -> None:
    desk = desk_of(strategy="limit", entry_px=D(99_900))
    desk.lose_request = True
    sent: list[Place] = []
    desk.on_command = lambda c: sent.append(c) if isinstance(c, Place) else None
    settle(desk, 2_000)
    assert desk.state.done
    desk.lose_request = False
    desk.venue.place(sent[0].orders, sent[0].grouping)  # the request was only slow
    desk.venue.share = D("0.5")
    desk.venue.move(D(99_900))
    desk.venue.share = D(1)
    settle(desk, 3_000)
    assert (desk.state.done, desk.venue.position, desk.venue.open_orders()) == (True, 0, ())
    assert (desk.state.ending, desk.finished) == (Ending.LATE_FILL, 2)
    assert desk.state.revision >= 1


def test_an_own_order_that_nothing_remembers_is_adopted_from_a_snapshot() -> None:
    desk = desk_of(strategy="limit", entry_px=D(99_900))
    settle(desk)
    desk.state = begin(plan(strategy="limit", entry_px=D(99_900)), BTC, "model", 0)  # the store lost what was sent
    desk.feed(Halt())
    assert desk.state.done
    desk.feed(desk.snapshot())
    settle(desk, 2_000)
    assert states(desk, Purpose.ENTRY) == [OrderState.CANCELED]
    assert (desk.state.done, desk.venue.open_orders()) == (True, ())


def test_an_immediate_order_whose_end_was_never_told_is_asked_for() -> None:
    desk = settle(desk_of())
    desk.venue.share = D("0.3")
    desk.lose_answer = True
    desk.feed(Close())  # filled in part, the rest cancelled, and only the fill is told
    desk.deliver_all()
    assert states(desk, Purpose.EXIT) == [OrderState.RESTING]
    desk.lose_answer, desk.venue.share = False, D(1)
    settle(desk, 2_000)
    assert (desk.state.done, desk.venue.position) == (True, 0)


@BOTH
def test_a_ceiling_takes_off_what_is_above_it_and_the_stops_follow(side: Side) -> None:
    desk = settle(desk_of(side))
    desk.feed(Steer(D("0.004")))
    settle(desk, 600)
    assert (desk.state.held, desk.state.will_hold, desk.state.phase) == (D("0.004"), D("0.004"), Phase.HOLDING)
    assert desk.venue.position == D("0.004") * int(side)
    assert desk.venue.protected == D("0.004")
    desk.feed(Steer(D("0.008")))
    assert settle(desk).state.held == D("0.004"), "a higher ceiling opens nothing"
    desk.feed(Steer(D(0)))
    settle(desk, 900)
    assert desk.state.done
    assert desk.state.ending is Ending.ORDERED


@BOTH
def test_too_little_above_the_ceiling_is_not_worth_an_order(side: Side) -> None:
    desk = settle(desk_of(side))
    desk.feed(Steer(D("0.00995")))
    settle(desk, 600)
    assert desk.state.held == D("0.01")
    assert not states(desk, Purpose.EXIT)
