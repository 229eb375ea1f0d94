"""Every reason of refusal is found where it should be and nowhere else; a plan with several faults lists them all."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trading_plans import BTC, plan, view

from lotus.trading.execution.orders import Side
from lotus.trading.plan.validate import AccountState, refusals

from ..faulty_plans import FAULTS, D, R

BOTH = pytest.mark.parametrize("side", list(Side))


AT = AccountState(
    now_ms=1_000,
    venue="paper",
    account="main",
    executor="tr",
    release="r1",
    universe={"BTC": BTC},
    view=view(1_000),
    equity_usd=D(2_000),
    free_margin_usd=D(2_000),
    leverage=3,
    coin_max_leverage=40,
)


CASES = [(reason, *case) for reason, cases in FAULTS.items() for case in cases]


@BOTH
@pytest.mark.parametrize("strategy", ["market", "limit", "twap", "iceberg"])
def test_a_sound_plan_has_no_fault(side: Side, strategy: str) -> None:
    entry = D(100_000 - 10 * int(side)) if strategy in ("limit", "iceberg") else None
    made = plan(side, strategy=strategy, entry_px=entry, duration_ms=5_000, slices=3)
    assert refusals(made, AT) == ()


@pytest.mark.parametrize(("reason", "changes", "at"), CASES)
def test_one_fault_is_that_reason_alone(reason: R, changes: dict[str, Any], at: dict[str, Any]) -> None:
    found = refusals(plan(**changes), replace(AT, **at))
    assert {r.reason for r in found} == {reason}
    assert all(r.found and r.expected and r.reason.value in str(r) for r in found)


def test_a_short_is_judged_the_other_way_round() -> None:
    assert {r.reason for r in refusals(plan(Side.SELL, stop_px=D(99_000)), AT)} == {R.STOP_WRONG_SIDE}
    assert {r.reason for r in refusals(plan(Side.SELL, take_profit_px=D(101_000), risk_reward=None), AT)} == {
        R.TAKE_PROFIT_WRONG_SIDE
    }
    far = plan(Side.SELL, stop_px=D(150_000), risk_reward=None)
    assert {r.reason for r in refusals(far, replace(AT, is_cross=False))} == {R.STOP_BEYOND_LIQUIDATION}
    assert {r.reason for r in refusals(plan(Side.SELL), replace(AT, position=D(1)))} == {R.OPPOSITE_POSITION}


def test_a_limit_entry_is_judged_by_its_own_price_and_the_mark() -> None:
    resting = plan(strategy="limit", entry_px=D(98_000), risk_reward=None)
    assert {r.reason for r in refusals(resting, AT)} == {R.STOP_WRONG_SIDE}
    passed = plan(strategy="limit", entry_px=D(99_500), risk_reward=None)
    assert {r.reason for r in refusals(passed, replace(AT, view=view(1_000, mark=98_500)))} == {R.STOP_WRONG_SIDE}


SINGLE = [c for c in CASES if c[0] not in (R.UNKNOWN_STRATEGY, R.BAD_STRATEGY, R.STOP_BEYOND_LIQUIDATION)]


@given(st.lists(st.sampled_from(SINGLE), min_size=2, max_size=6))
def test_a_plan_with_several_faults_lists_all_of_them(cases: list[tuple[R, dict[str, Any], dict[str, Any]]]) -> None:
    """Faults of different fields, each alone a fault, are all there together; none hides another."""
    changes: dict[str, Any] = {}
    at: dict[str, Any] = {}
    wanted = set()
    for reason, of_plan, of_situation in cases:
        if set(of_plan) & set(changes) or set(of_situation) & set(at) or _hidden(reason, changes, at):
            continue
        if any(_hidden(r, of_plan, of_situation) for r in wanted):
            continue
        changes |= of_plan
        at |= of_situation
        wanted.add(reason)
    found = {r.reason for r in refusals(plan(**changes), replace(AT, **at))}
    assert wanted <= found


def _hidden(reason: R, changes: dict[str, Any], at: dict[str, Any]) -> bool:
    """Tell whether changes take away the number, market or coin without which a reason means nothing."""
    needs_px = {R.TOO_SMALL, R.TOO_LARGE, R.AUTHORITY_EXCEEDED, R.STOP_WRONG_SIDE, R.TAKE_PROFIT_WRONG_SIDE}
    needs_px |= {R.BAD_RISK_REWARD, R.OFF_LOT, R.OFF_TICK}
    gone = {"size", "stop_px", "take_profit_px", "limits", "authority", "risk_reward"} & set(changes)
    return reason in needs_px and bool(gone or {"view", "universe", "position"} & set(at))


def test_five_faults_at_once() -> None:
    bad = plan(
        size=D("0.5000001"), stop_px=D("101000.5"), strategy="vwap", release="r0", valid_until_ms=10, venues=("x",)
    )
    found = [r.reason for r in refusals(bad, replace(AT, halted=True, executor="hand"))]
    assert set(found) == {
        R.EXPIRED,
        R.UNKNOWN_STRATEGY,
        R.OFF_TICK,
        R.OFF_LOT,
        R.TOO_LARGE,
        R.STOP_WRONG_SIDE,
        R.AUTHORITY_EXCEEDED,
        R.VENUE_NOT_ALLOWED,
        R.RELEASE_MISMATCH,
        R.HALTED,
    }
    assert found.count(R.TOO_LARGE) == 3
    assert found.count(R.AUTHORITY_EXCEEDED) == 2


ANY = st.decimals(allow_nan=True, allow_infinity=True)


@given(ANY, ANY, ANY, ANY, st.floats(), st.integers(), st.text(max_size=5))
def test_no_number_is_too_strange_to_be_judged(
    size: D, entry: D, stop: D, reward: D, confidence: float, until: int, strategy: str
) -> None:
    made = plan(
        size=size, entry_px=entry, stop_px=stop, risk_reward=reward, confidence=confidence, valid_until_ms=until
    )
    found = {r.reason for r in refusals(replace(made, strategy=strategy), AT)}
    assert R.UNKNOWN_STRATEGY in found
    assert (R.BAD_NUMBER in found) or all(x.is_finite() and x > 0 for x in (size, entry, stop, reward))
