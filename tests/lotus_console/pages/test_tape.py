"""`lotus_console/pages/tape.py`: minutes, gaps and days add up, and parity says what it saw."""

import json

import pytest
from sown import DAY, columns_of, put

from lotus.microtape.completeness import TAPE_COMPLETENESS
from lotus.microtape.frames.spec import TAPE_GAPS
from lotus.timebase import day_start_ms
from lotus_console.pages.home import tape_branch
from lotus_console.pages.tape import DAYS, GAPS, MINUTES, PARITY, PUT_ASIDE, SEGMENTS, gaps_of_day, tape_facts
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Table
from lotus_store.databases import Connection
from lotus_store.lake import Lake
from tests.hostile.console_attacks import MARKUP
from tests.support.asgi_client import AsgiClient

START = day_start_ms(DAY)


def rows(reading: HomeReading, table: Table, **asked: str) -> Answer:
    return table.source(reading, table.asked(asked))


def sow(reading: HomeReading, day: str = DAY) -> None:
    """Three minutes of BTC: whole, half and gone; one of ETH that was not expected; gaps, of a lost coin too."""
    lake, branch, start = Lake(reading.settings.lake_root), tape_branch(reading), day_start_ms(day)
    minutes = columns_of(TAPE_COMPLETENESS, 4, asset=[0, 0, 0, 1], minute_ms=[start + 60_000 * k for k in (0, 1, 2, 0)],
                         messages=[50, 20, 0, 9], covered_s=[60.0, 30.0, 0.0, 5.0], expected_s=[60.0, 60.0, 60.0, 0.0],
                         share=[1.0, 0.5, 0.0, 0.0])  # fmt: skip
    lake.write(TAPE_COMPLETENESS, branch, day, minutes)
    gaps = columns_of(TAPE_GAPS, 3, asset=[0, 1, 99], start_ms=[start, start, start], seq=[1, 2, 3],
                      end_ms=[start + 500, start + 9_000, start + 70])  # fmt: skip
    lake.write(TAPE_GAPS, branch, day, gaps)


def test_nothing_is_recorded_yet(reading: HomeReading, browser: AsgiClient) -> None:
    assert tape_facts(reading, {})["title"] == "Nothing is recorded yet"
    for table in (MINUTES, GAPS, DAYS, SEGMENTS, PUT_ASIDE, PARITY):
        assert rows(reading, table).rows == []
        assert table.empty in browser.get(f"/{table.name}").text.replace("&#39;", "'").replace("<code>", "`").replace(
            "</code>", "`"
        )  # fmt: skip
    assert browser.get("/tape?day=" + DAY).status == 404


def test_a_day_is_added_up_by_coin(reading: HomeReading) -> None:
    sow(reading)
    sow(reading, "2026-01-06")
    facts = tape_facts(reading, {"day": DAY})
    assert facts["title"] == f"50.00 % of the expected seconds are there on {DAY}"
    assert facts["days"] == ["2026-01-06", DAY]
    btc, eth, *others = facts["assets"]
    assert btc == {
        "asset": "BTC", "share": 0.5, "messages": 70, "minutes": 3, "thin": 2, "gaps": 1, "longest_ms": 500,
    }  # fmt: skip
    assert (eth["share"], eth["messages"], eth["longest_ms"]) == (None, 9, 9_000)
    assert all(other["minutes"] == 0 for other in others)
    assert [run["state"] for run in facts["rows"][0]["runs"]] == ["whole", "thin", "gone"]
    assert facts["rows"][1]["runs"] == [], "nothing was expected of it"


def test_minutes_that_are_not_whole_and_long_gaps_come_first(reading: HomeReading) -> None:
    sow(reading)
    minutes = rows(reading, MINUTES)
    assert [(row["asset"], row["share"]) for row in minutes.rows] == [
        ("BTC", 0.0),
        ("BTC", 0.5),
        ("BTC", 1.0),
        ("ETH", 0.0),
    ]
    assert minutes.title == f"2 of 4 minutes of {DAY} are not whole"
    assert [row["minute_ms"] for row in rows(reading, MINUTES, order="-minute_ms", limit="1").rows] == [START + 120_000]
    assert [(gap["asset"], gap["length_ms"]) for gap in gaps_of_day(reading, DAY)] == [
        ("ETH", 9_000), ("BTC", 500), ("99", 70),
    ]  # fmt: skip
    assert [gap["asset"] for gap in rows(reading, GAPS, asset="BTC", day=DAY).rows] == ["BTC"]
    assert rows(reading, GAPS, day="../../etc").rows == []


def test_days_join_what_the_tape_and_its_stages_found(reading: HomeReading, sig: Connection) -> None:
    tape, branch = reading.settings.tape, tape_branch(reading)
    for k, state in enumerate(("closed", "damaged", "closed")):
        put(sig, "tape_segments", tape=tape, path=f"{k}.zst", day=DAY, lines=10**12, bytes=7, state=state, counts="{}",
            gaps="[1, 2]", first_recv_ns=START * 10**6, last_recv_ns=START * 10**6 + k)  # fmt: skip
    notes = {"notes": {"quarantined": 3, "duplicates": 4, "late_share": 0.25}, "checks": [{"passed": True}]}
    put(sig, "day_commits", branch=branch, day=DAY, stage="raw_tape", notes=json.dumps(notes))
    (day,) = rows(reading, DAYS).rows
    assert (day["segments"], day["lines"], day["damaged"], day["quarantined"]) == (3, 3 * 10**12, 1, 3)
    assert (day["checked"], day["late_share"], day["gaps"]) == (True, 0.25, None)
    assert [row["path"] for row in rows(reading, SEGMENTS, state="damaged").rows] == ["1.zst"]
    assert rows(reading, SEGMENTS).rows[0]["silences"] == 2


@pytest.mark.parametrize(
    ("passed", "unseen", "verdict"),
    [(True, False, "equal"), (False, False, "differs"), (True, True, "nothing compared")],
)
def test_parity_of_what_saw_nothing_is_not_equal(
    reading: HomeReading, sig: Connection, passed: bool, unseen: bool, verdict: str
) -> None:
    check = {"name": "live_parity", "passed": passed, "unseen": unseen, "text": "as found"}
    put(sig, "day_commits", branch="main", day=DAY, stage="signal_events", notes=json.dumps({"checks": [check]}))
    answer = rows(reading, PARITY)
    assert [row["verdict"] for row in answer.rows] == [verdict]
    assert answer.title == ("No day was compared" if unseen else f"{int(passed)} of 1 compared days are equal")


def test_what_a_venue_sent_stays_text(reading: HomeReading, sig: Connection, browser: AsgiClient) -> None:
    for k, markup in enumerate(MARKUP):
        row = {"kind": "not_json", "seq": k, "detail": markup, "sample": markup * 200}
        put(sig, "quarantine", tape=reading.settings.tape, day=DAY, **row)
    text = browser.get("/quarantine?limit=500").text
    assert not [markup for markup in MARKUP if "<" in markup and markup in text]
    assert rows(reading, PUT_ASIDE, kind="not_json").title == "Lines that could not be read, and why"
