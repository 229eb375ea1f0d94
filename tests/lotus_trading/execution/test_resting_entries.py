"""Entries at rest: pegs, re-pegs and their limits, refusals of post-only orders, fallbacks, slices, restarts."""

from decimal import Decimal
from typing import Any

import pytest
from trading_plans import BTC, plan
from trading_venue import Desk, ModelVenue

from lotus.detectors.entry_style import MOST_REPEGS, EntryStyle, Fallback
from lotus.trading.execution.events import Close, Command, Halt, Place
from lotus.trading.execution.executor import begin
from lotus.trading.execution.order_machine import Purpose, TrackedOrder
from lotus.trading.execution.orders import OrderState, Side, TimeInForce
from lotus.trading.execution.report import report
from lotus.trading.execution.state import Ending, Phase
from lotus.trading.execution.void import void_of
from lotus.trading.plan.styles import Styles

from ..desks import settle

D = Decimal
BOTH = pytest.mark.parametrize("side", list(Side))
JOIN = Styles(EntryStyle.JOIN)
SKIP = Styles(EntryStyle.JOIN, Fallback.SKIP)


def desk_of(side: Side = Side.BUY, styles: Styles = JOIN, **changes: Any) -> Desk:
    """Return a desk whose entry rests 5 s at most."""
    wanted = {"take_profit_px": None, "rest_ms": 5_000, "valid_until_ms": 5_000} | changes
    return Desk(begin(plan(side, styles=styles, **wanted), BTC, "model", 0), ModelVenue())


def entries(desk: Desk) -> list[TrackedOrder]:
    """Return the entries, oldest first."""
    return list(desk.state.of(Purpose.ENTRY))


def away(desk: Desk, side: Side, usd: int) -> None:
    """Move the market so far away from a side's order at rest."""
    desk.venue.move(desk.venue.mark + int(side) * usd)


@BOTH
def test_a_join_rests_post_only_at_the_own_best_with_its_stop_and_fills_as_the_market_comes(side: Side) -> None:
    desk = desk_of(side)
    sent: list[Command] = []
    desk.on_command = sent.append
    settle(desk)
    (place,) = [c for c in sent if isinstance(c, Place)]
    entry, stop = place.orders
    assert (entry.tif, entry.limit_px, entry.size) == (TimeInForce.ALO, D(100_000) - int(side), D("0.01"))
    assert stop.trigger is not None
    assert (desk.state.held, desk.state.phase) == (0, Phase.ENTERING)
    away(desk, side, -2)
    settle(desk, 600)
    assert (desk.state.held, desk.state.phase, desk.state.entry_ending) == (D("0.01"), Phase.HOLDING, Ending.NONE)
    assert desk.venue.protected == D("0.01")


@BOTH
def test_an_order_follows_a_moving_best_no_sooner_than_half_a_second(side: Side) -> None:
    desk = settle(desk_of(side))
    away(desk, side, 10)
    settle(desk, 100)
    assert len(entries(desk)) == 1
    settle(desk, 300)
    first, second = entries(desk)
    assert (first.state, second.state) == (OrderState.CANCELED, OrderState.RESTING)
    assert second.order.limit_px == first.order.limit_px + 10 * int(side)
    assert second.sent_ms - first.sent_ms >= 500


def test_the_report_tells_styles_and_re_pegs_where_something_rested() -> None:
    desk = settle(desk_of())
    away(desk, Side.BUY, 10)
    settle(desk, 500)
    assert report(desk.state, desk.now_ms, "venue")["styles"] == {
        "entry": "join",
        "fallback": "cross",
        "exit": "cross",
        "repegs": 1,
    }


@BOTH
def test_a_join_that_waited_crosses_for_what_is_missing(side: Side) -> None:
    desk = settle(desk_of(side))
    desk.venue.share = D("0.3")
    away(desk, side, -2)
    desk.venue.share = D(1)
    away(desk, side, 2)
    settle(desk, 4_500)
    assert desk.state.held == D("0.003")
    assert desk.venue.protected == D("0.003"), "what is filled is protected while the rest waits"
    settle(desk, 500)
    assert (desk.state.held, desk.state.entry_ending) == (D("0.01"), Ending.NONE)
    last = entries(desk)[-1]
    assert (last.order.tif, last.order.size) == (TimeInForce.IOC, D("0.007"))
    assert sum(t.filled for t in desk.venue.orders.values() if not t.order.reduce_only) == D("0.01")


@BOTH
def test_a_join_that_may_not_cross_stays_unfilled_and_is_no_fault_of_the_machine(side: Side) -> None:
    desk = settle(desk_of(side, SKIP), 6_000)
    assert (desk.state.done, desk.state.entered, desk.state.entry_ending) == (True, 0, Ending.EXPIRED)
    assert (void_of(desk.state), desk.venue.open_orders()) == ("", ())


def test_what_is_filled_before_a_skip_is_kept() -> None:
    desk = settle(desk_of(styles=SKIP))
    desk.venue.share = D("0.3")
    away(desk, Side.BUY, -2)
    settle(desk, 6_000)
    assert (desk.state.phase, desk.state.held, desk.venue.protected) == (Phase.HOLDING, D("0.003"), D("0.003"))


def test_a_refused_post_only_order_is_priced_anew_and_counts_as_a_re_peg() -> None:
    desk = desk_of()
    desk.venue.mark = D(99_990)
    desk.now_ms = 10
    desk.state = begin(desk.state.plan, BTC, "model", 0)
    stale = desk.look()
    desk.venue.mark = D(99_980)  # the market comes to the price while the order is on its way
    desk.feed(stale)
    assert [(o.state, o.would_cross) for o in entries(desk)] == [(OrderState.REJECTED, True)]
    settle(desk, 400)
    assert len(entries(desk)) == 1
    settle(desk, 300)
    assert [o.state for o in entries(desk)] == [OrderState.REJECTED, OrderState.RESTING]
    assert entries(desk)[1].order.limit_px == D(99_979)


def test_another_refusal_ends_the_entry() -> None:
    desk = desk_of()
    desk.venue.refuse_entries = True
    settle(desk, 2_000)
    assert (desk.state.done, desk.state.entry_ending) == (True, Ending.REFUSED_BY_VENUE)
    assert len(entries(desk)) == 1


def test_an_order_that_the_venue_takes_away_ends_the_entry() -> None:
    desk = settle(desk_of())
    desk.venue.cancel(entries(desk)[0].client_id)
    settle(desk)
    assert (desk.state.done, desk.state.entry_ending) == (True, Ending.REFUSED_BY_VENUE)


def test_re_pegs_are_counted_and_the_last_order_waits_for_the_end() -> None:
    desk = settle(desk_of(rest_ms=30_000, valid_until_ms=30_000))
    for _ in range(MOST_REPEGS + 5):
        away(desk, Side.BUY, 10)
        settle(desk, 700)
    assert len(entries(desk)) == 1 + MOST_REPEGS
    assert entries(desk)[-1].state is OrderState.RESTING
    settle(desk, 14_000)
    assert (desk.state.held, len(entries(desk))) == (D("0.01"), 2 + MOST_REPEGS)


@pytest.mark.parametrize("event", [Halt(), Halt(flatten=True), Close()])
def test_a_halt_or_an_order_to_leave_cancels_what_rests(event: Halt | Close) -> None:
    desk = settle(desk_of())
    desk.feed(event)
    settle(desk)
    assert (desk.state.done, desk.venue.open_orders()) == (True, ())
    assert [o.state for o in entries(desk)] == [OrderState.CANCELED]


def test_beyond_its_stop_nothing_is_entered() -> None:
    desk = settle(desk_of())
    desk.venue.share = D(0)
    away(desk, Side.BUY, -1_500)
    settle(desk)
    assert (desk.state.done, desk.state.entry_ending) == (True, Ending.STOP)


def test_a_lost_cancel_is_repeated_and_nothing_crosses_before_its_answer() -> None:
    desk = settle(desk_of(), 4_900)
    desk.lose_request = desk.deaf = True
    settle(desk, 900)
    assert [o.state for o in entries(desk)] == [OrderState.RESTING]
    desk.lose_request = desk.deaf = False
    settle(desk, 1_000)
    assert (desk.state.held, desk.venue.position) == (D("0.01"), D("0.01"))


def test_a_cancel_that_is_never_answered_ends_the_entry_without_crossing() -> None:
    desk = settle(desk_of(), 4_900)
    desk.lose_request = desk.deaf = True
    settle(desk, 3_000)
    assert desk.state.entry_ending is Ending.EXPIRED
    desk.lose_request = desk.deaf = False
    settle(desk, 2_000)
    assert (desk.state.done, desk.venue.position, len(entries(desk))) == (True, 0, 1)


def killed_while_it_moves(after: int) -> Desk:
    """Return a desk that died before, or after, the cancel of an order whose best moved, and lives again."""
    desk = settle(desk_of())
    away(desk, Side.BUY, 10)
    desk.dies_in = after
    settle(desk, 500)
    desk.restart()
    return settle(desk, 6_000)


def test_a_kill_before_a_cancel_is_sent_doubles_nothing_and_the_entry_goes_on() -> None:
    desk = killed_while_it_moves(0)
    assert (desk.state.held, desk.venue.position) == (D("0.01"), D("0.01"))
    assert desk.state.entry_ending is Ending.NONE


def test_a_kill_before_a_re_peg_is_sent_ends_the_entry_for_nobody_sends_it_again() -> None:
    desk = killed_while_it_moves(1)
    assert (desk.state.done, desk.venue.position, desk.venue.open_orders()) == (True, 0, ())
    assert [o.state for o in entries(desk)] == [OrderState.CANCELED, OrderState.NEVER_PLACED]


@pytest.mark.parametrize("strategy", ["twap", "iceberg"])
@pytest.mark.parametrize("fallback", list(Fallback))
def test_slices_rest_each_for_itself(strategy: str, fallback: Fallback) -> None:
    changes = {"twap": {"duration_ms": 6_000}, "iceberg": {"entry_px": D(100_500)}}[strategy]
    styles = Styles(EntryStyle.IMPROVE, fallback)
    desk = desk_of(strategy=strategy, slices=3, rest_ms=2_000, valid_until_ms=9_000, styles=styles, **changes)
    settle(desk, 1_500)
    assert len([o for o in entries(desk) if o.state is OrderState.RESTING]) == 1
    away(desk, Side.BUY, -2)
    away(desk, Side.BUY, 2)
    first = desk.state.slices[0].size
    settle(desk, 9_000)
    assert desk.state.held == (D("0.01") if fallback is Fallback.CROSS else first)
    ending = Ending.NONE if fallback is Fallback.CROSS else Ending.EXPIRED
    assert (desk.state.phase, desk.state.entry_ending) == (Phase.HOLDING, ending)
    sizes = {o.index for o in entries(desk)}
    assert len(sizes) == len(entries(desk))
    assert max(sizes) < 64, "every order has one of the names that a plan's orders can have"


def test_orders_that_the_store_lost_are_taken_up_by_their_names() -> None:
    desk = settle(desk_of())
    lost = desk.state.plan
    desk.state = begin(lost, BTC, "model", 0)
    desk.feed(desk.snapshot())
    settle(desk, 400)
    assert len([t for t in desk.venue.orders.values() if not t.order.reduce_only]) == 1
    away(desk, Side.BUY, -2)
    settle(desk)
    assert desk.state.held == D("0.01")
