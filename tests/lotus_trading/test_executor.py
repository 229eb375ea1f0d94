"""The engine of one plan against a model venue: entries, exits, stops and kills, longs and shorts."""

from decimal import Decimal
from typing import Any

import pytest
from trading_plans import BTC, plan, view
from trading_venue import Desk, ModelVenue

from lotus.trading.execution import Ending, Phase
from lotus.trading.execution_events import (
    Close,
    Command,
    ForeignFill,
    Halt,
    Place,
    Steer,
    TriggerStatus,
    TriggerTold,
)
from lotus.trading.executor import begin
from lotus.trading.order_machine import Purpose
from lotus.trading.orders import OrderGrouping, OrderState, Side, TimeInForce, VenueFill
from lotus.trading.plan import Condition, ConditionKind

D = Decimal
BOTH = pytest.mark.parametrize("side", list(Side))


def desk_of(side: Side = Side.BUY, **changes: Any) -> Desk:
    """Return a desk with a fresh execution and a healthy venue."""
    return Desk(begin(plan(side, **changes), BTC, "model", 0), ModelVenue())


def settle(desk: Desk, ms: int = 300) -> Desk:
    """Let a little time pass with everything delivered."""
    for _ in range(ms // 100):
        desk.wait(100)
        desk.deliver_all()
    return desk


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


def test_a_stop_that_the_venue_does_not_fire_is_executed_by_hand() -> None:
    desk = settle(desk_of())
    desk.venue.mark = D(98_900)  # the venue's trigger stays silent
    settle(desk, 1_000)
    assert desk.state.phase is Phase.HOLDING
    settle(desk, 1_500)
    assert (desk.state.ending, desk.venue.position) == (Ending.STOP, 0)


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


def test_an_adopted_entry_is_not_sent_again() -> None:
    desk = desk_of(strategy="limit", entry_px=D(99_900))
    settle(desk)
    desk.state = begin(plan(strategy="limit", entry_px=D(99_900)), BTC, "model", 0)
    desk.feed(desk.snapshot())
    settle(desk, 1_000)  # the model venue fails the test when a name is sent twice
    assert states(desk, Purpose.ENTRY) == [OrderState.RESTING]
    assert desk.state.phase is Phase.ENTERING


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
def test_a_ceiling_before_the_entry_caps_it(side: Side) -> None:
    desk = desk_of(side)
    desk.feed(Steer(D("0.003")))
    assert desk.state.will_hold == D("0.003")
    settle(desk)
    assert (desk.state.held, desk.state.will_hold) == (D("0.003"), D("0.003"))
    (entry,) = desk.state.of(Purpose.ENTRY)
    assert entry.order.size == D("0.003")


@BOTH
def test_too_little_above_the_ceiling_is_not_worth_an_order(side: Side) -> None:
    desk = settle(desk_of(side))
    desk.feed(Steer(D("0.00995")))
    settle(desk, 600)
    assert desk.state.held == D("0.01")
    assert not states(desk, Purpose.EXIT)


def test_an_exit_time_moves_on_and_never_back() -> None:
    desk = settle(desk_of(exit_at_ms=1_000))
    desk.feed(Steer(exit_at_ms=5_000))
    desk.feed(Steer(exit_at_ms=2_000))
    settle(desk, 3_000)
    assert desk.state.phase is Phase.HOLDING
    settle(desk, 3_000)
    assert desk.state.done
    assert desk.state.ending is Ending.TIME
