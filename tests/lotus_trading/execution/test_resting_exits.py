"""Exits at rest at the end of the plan's time: pegged, then crossing; what may not wait does not."""

from decimal import Decimal
from typing import Any

import pytest
from trading_plans import BTC, plan
from trading_venue import Desk, ModelVenue

from lotus.detectors.entry_style import EntryStyle
from lotus.trading.execution.events import Close, Halt
from lotus.trading.execution.executor import begin
from lotus.trading.execution.order_machine import Purpose, TrackedOrder
from lotus.trading.execution.orders import OrderState, Side, TimeInForce
from lotus.trading.execution.state import Ending
from lotus.trading.plan.styles import Styles

from ..desks import settle

D = Decimal
BOTH = pytest.mark.parametrize("side", list(Side))
JOIN_OUT = Styles(exit=EntryStyle.JOIN)


def leaving(side: Side = Side.BUY, **changes: Any) -> Desk:
    """Return a desk whose position is about to be left at rest, for 3 s at most."""
    wanted = {"take_profit_px": None, "rest_ms": 3_000, "exit_at_ms": 1_000} | changes
    return settle(Desk(begin(plan(side, styles=JOIN_OUT, **wanted), BTC, "model", 0), ModelVenue()), 900)


def exits(desk: Desk) -> list[TrackedOrder]:
    """Return the closing orders, oldest first."""
    return list(desk.state.of(Purpose.EXIT))


@BOTH
def test_a_position_is_left_at_rest_at_its_own_best(side: Side) -> None:
    desk = settle(leaving(side), 300)
    (order,) = exits(desk)
    assert (order.order.tif, order.order.reduce_only, order.state) == (TimeInForce.ALO, True, OrderState.RESTING)
    assert order.order.limit_px == D(100_000) + int(side)
    assert desk.venue.protected == D("0.01"), "the stop stays"
    desk.venue.move(D(100_000) + 2 * int(side))
    settle(desk, 600)
    assert (desk.state.done, desk.state.ending, desk.venue.open_orders()) == (True, Ending.TIME, ())


@BOTH
def test_an_exit_follows_the_market_and_crosses_when_its_wait_is_over(side: Side) -> None:
    desk = settle(leaving(side), 300)
    desk.venue.move(D(100_000) - 20 * int(side))
    settle(desk, 600)
    assert [o.state for o in exits(desk)] == [OrderState.CANCELED, OrderState.RESTING]
    settle(desk, 2_500)
    assert (desk.state.done, desk.venue.position, desk.state.ending) == (True, 0, Ending.TIME)
    last = exits(desk)[-1]
    best = desk.venue.mark - int(side)
    assert last.order.tif is TimeInForce.IOC
    assert abs(last.order.limit_px / best - 1) <= D("0.0101"), "re-pegs do not widen the bound"


@pytest.mark.parametrize("event", [Halt(flatten=True), Close()])
def test_what_is_ordered_out_does_not_wait(event: Halt | Close) -> None:
    desk = settle(leaving(), 300)
    desk.feed(event)
    settle(desk, 200)
    assert (desk.state.done, desk.venue.position) == (True, 0)
    assert desk.state.ending is (Ending.HALTED if isinstance(event, Halt) else Ending.ORDERED)


def test_a_stop_that_was_passed_does_not_wait() -> None:
    desk = leaving(rest_ms=20_000)
    settle(desk, 300)
    for truth in desk.venue.orders.values():
        truth.armed = truth.order.trigger is None  # a venue that does not fire
    desk.venue.mark = D(98_000)
    settle(desk, 2_000)
    assert (desk.venue.position, desk.state.ending) == (0, Ending.STOP)


def test_an_exit_before_its_time_crosses() -> None:
    desk = leaving(exit_at_ms=60_000)
    desk.feed(Close())
    settle(desk)
    assert [o.order.tif for o in exits(desk)] == [TimeInForce.IOC]


def test_a_part_that_is_filled_is_kept_and_the_rest_crosses() -> None:
    desk = settle(leaving(), 300)
    desk.venue.share = D("0.3")
    desk.venue.move(D(100_002))
    desk.venue.share = D(1)
    desk.venue.mark = D(100_000)
    settle(desk, 4_000)
    assert (desk.state.done, desk.venue.position) == (True, 0)
    assert exits(desk)[0].filled == D("0.003")
    assert sum(o.filled for o in exits(desk)) == D("0.01")


@pytest.mark.parametrize("after", [0, 1])
def test_a_kill_while_an_exit_rests_doubles_nothing(after: int) -> None:
    desk = settle(leaving(), 300)
    desk.venue.move(D(99_980))
    desk.dies_in = after
    settle(desk, 500)
    desk.restart()
    settle(desk, 4_000)
    assert (desk.state.done, desk.venue.position) == (True, 0)
