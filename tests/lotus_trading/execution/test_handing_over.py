"""Plans of one account that took from one another: fills move between them and sum to nothing."""

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from trading_plans import BTC, plan

from lotus.trading.execution.events import ForeignFill
from lotus.trading.execution.executor import begin, step
from lotus.trading.execution.handing_over import handed_over, written_off
from lotus.trading.execution.orders import Side, VenueFill
from lotus.trading.execution.state import ExecutionState
from lotus.trading.plan.plan import PlanId

D = Decimal


def holder(name: str, lots: Sequence[int], side: Side = Side.BUY, coin: str = "BTC") -> ExecutionState:
    """Return a plan that filled some lots of 0.001 one after the other, positive in its own direction."""
    state = begin(plan(side, plan_id=PlanId(name), coin=coin), BTC, "local", 0)
    for k, n in enumerate(lots):
        way = side if n > 0 else side.opposite
        fill = VenueFill(f"{name}{k}", "", k, coin, way, D(abs(n)) / 1000, D(100_000 + k), D("0.1"), True, k)
        state, _ = step(state, ForeignFill(fill), k)
    return state


def settled(states: Sequence[ExecutionState]) -> dict[str, Decimal]:
    """Return what each plan holds after the fills that are handed over."""
    by_name = {str(s.plan.plan_id): s for s in states}
    for plan_id, fill in handed_over(states):
        by_name[str(plan_id)], _ = step(by_name[str(plan_id)], ForeignFill(fill), 1_000)
    return {name: s.held for name, s in by_name.items()}


def test_what_one_sold_twice_is_given_to_those_from_whom_it_took() -> None:
    states = [holder("a", [494, -494, -494]), holder("b", [493]), holder("c", [495, -494])]
    fills = handed_over(states)
    assert [(str(p), f.side, f.size, f.px, f.fee_usd) for p, f in fills] == [
        ("b", Side.SELL, D("0.493"), D(100_002), 0), ("a", Side.BUY, D("0.493"), D(100_002), 0),
        ("c", Side.SELL, D("0.001"), D(100_002), 0), ("a", Side.BUY, D("0.001"), D(100_002), 0),
    ]  # fmt: skip
    assert len({f.fill_id for _, f in fills}) == 4
    assert handed_over(states) == fills, "the same pair is the same fills"
    assert set(settled(states).values()) == {D(0)}


def test_nothing_moves_between_coins_or_directions_or_when_all_stand_on_their_side() -> None:
    assert handed_over([holder("a", [5]), holder("b", [5])]) == []
    assert handed_over([holder("a", [5, -9]), holder("b", [5], coin="ETH"), holder("c", [5], Side.SELL)]) == []


@given(st.lists(st.lists(st.integers(-9, 9).filter(bool), min_size=1, max_size=3), min_size=1, max_size=5))
def test_the_account_stays_what_it_is_and_nobody_is_left_against_its_side_while_another_holds(
    lots: list[list[int]],
) -> None:
    states = [holder(f"p{k}", some) for k, some in enumerate(lots)]
    before = [s.held for s in states]
    after = list(settled(states).values())
    assert sum(after) == sum(before)
    assert min(after) >= 0 or max(after) <= 0
    assert all(abs(b) <= abs(a) for a, b in zip(before, after, strict=True))


def test_what_is_gone_is_written_off_the_plans_that_hold_it_and_off_no_other() -> None:
    states = [holder("a", [5]), holder("b", [3], Side.SELL), holder("c", [4]), holder("d", [9], coin="ETH")]
    fills = written_off(states, "BTC", D("-0.007"), D(99_000), 7)
    assert [(str(p), f.side, f.size, f.px, f.fee_usd) for p, f in fills] == [
        ("a", Side.SELL, D("0.005"), D(99_000), 0), ("c", Side.SELL, D("0.002"), D(99_000), 0),
    ]  # fmt: skip
    assert written_off(states, "BTC", D("-0.007"), D(99_000), 7) == fills, "the same loss is the same fills"
    assert [(str(p), f.size) for p, f in written_off(states, "BTC", D("0.1"), D(99_000), 7)] == [("b", D("0.003"))]
    (flipped,) = written_off([holder("a", [5, -9])], "BTC", D("0.004"), D(99_000), 7)
    assert (flipped[1].side, flipped[1].size) == (Side.BUY, D("0.004"))
