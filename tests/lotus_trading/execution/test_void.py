"""What our own machine prevented is void; what the venue said of a plan, or its own conditions, is not."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from trading_plans import BTC, plan
from trading_venue import Desk, ModelVenue

from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.events import Halt
from lotus.trading.execution.executor import begin, step
from lotus.trading.execution.order_machine import Purpose
from lotus.trading.execution.orders import OrderState, OrderUpdate, Side
from lotus.trading.execution.report import report
from lotus.trading.execution.state import Ending, Entering, ExecutionState
from lotus.trading.execution.void import NEVER_SENT, OWN_MACHINE, void_of, void_of_refusals
from lotus.trading.plan.refusals import Refusal, RefusalReason

VIEW = MarketView("BTC", 0, Decimal(99_999), Decimal(100_001), Decimal(100_000))


def sent(entry: OrderState) -> ExecutionState:
    """Return an execution whose entry was sent and ended so."""
    state, _ = step(begin(plan(Side.BUY), BTC, "model", 0), VIEW, 0)
    (name,) = [o.client_id for o in state.of(Purpose.ENTRY)]
    for client_id in state.orders:
        told = entry if client_id == name else OrderState.NEVER_PLACED
        state, _ = step(state, OrderUpdate(client_id, told, 10), 10)
    return state


def test_an_entry_that_never_left_is_void_and_no_failure_of_the_venue() -> None:
    state = sent(OrderState.NEVER_PLACED)
    assert (state.entered, state.done, void_of(state)) == (0, True, NEVER_SENT)
    assert report(state, 10, "venue")["status"] == "cancelled"


@pytest.mark.parametrize("told", [OrderState.REJECTED, OrderState.CANCELED])
def test_what_the_venue_refused_or_left_unfilled_is_no_void(told: OrderState) -> None:
    state = sent(told)
    assert (state.entered, void_of(state)) == (0, "")
    late, _ = step(state, Halt(), 20)
    assert void_of(late) == "", "nothing is void after its outcome is known"


def test_a_filled_plan_is_never_void() -> None:
    desk = Desk(begin(plan(Side.BUY), BTC, "model", 0), ModelVenue())
    desk.wait(100)
    desk.deliver_all()
    assert desk.state.entered
    assert void_of(replace(desk.state, entry_ending=Ending.HALTED, entering=Entering.CLOSED)) == ""


def test_a_plan_that_saw_no_market_in_time_or_was_halted_is_void() -> None:
    blank = begin(plan(Side.BUY), BTC, "model", 0)
    late, _ = step(blank, replace(VIEW, time_ms=blank.plan.valid_until_ms), blank.plan.valid_until_ms)
    assert void_of(late) == "expired"
    assert void_of(step(blank, Halt(), 1)[0]) == "halted"


def test_a_trigger_that_did_not_fire_is_the_markets_word() -> None:
    waits = begin(replace(plan(Side.BUY), trigger="spread_bps < 1"), BTC, "model", 0)
    late, _ = step(waits, VIEW, waits.plan.valid_until_ms)
    assert (late.entry_ending, void_of(late)) == (Ending.EXPIRED, "")


def test_a_refusal_is_void_when_only_our_machine_stood_in_the_way() -> None:
    def refused(*reasons: RefusalReason) -> str:
        return void_of_refusals([Refusal(reason, "a", "b") for reason in reasons])

    assert refused() == ""
    for reason in RefusalReason:
        assert refused(reason) == (reason.value if reason in OWN_MACHINE else "")
    assert refused(RefusalReason.STALE_DATA, RefusalReason.EXPIRED) == "stale_data"
    assert refused(RefusalReason.EXPIRED, RefusalReason.CURATORS) == ""


def test_the_page_sorts_every_cause_as_the_code_does() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "concepts" / "trading.md").read_text(encoding="utf-8")
    cells = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    refused = {row[0].strip("`"): row[2] for row in cells if row[1] == "refused plan"}
    assert refused == {reason.value: "void" if reason in OWN_MACHINE else "zero" for reason in RefusalReason}
    ended = {row[0].strip("`"): row[2].split()[0].strip(";") for row in cells if row[1] == "plan without a fill"}
    blank = begin(plan(Side.BUY), BTC, "model", 0)
    closed = {end: replace(blank, entry_ending=end, entering=Entering.CLOSED) for end in Ending if end}
    assert ended == {end.value: "void" if void_of(state) else "zero" for end, state in closed.items()}
