"""Entries of a plan: conditions and triggers before them, slices, refusals, what they leave behind."""

from decimal import Decimal
from typing import Any

import pytest
from trading_plans import BTC, plan, view
from trading_venue import Desk, ModelVenue

from lotus.trading.execution.events import (
    Steer,
    TriggerStatus,
    TriggerTold,
)
from lotus.trading.execution.executor import begin
from lotus.trading.execution.order_machine import Purpose
from lotus.trading.execution.orders import OrderState, Side
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


def test_nothing_is_sent_before_conditions_hold_and_the_trigger_fired() -> None:
    desk = desk_of(entry_when=(Condition(ConditionKind.PRICE_ABOVE, D(100_100)),), trigger="touch(level=1)")
    settle(desk)
    assert desk.state.phase is Phase.WATCHING
    desk.feed(TriggerTold(TriggerStatus.FIRED))
    settle(desk)
    assert not desk.venue.orders
    desk.venue.move(D(100_200))
    settle(desk)
    assert desk.state.phase is Phase.HOLDING
    assert desk.state.arrival_px == D(100_200)


def test_a_plan_whose_time_ends_or_whose_trigger_ends_is_never_sent() -> None:
    late = desk_of(entry_when=(Condition(ConditionKind.PRICE_ABOVE, D(200_000)),), valid_until_ms=1_000)
    settle(late, 1_500)
    assert (late.state.done, late.state.entry_ending) == (True, Ending.EXPIRED)
    ended = desk_of(trigger="touch(level=1)")
    ended.feed(TriggerTold(TriggerStatus.EXPIRED))
    assert (ended.state.done, ended.state.entry_ending) == (True, Ending.TRIGGER_ENDED)
    assert not late.venue.orders
    assert not ended.venue.orders


def test_an_entry_beyond_its_stop_or_on_stale_data_is_not_sent() -> None:
    beyond = desk_of()
    beyond.venue.mark = D(98_000)
    settle(beyond)
    assert (beyond.state.done, beyond.state.entry_ending) == (True, Ending.STOP)
    stale = desk_of()
    stale.now_ms = 10_000
    stale.feed(view(0))
    assert not stale.venue.orders


@BOTH
def test_twap_sends_over_time_and_carries_what_a_slice_missed(side: Side) -> None:
    desk = desk_of(side, strategy="twap", duration_ms=4_000, slices=4)
    desk.venue.share = D("0.5")
    settle(desk, 1_000)
    assert D("0.001") <= desk.state.held <= D("0.0015")
    desk.venue.share = D(1)
    settle(desk, 4_000)
    assert desk.state.held == D("0.01")
    assert desk.venue.protected >= D("0.01")
    assert len(states(desk, Purpose.ENTRY)) == 4


def test_an_iceberg_shows_one_slice_at_a_time() -> None:
    desk = desk_of(strategy="iceberg", entry_px=D(100_000), slices=4)
    desk.venue.mark = D(100_005)
    settle(desk)
    for shown in range(1, 5):
        assert len(states(desk, Purpose.ENTRY)) == shown
        desk.venue.move(D(100_000))
        desk.venue.mark = D(100_005)
        settle(desk, 200)
    assert desk.state.held == D("0.01")


def test_an_entry_that_the_venue_refuses_or_never_saw_is_not_sent_again() -> None:
    refused = desk_of()
    refused.venue.refuse_entries = True
    settle(refused, 3_000)
    assert (refused.state.done, refused.state.entry_ending) == (True, Ending.REFUSED_BY_VENUE)
    lost = desk_of()
    lost.lose_request = True
    settle(lost, 3_000)
    assert (lost.state.done, lost.state.entry_ending) == (True, Ending.REFUSED_BY_VENUE)
    assert not lost.venue.orders


def test_accepted_then_error_is_asked_for_and_never_sent_again() -> None:
    desk = desk_of()
    desk.lose_answer, desk.deaf = True, True
    desk.wait(100)
    desk.venue.mail.clear()
    for _ in range(50):
        desk.wait(100)
    assert states(desk, Purpose.ENTRY) == [OrderState.UNKNOWN]
    assert desk.venue.position == D("0.01")
    desk.lose_answer = desk.deaf = False
    settle(desk, 1_500)
    assert desk.state.held == D("0.01")
    assert len(states(desk, Purpose.ENTRY)) == 1


def test_an_adopted_entry_is_not_sent_again() -> None:
    desk = desk_of(strategy="limit", entry_px=D(99_900))
    settle(desk)
    desk.state = begin(plan(strategy="limit", entry_px=D(99_900)), BTC, "model", 0)
    desk.feed(desk.snapshot())
    settle(desk, 1_000)  # the model venue fails the test when a name is sent twice
    assert states(desk, Purpose.ENTRY) == [OrderState.RESTING]
    assert desk.state.phase is Phase.ENTERING


def test_a_slice_told_as_filled_counts_before_its_fills_come() -> None:
    desk = desk_of(strategy="iceberg", entry_px=D(100_000), slices=2)
    desk.venue.mark = D(100_005)
    settle(desk)
    desk.venue.move(D(100_000))
    desk.venue.mark = D(100_005)
    desk.deaf = True
    first = next(o.client_id for o in desk.state.of(Purpose.ENTRY))
    desk.feed(desk.venue.update(first))
    assert desk.state.held == 0
    assert desk.state.exposure > 0
    assert sum(o.order.size for o in desk.state.of(Purpose.ENTRY)) == D("0.01")


@BOTH
def test_a_ceiling_before_the_entry_caps_it(side: Side) -> None:
    desk = desk_of(side)
    desk.feed(Steer(D("0.003")))
    assert desk.state.will_hold == D("0.003")
    settle(desk)
    assert (desk.state.held, desk.state.will_hold) == (D("0.003"), D("0.003"))
    (entry,) = desk.state.of(Purpose.ENTRY)
    assert entry.order.size == D("0.003")
