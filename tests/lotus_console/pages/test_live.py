"""`lotus_console/pages/live.py`: what the daemon published, decided and ordered, and what that paid."""

import pytest
from sown import DAY, put

from lotus.timebase import day_start_ms
from lotus_console.pages.live import DECISIONS, ORDERS, PLANS, PUBLICATIONS, live_facts
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Table
from lotus_store.databases import Connection
from tests.support.asgi_client import AsgiClient

END = day_start_ms(DAY)


def rows(reading: HomeReading, table: Table, **asked: str) -> Answer:
    return table.source(reading, table.asked(asked))


def test_a_home_without_a_daemon(reading: HomeReading, browser: AsgiClient) -> None:
    facts = live_facts(reading, {})
    assert facts["title"].startswith("No daemon")
    assert [facts[name] for name in ("alerts", "runs", "open", "styles", "promises")] == [[]] * 5
    for table in (PUBLICATIONS, DECISIONS, PLANS, ORDERS):
        assert rows(reading, table).rows == []
        assert "trade-day" in browser.get(f"/{table.name}").text, "what to run next"


def test_publications_come_newest_first_with_what_they_paid(reading: HomeReading, sig: Connection) -> None:
    for k, changes in enumerate([{"s": -0.5}, {"asset": "ETH", "s": 0.5}, {"published": False}, {"branch": "other"}]):
        row = {"branch": "main", "event_id": f"e{k}", "detector_id": "micro_drift", "asset": "BTC", "published": True}
        put(sig, "live_events", **row | changes, day=DAY, run_id=f"r{k}", window_end_ms=END + k)
    put(sig, "executions", branch="main", event_id="e0", outcome="closed", payoff_bps=-3.5, body="{}")
    found = rows(reading, PUBLICATIONS).rows
    assert [(row["event_id"], row["side"], row["payoff_bps"]) for row in found] == [
        ("e1", "long", None), ("e0", "short", -3.5),
    ]  # fmt: skip
    assert [row["event_id"] for row in rows(reading, PUBLICATIONS, order="-payoff_bps").rows] == ["e0", "e1"]
    assert [row["event_id"] for row in rows(reading, PUBLICATIONS, asset="ETH", run_id="r1").rows] == ["e1"]


@pytest.mark.parametrize("word", ["halt", "flatten", "lift"])
def test_the_switch_asks_for_the_session_of_its_page(reading: HomeReading, browser: AsgiClient, word: str) -> None:
    form = {"move": word, "typed": word, "reason": "a drill", "who": "ana"}
    before = live_facts(reading, {})["switch"]
    for token in ("", "0" * 64):
        assert browser.post("/live/switch", {"csrf": token, **form}).status in (400, 403)
    assert live_facts(reading, {})["switch"] == before
