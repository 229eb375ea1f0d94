"""The plans that a desk remembers: whose an order is, and when a plan is forgotten."""

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from lotus.trading.execution.orders import OrderState, OrderUpdate, Side, VenueFill
from lotus_desk.execution.run_table import LINGER_MS, RunTable, unwritten_fills

FILL = VenueFill("f", "o", 1, "BTC", Side.BUY, Decimal(1), Decimal(2), Decimal(0), True, 5)


def run(name: str, client_id: str, side: int = 1, account: str = "book", venue: str = "local") -> Any:
    """Return a plan with one order and two coins held."""
    plan = SimpleNamespace(size=Decimal(3), side=side)
    order = SimpleNamespace(fills={}, sent_ms=7)
    state = SimpleNamespace(
        orders={client_id: order}, plan=plan, arrival_px=Decimal(10), held=Decimal(2), will_hold=Decimal(0)
    )
    row = SimpleNamespace(plan_id=name, kind="book", coin="BTC", venue=venue)
    return SimpleNamespace(
        row=row, state=state, account=account, venue=account, done_ms=None, delta=lambda: SimpleNamespace(fills=[FILL])
    )


def table(*runs: Any) -> RunTable:
    """Return a table of these plans."""
    out = RunTable()
    for one in runs:
        out.add(one)
    return out


def test_an_event_goes_to_the_plan_whose_order_it_is_of_but_for_a_fill_that_the_plan_has() -> None:
    mine = run("p", "o")
    made = table(mine, run("q", "x"))
    assert made.owner_of(FILL) == "p"
    assert made.owner_of(OrderUpdate("x", OrderState.RESTING, 5)) == "q"
    assert made.owner_of(OrderUpdate("nobody's", OrderState.RESTING, 5)) is None
    mine.state.orders["o"].fills["f"] = FILL
    assert made.owner_of(FILL) is None
    assert made.owner_of(replace(FILL, px=Decimal(3))) == "p", "a fill that says something else is news"


def test_a_plan_is_forgotten_a_while_after_its_end_and_its_orders_with_it() -> None:
    over = run("p", "o")
    made = table(over, run("q", "x"))
    over.done_ms = 100
    assert made.retire(100 + LINGER_MS) == []
    assert made.retire(101 + LINGER_MS) == ["p"]
    assert (list(made.runs), made.owner_of(FILL)) == (["q"], None)


def test_sums_are_signed_by_account_and_coin_and_what_is_nothing_is_left_out() -> None:
    made = table(run("p", "o"), run("q", "x", side=-1, account="other"), run("r", "y"))
    held, will_hold = made.book_sizes()
    assert (held, will_hold) == ({"book": {"BTC": Decimal(4)}, "other": {"BTC": Decimal(-2)}}, {})
    assert made.used_usd(["book", "other"]) == {"book": Decimal(60), "other": Decimal(30)}
    assert (made.first_sent_ms(), RunTable().first_sent_ms()) == (7, None)


def test_a_fill_is_written_once_at_its_venue() -> None:
    """Two venues may give two fills one name."""
    runs = {"p": run("p", "o"), "q": run("q", "x"), "r": run("r", "y", venue="local-2")}
    events = [("p", FILL), ("q", "another event"), ("forgotten", FILL)]
    assert unwritten_fills(runs, events) == {"local": [FILL], "local-2": [FILL]}
