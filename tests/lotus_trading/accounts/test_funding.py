"""Funding of a plan is its part of what the account paid, by what it held at that hour."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from trading_plans import BTC, plan

from lotus.trading.accounts.funding import held_at, shares
from lotus.trading.execution.executor import begin
from lotus.trading.execution.orders import FundingPayment, Side, VenueFill
from lotus.trading.execution.state import ExecutionState

D = Decimal
HOUR_MS = 3_600_000


def fill(name: str, time_ms: int, size: Decimal, side: Side = Side.BUY) -> VenueFill:
    return VenueFill(name, "", 1, "BTC", side, size, D(100_000), D(0), True, time_ms)


def execution(fills: list[VenueFill], *payments: FundingPayment) -> ExecutionState:
    """Return an execution with these fills and payments."""
    paid = {(p.coin, p.time_ms): p for p in payments}
    return replace(begin(plan(), BTC, "model", 0), foreign={f.fill_id: f for f in fills}, funding=paid)


def payment(time_ms: int, usd: str, size: str) -> FundingPayment:
    return FundingPayment("BTC", D(usd), D(size), D("0.0001"), time_ms)


def test_what_was_held_counts_fills_up_to_and_at_the_hour() -> None:
    state = execution([fill("a", 100, D("0.3")), fill("b", 200, D("0.1"), Side.SELL)])
    assert [held_at(state, ms) for ms in (99, 100, 199, 200)] == [D(0), D("0.3"), D("0.3"), D("0.2")]


def test_a_plan_bears_its_share_of_the_position_of_the_account() -> None:
    state = execution([fill("a", 100, D("0.5"))], payment(HOUR_MS, "8", "2"))
    assert shares(state) == (payment(HOUR_MS, "2", "0.5"),)


def test_an_hour_at_which_nothing_was_held_is_left_out_and_the_rest_is_in_order_of_time() -> None:
    later, first, before = payment(2 * HOUR_MS, "1", "1"), payment(HOUR_MS, "3", "1"), payment(50, "5", "1")
    state = execution([fill("a", 100, D(1))], later, first, before)
    assert shares(state) == (first, later)


def test_a_payment_without_a_position_is_borne_whole() -> None:
    told = payment(HOUR_MS, "3", "0")
    assert shares(execution([fill("a", 100, D(1))], told)) == (told,)


@settings(deadline=None)
@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=5), st.integers(-10_000, 10_000))
def test_the_shares_of_all_plans_of_an_account_add_up_to_what_it_paid(lots: list[int], cents: int) -> None:
    position = sum(lots)
    told = FundingPayment("BTC", D(cents) * position, D(position), D(0), HOUR_MS)
    parts = [shares(execution([fill("a", 1, D(n))], told))[0] for n in lots]
    assert sum((part.usd for part in parts), D(0)) == told.usd
    assert sum((part.size for part in parts), D(0)) == told.size
