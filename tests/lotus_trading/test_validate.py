"""Every reason of refusal is found where it should be and nowhere else; a plan with several faults lists them all."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trading_plans import BTC, plan, view

from lotus.trading.liquidation import liquidation_px
from lotus.trading.orders import Side
from lotus.trading.plan import Authority, Condition, ConditionKind, Limits, PlanKind
from lotus.trading.refusals import MEANINGS, RefusalReason
from lotus.trading.validate import AccountState, refusals

R = RefusalReason
D = Decimal
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

# reason -> changes of a sound plan and of a sound account state that bring it about, for a long
FAULTS: dict[R, list[tuple[dict[str, Any], dict[str, Any]]]] = {
    R.BAD_ID: [({"decision_id": ""}, {})],
    R.BAD_NUMBER: [
        ({"size": D("NaN")}, {}),
        ({"size": D(-1)}, {}),
        ({"stop_px": D("Infinity")}, {}),
        ({"take_profit_px": D("1e40")}, {}),
        ({"confidence": float("nan")}, {}),
        ({"confidence": 1.5}, {}),
        ({"max_slippage_bps": D(0)}, {}),
        ({"max_latency_ms": 0}, {}),
        ({"exit_when": (Condition(ConditionKind.PRICE_BELOW, D("sNaN")),)}, {}),
    ],
    R.EXPIRED: [({"valid_until_ms": 900}, {}), ({"created_ms": 70_000}, {})],
    R.UNKNOWN_STRATEGY: [({"strategy": "vwap"}, {})],
    R.BAD_STRATEGY: [
        ({"strategy": "limit"}, {}),
        ({"strategy": "iceberg"}, {}),
        ({"post_only": True}, {}),
        ({"slices": 0}, {}),
        ({"strategy": "twap", "slices": 3}, {}),
        ({"strategy": "twap", "slices": 3, "duration_ms": 60_000}, {}),
    ],
    R.NOT_TRADEABLE: [({}, {"universe": {}}), ({}, {"untradeable": frozenset({"BTC"})})],
    R.OFF_TICK: [({"stop_px": D("99000.5")}, {}), ({"take_profit_px": D("102000.1")}, {})],
    R.OFF_LOT: [({"size": D("0.0100001")}, {})],
    R.TOO_SMALL: [({"size": D("0.00009")}, {})],
    R.TOO_LARGE: [
        ({"limits": Limits(D("0.009"), D(20_000), 5)}, {}),
        ({"limits": Limits(D("0.1"), D(900), 5)}, {}),
        ({"limits": Limits(D("0.1"), D(20_000), 2)}, {}),
        ({}, {"free_margin_usd": D(300)}),
    ],
    R.NO_STOP: [({"stop_px": None}, {})],
    R.STOP_WRONG_SIDE: [({"stop_px": D(101_000)}, {}), ({"stop_px": D(100_000)}, {})],
    R.STOP_BEYOND_LIQUIDATION: [
        ({"stop_px": D(50_000), "risk_reward": None}, {"is_cross": False, "leverage": 5}),
        ({"stop_px": D(80_000), "risk_reward": None}, {"position": D("0.09")}),
    ],
    R.TAKE_PROFIT_WRONG_SIDE: [({"take_profit_px": D(99_500)}, {}), ({"take_profit_px": D(100_000)}, {})],
    R.BAD_RISK_REWARD: [({"risk_reward": D(3)}, {})],
    R.NO_EXIT_TIME: [({"kind": PlanKind.PROBE}, {}), ({"exit_at_ms": 1_000}, {})],
    R.OPPOSITE_POSITION: [({}, {"position": D("-0.5")})],
    R.AUTHORITY_EXCEEDED: [
        ({}, {"account": "other"}),
        ({}, {"executor": "hand"}),
        ({"authority": Authority("main", D(999), ("tr",))}, {}),
        ({}, {"used_budget_usd": D(4_500)}),
    ],
    R.VENUE_NOT_ALLOWED: [({}, {"venue": "hyperliquid"}), ({"venues": ()}, {})],
    R.RELEASE_MISMATCH: [({"release": "r0"}, {})],
    R.STALE_DATA: [({}, {"view": None}), ({}, {"now_ms": 5_000}), ({}, {"view": view(1_000, coin="ETH")})],
    R.CLOCK_SKEW: [({}, {"clock_skew_ms": -501})],
    R.PARITY_FAILED: [({}, {"parity_ok": False})],
    R.HALTED: [({}, {"halted": True})],
}
CASES = [(reason, *case) for reason, cases in FAULTS.items() for case in cases]


@BOTH
@pytest.mark.parametrize("strategy", ["market", "limit", "twap", "iceberg"])
def test_a_sound_plan_has_no_fault(side: Side, strategy: str) -> None:
    entry = D(100_000 - 10 * int(side)) if strategy in ("limit", "iceberg") else None
    made = plan(side, strategy=strategy, entry_px=entry, duration_ms=5_000, slices=3)
    assert refusals(made, AT) == ()


def test_every_reason_has_a_case_and_a_meaning() -> None:
    assert (
        set(FAULTS) | {RefusalReason.CURATORS} == set(RefusalReason) == set(MEANINGS)
    )  # curators: lotus_modules.tr.judging
    assert len(set(MEANINGS.values())) == len(MEANINGS)


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
    for reason, of_plan, of_state in cases:
        if set(of_plan) & set(changes) or set(of_state) & set(at) or _hidden(reason, changes, at):
            continue
        if any(_hidden(r, of_plan, of_state) for r in wanted):
            continue
        changes |= of_plan
        at |= of_state
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


@given(
    st.sampled_from(list(Side)),
    st.decimals("0.001", "100", places=3),
    st.decimals("10", "100000", places=1),
    st.integers(1, 50),
    st.integers(3, 50),
)
def test_at_the_liquidation_price_margin_is_what_must_be_maintained(
    side: Side, size: D, px: D, leverage: int, most: int
) -> None:
    margin = size * px / leverage
    gone = liquidation_px(side, size, px, margin, most)
    if gone is None:
        assert side is Side.BUY
        assert margin + size * (0 - px) >= 0
        return
    left = margin + int(side) * size * (gone - px)
    assert abs(left - size * gone / (2 * most)) < D("1e-12")
