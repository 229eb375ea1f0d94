"""Take-profits at rest: sent when the entry is over, sized as the position, withdrawn before it is left."""

from decimal import Decimal
from typing import Any

import pytest
from trading_plans import BTC, plan
from trading_venue import Desk, ModelVenue

from lotus.detectors.entry_style import EntryStyle
from lotus.trading.execution.events import Close, Steer
from lotus.trading.execution.executor import begin
from lotus.trading.execution.order_machine import Purpose, TrackedOrder
from lotus.trading.execution.orders import OrderState, Side, TimeInForce
from lotus.trading.execution.report import report
from lotus.trading.execution.state import Ending, Phase
from lotus.trading.plan.styles import Styles

from ..desks import settle

D = Decimal
BOTH = pytest.mark.parametrize("side", list(Side))


def holding(side: Side = Side.BUY, **changes: Any) -> Desk:
    """Return a desk that holds a position with a take-profit 2 % away."""
    made = plan(side, styles=Styles(exit=EntryStyle.JOIN), rest_ms=3_000, **changes)
    return settle(Desk(begin(made, BTC, "model", 0), ModelVenue()), 900)


def targets(desk: Desk) -> list[TrackedOrder]:
    """Return the take-profits, oldest first."""
    return list(desk.state.of(Purpose.TAKE_PROFIT))


@BOTH
def test_it_rests_reduce_only_and_earns_the_makers_fee(side: Side) -> None:
    desk = holding(side)
    (target,) = targets(desk)
    order = target.order
    assert (order.tif, order.reduce_only, order.trigger, order.size) == (TimeInForce.ALO, True, None, D("0.01"))
    assert order.limit_px == D(100_000) + 2_000 * int(side)
    desk.venue.move(D(100_000) + 2_001 * int(side))
    settle(desk, 600)
    assert (desk.state.done, desk.venue.position, desk.state.ending) == (True, 0, Ending.NONE)
    assert report(desk.state, desk.now_ms, "venue")["ending"] == "take_profit"


def test_it_follows_a_position_that_is_lowered() -> None:
    desk = holding()
    desk.feed(Steer(D("0.004")))
    settle(desk, 1_500)
    live = [o for o in targets(desk) if o.state is OrderState.RESTING]
    assert [o.order.size for o in live] == [D("0.004")]


def test_it_is_withdrawn_before_an_exit_rests() -> None:
    desk = holding(exit_at_ms=2_000)
    settle(desk, 1_500)
    assert desk.state.phase is Phase.LEAVING
    assert [o.state for o in targets(desk)] == [OrderState.CANCELED]
    (order,) = list(desk.state.of(Purpose.EXIT))
    assert (order.state, order.order.tif) == (OrderState.RESTING, TimeInForce.ALO)


def test_it_is_withdrawn_when_the_position_is_ordered_out() -> None:
    desk = holding()
    desk.feed(Close())
    settle(desk, 600)
    assert (desk.state.done, desk.venue.open_orders(), desk.venue.position) == (True, (), 0)


def test_a_price_beyond_it_before_it_rests_is_taken_at_once() -> None:
    desk = Desk(
        begin(plan(styles=Styles(exit=EntryStyle.JOIN), rest_ms=3_000, take_profit_px=D(100_050)), BTC, "model", 0),
        ModelVenue(),
    )
    desk.lose_answer = True
    desk.wait(100)
    desk.lose_answer = False
    desk.venue.mark = D(100_100)
    settle(desk, 2_000)
    assert (desk.state.done, desk.venue.position, desk.state.ending) == (True, 0, Ending.TAKE_PROFIT)


def test_without_the_style_it_stays_a_trigger_of_the_group() -> None:
    desk = settle(Desk(begin(plan(), BTC, "model", 0), ModelVenue()))
    (target,) = targets(desk)
    assert target.order.trigger is not None
