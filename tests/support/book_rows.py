"""A decision of the book, its plan and its fills."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from lotus.modules.messages.trading import DmDecision, PlanReference
from lotus.timebase import day_start_ms
from lotus_store.databases import Databases
from lotus_store.ledger.trading.decisions import put_decision
from lotus_store.ledger.trading.plans import FillLine, OrderLine, PlanRow, PlanStep, judge_plan, put_plan, step_plans

DAY = "2026-03-04"
START_MS = day_start_ms(DAY)
VIEW = {"source": "det:sr@1", "event_id": "e1", "lifecycle_id": "e1", "coin": "BTC", "horizon_s": 300, "weight": 0.8,
        "mu_bps": 12.0, "reliability": 0.6, "block": ""}  # fmt: skip


TICKET: dict[str, Any] = {
    "decision_id": "t", "asof_ts": "2026-03-04T00:00:10.000Z", "status": "optimal", "equity_usd": 1e5, "horizon_s": 300,
    "confidence": 0.6, "expected": {"return_bps": 2.0, "cost_bps": 1.0, "risk_bps": 9.0, "turnover": 0.2,
                                    "kelly_fraction": 0.1},
    "multipliers": {"timing": 1.0, "entrainment": 1.0, "asymmetry": 1.0, "applied": 1.0, "net": 1.0, "ratchet": False},
    "meta_signals_used": ["ms_kairos"], "meta_signals_missing": [],
    "risk_binding": [{"name": "risk_share:BTC", "price_bps": 1.5}],
    "relaxations": [{"step": "turnover", "cap": "turnover", "was": 0.1, "became": 0.2}],
    "versions": {"policy": "p", "calibration": "c", "calibration_day": DAY},
    "targets": [{"coin": "BTC", "weight": 0.2, "held": 0.0, "min": 0.18, "max": 0.2, "mu_bps": 9.6}],
    "top_alphas": [VIEW, VIEW | {"coin": "ETH", "event_id": "e2"}],
}  # fmt: skip


PLAN = {"size": "0.6", "styles": {"entry": "join", "fallback": "skip", "exit": "cross"}}


def decision(name: str, time_ms: int, ticket: dict[str, Any]) -> DmDecision:
    return DmDecision(
        branch="main", decision_id=name, kind="book", time_ms=time_ms, valid_until_ms=time_ms, targets=[], ticket=ticket
    )


def put_book(databases: Databases) -> None:
    """Write one decision, a closed plan that was lowered on the way, and a refused one."""
    with databases.connect("dm") as dm:
        put_decision(dm, decision("d", START_MS, TICKET), "d", timeframe="300s")
    row = PlanRow(
        "p", "main", "d", "d", "book", "BTC", "local", "accepted", START_MS + 10_000, PLAN, PlanReference(), {}
    )
    fills = [
        ("entry", 1, "0.3", "100.2", 11_000),
        ("exit", -1, "0.1", "100.9", 21_000),
        ("exit", -1, "0.2", "98.9", 31_000),
    ]
    orders, lines = [], []
    for k, (purpose, side, size, px, at_ms) in enumerate(fills):
        body = {"order": {"side": side, "size": size, "limit_px": px}}
        orders.append(OrderLine(f"o{k}", "p", "local", "BTC", purpose, "filled", START_MS + at_ms - 1_000, body))
        fill = {"side": side, "size": size, "px": px, "fee_usd": "0.01", "is_taker": purpose != "entry",
                "time_ms": START_MS + at_ms}  # fmt: skip
        lines.append(FillLine("local", f"f{k}", f"o{k}", "BTC", START_MS + at_ms, fill))
    with databases.connect("tr") as tr:
        put_plan(tr, row)
        put_plan(tr, replace(row, plan_id="q", stage="refused"))
        step_plans(tr, [PlanStep("p", "done", {}, Decimal(0), orders, lines)])
        judge_plan(tr, "p", [], {"funding_usd": "0.02"}, {})
