"""Plans with one fault each."""

from decimal import Decimal
from typing import Any

from trading_plans import view

from lotus.trading.plan.plan import Authority, Condition, ConditionKind, Limits, PlanKind
from lotus.trading.plan.refusals import RefusalReason

R = RefusalReason
D = Decimal


# reason -> changes of a sound plan and of a sound situation that bring it about, for a long
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
