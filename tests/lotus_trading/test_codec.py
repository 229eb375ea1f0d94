"""Plans and executions survive JSON unchanged; what is no plan is an error that names the member."""

import json
from decimal import Decimal

import pytest
from trading_plans import BTC, plan
from trading_venue import Desk, ModelVenue

from lotus.errors import MessageError
from lotus.trading.codec import plan_from_json, plan_to_json, state_from_json, state_to_json
from lotus.trading.execution_events import Close, ForeignFill, Halt
from lotus.trading.executor import begin
from lotus.trading.orders import FundingPayment, Side, VenueFill
from lotus.trading.plan import Condition, ConditionKind, Plan

D = Decimal
PLANS = [
    plan(),
    plan(Side.SELL, strategy="limit", entry_px=D("100000.5"), post_only=True, exit_at_ms=9, notes="é"),
    plan(entry_when=(Condition(ConditionKind.VOLUME_SPIKE, D("2.50")),), take_profit_px=None, stop_px=None),
]


@pytest.mark.parametrize("made", PLANS)
def test_a_plan_survives(made: Plan) -> None:
    again = plan_from_json(plan_to_json(made))
    assert again == made
    assert str(again.size) == str(made.size)
    assert json.loads(plan_to_json(made))["size"] == "0.01"


def test_what_is_no_plan_is_an_error_with_its_member() -> None:
    members = json.loads(plan_to_json(plan()))
    for change, said in (({"side": 2}, "side"), ({"size": "much"}, "size"), ({"limits": None}, "limits")):
        with pytest.raises(MessageError, match=said):
            plan_from_json(json.dumps(members | change))
    del members["plan_id"]
    with pytest.raises(MessageError, match="plan_id"):
        plan_from_json(json.dumps(members))


def test_an_execution_survives_at_every_point_of_its_life() -> None:
    desk = Desk(begin(plan(strategy="twap", slices=3, duration_ms=1_000), BTC, "model", 0), ModelVenue())
    desk.on_command = lambda _: check(desk)
    for k in range(12):
        desk.wait(100)
        if k % 2:
            desk.deliver_all()
    desk.feed(FundingPayment("BTC", D("0.1"), D("0.01"), D("0.0001"), 7))
    desk.feed(ForeignFill(VenueFill("x", "", 1, "BTC", Side.SELL, D("0.001"), D(1), D("-0.1"), False, 3)))
    check(desk)
    desk.feed(Halt())
    desk.feed(Close())
    desk.calm(3_000)
    check(desk)
    assert desk.state.alarms or desk.state.done


def check(desk: Desk) -> None:
    """Store and restore."""
    again = state_from_json(state_to_json(desk.state))
    assert again == desk.state
    assert again.held == desk.state.held


def test_a_state_of_another_release_is_refused() -> None:
    members = json.loads(state_to_json(begin(plan(), BTC, "model", 0)))
    with pytest.raises(MessageError, match="another one"):
        state_from_json(json.dumps(members | {"mood": 1}))
