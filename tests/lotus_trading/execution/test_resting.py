"""While a plan rests a newer market changes nothing of it but its view, and most of its life it rests."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trading_plans import BTC, plan
from trading_venue import Desk, ModelVenue

from lotus.trading.execution.conditions import passed
from lotus.trading.execution.executor import begin, step
from lotus.trading.execution.orders import Side
from lotus.trading.execution.resting import rests_until
from lotus.trading.execution.state import ExecutionState
from lotus.trading.plan.plan import Condition, ConditionKind

from ..desks import settle

D = Decimal
Turns = st.sampled_from(["wait", "move", "lose", "deaf", "late", "cut"])
Moves = st.lists(st.tuples(Turns, st.integers(-1_200, 1_200)))


def desk_of(side: Side = Side.BUY) -> Desk:
    return Desk(begin(plan(side, take_profit_px=None, exit_at_ms=20_000), BTC, "model", 0), ModelVenue())


def check(desk: Desk) -> bool:
    """Check the law at this moment; return whether the plan rests."""
    before, until_ms, look = desk.state, rests_until(desk.state), desk.look()
    stop_px = before.plan.stop_px
    assert stop_px is not None
    if until_ms is None or desk.now_ms > until_ms or passed(stop_px, before.plan.exit_side, look):
        return False
    for at_ms in {desk.now_ms, until_ms}:
        after, commands = step(before, replace(look, time_ms=at_ms), at_ms)
        assert (after, commands) == (replace(before, view=after.view), ())
    return True


@given(side=st.sampled_from(list(Side)), moves=Moves)
def test_a_market_of_a_plan_that_rests_changes_its_view_alone(side: Side, moves: list[tuple[str, int]]) -> None:
    desk = settle(desk_of(side))
    for what, by in moves:
        desk.lose_answer, desk.deaf = what == "lose", what == "deaf"
        if what == "move":
            desk.venue.move(D(100_000 + by))
        if what == "cut":
            desk.state = replace(desk.state, ceiling=D("0.004"))
        desk.wait(100 if what == "late" else 700)
        check(desk)
        if what != "late":
            desk.deliver_all()
        check(desk)


def test_a_position_behind_its_stop_rests_until_its_stop_is_to_be_asked_for() -> None:
    desk = settle(desk_of(), 1_000)
    assert desk.state.held == D("0.01")
    assert check(desk)
    (stop,) = (order for order in desk.state.orders.values() if not order.state.is_final)
    assert rests_until(desk.state) == (stop.seen_ms or 0) + desk.state.safety.confirm_ms


def test_it_rests_no_longer_than_its_exit_time() -> None:
    desk = settle(desk_of(), 1_000)
    assert rests_until(replace(desk.state, exit_at_ms=desk.now_ms + 1)) == desk.now_ms


def _with(state: ExecutionState, **changes: object) -> ExecutionState:
    return replace(state, plan=replace(state.plan, **changes))


@pytest.mark.parametrize("what", ["fresh", "take-profit", "condition", "ceiling", "bare", "done"])
def test_whoever_watches_the_market_does_not_rest(what: str) -> None:
    state = settle(desk_of(), 1_000).state
    exits = (Condition(ConditionKind.PRICE_ABOVE, D(200_000)),)
    busy = {
        "fresh": desk_of().state,
        "take-profit": _with(state, take_profit_px=D(102_000)),
        "condition": _with(state, exit_when=exits),
        "ceiling": replace(state, ceiling=D("0.004")),
        "bare": replace(state, bare_since_ms=5),
        "done": replace(state, done=True),
    }
    assert rests_until(state) == rests_until(replace(state, ceiling=D("0.01")))
    assert rests_until(state) is not None
    assert rests_until(busy[what]) is None
