"""Exits of a plan: conditions, times, orders, flips and halts."""

from decimal import Decimal
from typing import Any

import pytest
from trading_plans import BTC, plan
from trading_venue import Desk, ModelVenue

from lotus.trading.execution.events import (
    Close,
    ForeignFill,
    Halt,
    Steer,
)
from lotus.trading.execution.executor import begin
from lotus.trading.execution.order_machine import Purpose
from lotus.trading.execution.orders import OrderState, Side, VenueFill
from lotus.trading.execution.state import Ending, Phase
from lotus.trading.plan.plan import Condition, ConditionKind

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
@pytest.mark.parametrize(("move", "ending"), [(-1_000, Purpose.STOP), (2_000, Purpose.TAKE_PROFIT)])
def test_stop_and_take_profit_end_the_position_and_the_other_is_withdrawn(
    side: Side, move: int, ending: Purpose
) -> None:
    desk = settle(desk_of(side))
    desk.venue.move(D(100_000 + int(side) * move))
    settle(desk, 1_000)
    assert desk.state.done
    assert desk.venue.position == 0
    assert states(desk, ending) == [OrderState.FILLED]
    assert not desk.venue.open_orders()
    assert desk.finished == 1


@BOTH
def test_exit_conditions_time_and_orders_close_at_the_market(side: Side) -> None:
    above = Condition(ConditionKind.PRICE_ABOVE, D(100_100))
    for ending, changes in (
        (Ending.CONDITION, {"exit_when": (above,)}),
        (Ending.TIME, {"exit_at_ms": 2_000}),
        (Ending.ORDERED, {}),
    ):
        desk = settle(desk_of(side, **changes))
        assert desk.state.phase is Phase.HOLDING
        if ending is Ending.CONDITION:
            desk.venue.move(D(100_200))
        if ending is Ending.ORDERED:
            desk.feed(Close())
        settle(desk, 3_000)
        assert (desk.state.ending, desk.state.done, desk.venue.position) == (ending, True, 0)
        assert not desk.venue.open_orders()


@BOTH
def test_a_halt_cancels_entries_opens_nothing_and_flattens_when_asked(side: Side) -> None:
    keeps = desk_of(side, strategy="twap", duration_ms=8_000, slices=4)
    settle(keeps, 3_000)
    held, entries = keeps.state.held, len(states(keeps, Purpose.ENTRY))
    assert held > 0
    keeps.feed(Halt())
    settle(keeps, 8_000)
    assert (keeps.state.held, len(states(keeps, Purpose.ENTRY))) == (held, entries)
    assert keeps.venue.protected >= held
    keeps.feed(Halt(flatten=True))
    settle(keeps, 1_000)
    assert (keeps.state.done, keeps.state.ending, keeps.venue.position) == (True, Ending.HALTED, 0)
    resting = desk_of(side, strategy="limit", entry_px=D(100_000 - int(side) * 50))
    settle(resting)
    resting.feed(Halt())
    settle(resting, 1_000)
    assert (resting.state.done, resting.venue.open_orders()) == (True, ())


def test_a_closing_order_that_finds_no_match_is_followed_by_another_further_out() -> None:
    desk = settle(desk_of())
    desk.venue.share = D(0)
    desk.feed(Close())
    settle(desk, 1_500)
    desk.venue.share = D(1)
    settle(desk, 1_500)
    exits = [o.order.limit_px for o in desk.state.of(Purpose.EXIT)]
    assert len(exits) >= 2
    assert exits == sorted(exits, reverse=True)
    assert (desk.state.done, desk.venue.position) == (True, 0)


def test_an_exit_that_is_told_before_the_fill_of_its_entry_is_no_flip() -> None:
    desk = desk_of(strategy="limit", entry_px=D(100_000))
    desk.venue.mark = D(100_005)
    settle(desk)
    desk.venue.move(D(98_500))  # entry and stop are filled before a word of either arrives
    stop = next(o.client_id for o in desk.state.of(Purpose.STOP))
    desk.feed(desk.venue.update(stop))
    assert desk.state.exposure < 0
    assert not states(desk, Purpose.EXIT)
    settle(desk, 2_000)
    assert (desk.state.done, desk.venue.position, desk.alarms) == (True, 0, [])


@BOTH
def test_a_flip_is_alarmed_and_closed_by_an_order_that_only_reduces(side: Side) -> None:
    desk = settle(desk_of(side))
    hand = VenueFill("x", "", 9, "BTC", side.opposite, D("0.013"), D(100_000), D(0), True, desk.now_ms)
    desk.venue.fills.append(hand)
    desk.feed(ForeignFill(hand))
    settle(desk, 2_000)
    (closing,) = [o.order for o in desk.state.of(Purpose.EXIT)]
    assert (closing.side, closing.size, closing.reduce_only) == (side, D("0.003"), True)
    assert [a.kind for a in desk.alarms] == ["flipped"]
    assert (desk.state.done, desk.state.held, desk.venue.position) == (True, 0, 0)


def test_an_exit_time_moves_on_and_never_back() -> None:
    desk = settle(desk_of(exit_at_ms=1_000))
    desk.feed(Steer(exit_at_ms=5_000))
    desk.feed(Steer(exit_at_ms=2_000))
    settle(desk, 3_000)
    assert desk.state.phase is Phase.HOLDING
    settle(desk, 3_000)
    assert desk.state.done
    assert desk.state.ending is Ending.TIME
