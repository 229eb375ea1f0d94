"""Rows by venue and coin of plans that ended on the page's days, and a choice of the trader's by the same rows."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hot_bed import BTC, account_state

from lotus.modules.messages.trading import PlanReference
from lotus.trading.execution.orders import Side
from lotus.trading.plan.knobs import ExecutionKnobs
from lotus.trading.plan.plan import Authority, Plan, PlanId, PlanKind, ProbeTerms, probe_plan
from lotus_modules.tr.venues import REREAD_MS, VenueChooser
from lotus_store.databases import Connection, Databases
from lotus_store.facts.pnl.venues import ALL, cells, several, venue_lines
from lotus_store.ledger.bodies import to_plain
from lotus_store.ledger.trading.plans import PlanRow, PlanStep, book_plans, judge_plan, put_plan, step_plans

DAY, DAY_MS = "2026-01-08", 1_767_830_400_000
VENUES = ("local", "local-2")


def plan(**changes: Any) -> Plan:
    """Return a plan of the book for 0.01 BTC."""
    terms = ProbeTerms(Decimal(1_000), Decimal(300), Authority("book", Decimal(10_000), ("tr",)), VENUES)
    made = probe_plan("e", BTC, Side.BUY, Decimal(100_000), 0, 60_000, terms)
    return replace(made, kind=PlanKind.BOOK, **changes)


def executed(
    tr: Connection, name: str, venue: str, at_ms: int, fee_usd: str, latency_ms: int, coin: str = "BTC"
) -> None:
    """Write a plan of 0.01 BTC that was filled whole and left again."""
    made = plan(plan_id=PlanId(name), coin=coin)
    row = PlanRow(name, "main", "d", name, "book", coin, venue, "accepted", at_ms, to_plain(made), PlanReference(), {})
    fills = [{"side": side, "size": "0.01", "px": "100000", "fee_usd": fee_usd} for side in ("buy", "sell")]
    metrics: dict[str, Any] = {
        "status": "filled", "finished_ts": at_ms, "latency_ms": latency_ms, "slippage_arrival_bps": 0.5,
        "fees": {"taker_usd": str(2 * Decimal(fee_usd)), "maker_usd": "0"}, "alarms": [], "pnl": {"net_usd": "-1.5"},
    }  # fmt: skip
    put_plan(tr, row)
    step_plans(tr, [PlanStep(name, "done", {}, Decimal(0))])
    judge_plan(tr, name, fills, metrics, {})


@pytest.fixture
def traded(databases: Databases) -> Databases:
    """Ten plans at each of two venues; the second is cheaper and slower, and it takes other fees for ETH."""
    with databases.connect("tr") as tr:
        for i in range(10):
            executed(tr, f"a{i}", "local", DAY_MS + i, "0.45", 100)
            executed(tr, f"b{i}", "local-2", DAY_MS + i, "0.28", 160)
        executed(tr, "c", "local-2", DAY_MS, "0.90", 160, "ETH")
        executed(tr, "before", "local", DAY_MS - 1, "0.45", 100, "SOL")
    return databases


def test_rows_are_by_venue_and_coin_after_one_of_all_coins(traded: Databases) -> None:
    with traded.connect("tr") as tr:
        lines = venue_lines(tr, "main", [DAY])
        assert venue_lines(tr, "other", [DAY]) == ()
    assert [(line.record.venue, line.record.coin, line.record.executions) for line in lines] == [
        ("local", ALL, 10), ("local", "BTC", 10), ("local-2", ALL, 11), ("local-2", "BTC", 10), ("local-2", "ETH", 1),
    ]  # fmt: skip
    assert several(lines)
    assert not several(lines[:2])
    (first, *_), second = lines, lines[3]
    assert (first.fees_usd, first.net_usd, first.traded_usd) == (pytest.approx(9.0), -15.0, 20_000.0)
    assert (first.record.fee_bps, second.record.fee_bps) == (pytest.approx(4.5), pytest.approx(2.8))
    assert cells(second) == (
        "local-2", "BTC", "10", "20,000", "5.60", "-15.00", "2.80", "+0.50", "160", "100.0%", "1.00",
    )  # fmt: skip
    assert second.as_json()["fees_usd"] == 5.6


def test_the_trader_goes_where_the_measured_rows_are_better(traded: Databases) -> None:
    """3.4 of 50 bps more in fees of both ways cost .0136; 60 ms of 1,000 cost .012: the cheaper one is chosen."""
    chooser, now_ms = VenueChooser(explore=0.0), DAY_MS + 1_000
    states = [
        replace(account_state(), now_ms=now_ms, venue=venue, account=f"book@{venue}", view=None) for venue in VENUES
    ]
    wanted = plan()
    with traded.connect("tr") as tr:
        chosen = chooser.choice(tr, "main", wanted, states, ExecutionKnobs())
        assert (chosen.account.venue, chosen.draw.measured) == ("local-2", True)
        assert [score.name for score in chosen.scores] == ["local-2", "local"]
        slower = VenueChooser(explore=0.0).choice(
            tr, "main", replace(wanted, max_latency_ms=500), states, ExecutionKnobs()
        )
        assert slower.account.venue == "local", "a plan in a hurry weighs latency more"
        other = chooser.choice(tr, "main", replace(wanted, coin="ETH"), states, ExecutionKnobs())
        assert not other.draw.measured
        early = [replace(state, now_ms=DAY_MS) for state in states]
        assert not VenueChooser().choice(tr, "main", wanted, early, ExecutionKnobs()).draw.measured, "no look-ahead"
        for i in range(40):
            executed(tr, f"d{i}", "local-2", now_ms + 1, "9.00", 160)
        assert chooser.choice(tr, "main", wanted, states, ExecutionKnobs()) == chosen, "read anew once in a while"
        later = [replace(state, now_ms=now_ms + REREAD_MS) for state in states]
        assert chooser.choice(tr, "main", wanted, later, ExecutionKnobs()).account.venue == "local"


def test_the_book_counts_what_is_held_at_both_venues(databases: Databases) -> None:
    with databases.connect("tr") as tr:
        for name, venue, account in (
            ("p", "local", "book"),
            ("q", "local-2", "book@local-2"),
            ("r", "local-2", "else"),
        ):
            made = plan(plan_id=PlanId(name))
            body = to_plain(replace(made, authority=replace(made.authority, account=account)))
            put_plan(
                tr, PlanRow(name, "main", "d", name, "book", "BTC", venue, "accepted", 1, body, PlanReference(), {})
            )
        both = book_plans(tr, [("local", "book"), ("local-2", "book@local-2")], "")
        assert [found.plan_id for found in both["BTC"]] == ["p", "q"]
        assert [found.plan_id for found in book_plans(tr, [("local", "book")], "")["BTC"]] == ["p"]
