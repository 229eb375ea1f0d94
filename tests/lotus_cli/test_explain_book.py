"""The book for readers: a fill leads to its ticket and views, and every plan is split into its costs to the cent."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from lotus.errors import SchemaError
from lotus.manifest import Asset, Manifest
from lotus.timebase import day_start_ms
from lotus.trading.pnl import total
from lotus_cli.explain_book import book_lines, book_story
from lotus_cli.explain_execution import window_behind
from lotus_cli.pnl_book import book_trades
from lotus_store.databases import Databases
from lotus_store.ledger.decisions import DecisionRow, put_decision
from lotus_store.ledger.plans import FillLine, OrderLine, PlanRow, PlanStep, judge_plan, put_plan, step_plans

DAY = "2026-03-04"
START_MS = day_start_ms(DAY)
MANIFEST = Manifest(universe=(Asset("BTC", 5),))
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


def put_book(databases: Databases) -> None:
    """Write one decision, a closed plan that was lowered on the way, and a refused one."""
    with databases.connect("dm") as dm:
        put_decision(dm, DecisionRow("d", "main", "d", "book", START_MS, TICKET), "", "", "300s")
    row = PlanRow("p", "main", "d", "d", "book", "BTC", "local", "accepted", START_MS + 10_000, {}, {}, {})
    fills = [
        ("entry", 1, "0.3", "100.2", 11_000),
        ("exit", -1, "0.1", "100.9", 21_000),
        ("exit", -1, "0.2", "98.9", 31_000),
    ]
    orders, lines = [], []
    for k, (purpose, side, size, px, at_ms) in enumerate(fills):
        body = {"order": {"side": side, "size": size, "limit_px": px}}
        orders.append(OrderLine(f"o{k}", "p", "local", "BTC", purpose, "filled", START_MS + at_ms - 1_000, body))
        fill = {"side": side, "size": size, "px": px, "fee_usd": "0.01", "time_ms": START_MS + at_ms}
        lines.append(FillLine("local", f"f{k}", f"o{k}", "BTC", START_MS + at_ms, fill))
    with databases.connect("tr") as tr:
        put_plan(tr, row)
        put_plan(tr, PlanRow("q", "main", "d", "d", "book", "BTC", "local", "refused", START_MS + 10_000, {}, {}, {}))
        step_plans(tr, [PlanStep("p", "done", {}, Decimal(0), orders, lines)])
        judge_plan(tr, "p", [], {"funding_usd": "0.02"}, {})


@pytest.mark.parametrize("name", ["f1", "o0", "p", "d"])
def test_a_fill_leads_to_the_ticket_and_the_views_of_its_coin(databases: Databases, name: str) -> None:
    put_book(databases)
    story = book_story(databases, name)
    assert story is not None
    assert [view["event_id"] for view in story.views] == ["e1"]
    text = "\n".join(book_lines(story))
    for told in ("fill f1", "TICKET t", "TARGET BTC: weight +0.00000 to +0.20000", "VIEW e1 of det:sr@1", "relaxed: "):
        assert told in text
    assert story.as_json()["ticket"]["equity_usd"] == 1e5


def test_a_window_is_no_story_of_the_book(databases: Databases) -> None:
    assert book_story(databases, "nobody") is None
    assert window_behind(databases, "nobody") == "nobody"


def quotes() -> dict[str, Any]:
    """The market at whole ten seconds: mid 100, 101, 99 and 97, spread 0.2."""
    times = np.array([0, 10, 20, 30], dtype=np.int64) * 1_000_000_000 + START_MS * 1_000_000
    mids = np.array([1000, 1010, 990, 970], dtype=np.int64)
    sizes = np.ones(4, dtype=np.int64)
    return {"recv_ns": times, "time_ms": times // 1_000_000, "bid_px": mids - 1, "bid_sz": sizes, "ask_px": mids + 1,
            "ask_sz": sizes}  # fmt: skip


def test_every_plan_is_split_into_its_costs(databases: Databases) -> None:
    put_book(databases)
    with databases.connect("tr") as tr:
        found = book_trades(tr, "main", [DAY], {"BTC": quotes()}, MANIFEST)
        assert len(book_trades(tr, "main", ["2026-03-05"], {}, MANIFEST).trades) == 0
        with pytest.raises(SchemaError, match="no quotes of BTC"):
            book_trades(tr, "main", [DAY], {}, MANIFEST)
    line = total(found.trades)
    assert (found.held, found.refused, line.trades) == (0, 1, 1)
    told = {name: round(usd / 1e6, 6) for name, usd in line.micro_usd.items()}
    # sent at 10 s (mid 101), 20 s (mid 99) and 30 s (mid 97); every fill meets half a spread of 0.1
    assert told["gross"] == pytest.approx(-0.3 * 101 + 0.1 * 99 + 0.2 * 97)
    assert told["spread"] == pytest.approx(0.06)
    assert (told["fees"], told["funding"]) == (pytest.approx(0.03), pytest.approx(0.02))
    cash = -0.3 * 100.2 + 0.1 * 100.9 + 0.2 * 98.9
    assert told["net"] == pytest.approx(cash - 0.03 - 0.02)
