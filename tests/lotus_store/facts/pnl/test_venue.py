"""Windows as a venue executed them, read back as round trips: sides, costs, days, and those that were not filled."""

from typing import Any

from lotus.detectors.entry_style import EntryStyle, Fallback
from lotus.modules.messages.trading import PlanReference
from lotus.timebase import day_start_ms
from lotus.trading.plan.styles import CROSSING, Styles
from lotus_store.databases import Databases
from lotus_store.facts.pnl.venue import causes_of_void, executions_on, venue_trips, void_styles
from lotus_store.ledger.signals.executions import Execution, put_execution
from lotus_store.ledger.trading.plans import PlanRow, put_plan

DAY = "2026-03-04"
END_MS = day_start_ms(DAY) + 36_000_000


def fill(side: str, px: str, ts: int) -> dict[str, Any]:
    return {"side": side, "px": px, "size": "0.5", "ts": ts, "is_taker": True}


def report(side: str) -> dict[str, Any]:
    opening, closing = ("buy", "sell") if side == "long" else ("sell", "buy")
    return {
        "side": side, "fees": {"taker_usd": "0.40", "maker_usd": "0.05"}, "funding_usd": "-0.01",
        "pnl": {"net_usd": "1.25"}, "fills": [fill(opening, "100", END_MS + 10), fill(closing, "101", END_MS + 60_000)],
    }  # fmt: skip


def put(databases: Databases, name: str, **changes: Any) -> None:
    values: dict[str, Any] = {
        "event_id": name, "detector_id": "sr", "asset": "BTC", "window_end_ms": END_MS, "venue": "local",
        "outcome": "closed", "payoff_bps": 1.0, "body": {"report": report("long")},
    }  # fmt: skip
    with databases.connect("sig") as sig:
        put_execution(sig, "main", Execution(**(values | changes)), "m")


def test_trips_are_what_the_trader_told(databases: Databases) -> None:
    put(databases, "long")
    put(databases, "short", body={"report": report("short")})
    put(databases, "refused", outcome="refused", body={"report": {}, "refusals": ["expired: ..."]})
    put(databases, "paper", venue="paper")
    put(databases, "old", window_end_ms=END_MS - 5 * 86_400_000)
    with databases.connect("sig") as sig:
        trips = {trip.event_id: trip for trip in venue_trips(executions_on(sig, "main", [DAY]), [DAY])}
        assert venue_trips(executions_on(sig, "other", [DAY]), [DAY]) == []
    assert sorted(trips) == ["long", "refused", "short"]
    for name, side in (("long", 1), ("short", -1)):
        trip = trips[name]
        assert (trip.side, trip.fees_usd, trip.funding_usd, trip.net_usd) == (side, 0.45, -0.01, 1.25)
        assert (trip.entry[0].px, trip.exit[0].px, trip.closed_day) == (100.0, 101.0, DAY)
        assert trip.entry[0].recv_ns == (END_MS + 10) * 1_000_000
    assert trips["refused"].entry == trips["refused"].exit == ()


def test_causes_of_void_are_counted_beside_what_is_evidence(databases: Databases) -> None:
    put(databases, "filled")
    put(databases, "unfilled", outcome="unfilled", payoff_bps=0.0)
    put(databases, "late", outcome="refused", body={"report": {}}, void="expired")
    put(databases, "before", window_end_ms=END_MS - 86_400_000, void="halted")
    with databases.connect("sig") as sig:
        assert causes_of_void(executions_on(sig, "main", [DAY]), [DAY]) == {"": 2, "expired": 1}
        assert causes_of_void(executions_on(sig, "other", [DAY]), [DAY]) == {}


def test_trips_and_void_windows_know_the_style_in_which_they_were_ordered(databases: Databases) -> None:
    rested = report("long") | {"size_planned": "1", "styles": {"entry": "join", "fallback": "skip", "exit": "join"}}
    rested["fills"][0]["is_taker"] = False
    put(databases, "joined", body={"report": rested, "plan_id": "a"})
    put(databases, "crossed")
    put(databases, "late", outcome="refused", body={"report": {}, "plan_id": "b"}, void="expired")
    put(databases, "unplanned", outcome="refused", body={"report": {}, "plan_id": "c"}, void="expired")
    styles = {"entry": "improve", "fallback": "cross", "exit": "cross"}
    row = PlanRow("b", "main", "d", "w", "probe", "BTC", "local", "refused", 1, {"styles": styles}, PlanReference(), {})
    with databases.connect("sig") as sig, databases.connect("tr") as tr:
        put_plan(tr, row)
        trips = {trip.event_id: trip.ends for trip in venue_trips(executions_on(sig, "main", [DAY]), [DAY])}
        void = void_styles(tr, executions_on(sig, "main", [DAY]), [DAY])
        assert void_styles(tr, executions_on(sig, "main", [DAY]), [DAY], paper=True) == []
    joined, crossed = trips["joined"], trips["crossed"]
    assert joined.styles == Styles(EntryStyle.JOIN, Fallback.SKIP, EntryStyle.JOIN)
    assert (joined.filled, joined.entry.rested_usd, joined.exit.rested_usd) == (0.5, 50.0, 0.0)
    assert (crossed.styles, crossed.filled, crossed.entry.rested_usd) == (CROSSING, 1.0, 0.0)
    assert [style.entry for style in void] == [EntryStyle.IMPROVE, EntryStyle.CROSS]
