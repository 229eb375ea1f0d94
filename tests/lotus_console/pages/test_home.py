"""`lotus_console/pages/home.py`, live and network: what saw nothing is not green, what failed is red."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lotus.curation.act import CurationAct
from lotus_assets.pages.metadata import _at_console
from lotus_console.access.door import Door, Entry, hosts_of
from lotus_console.pages.home import LINES, home_facts
from lotus_console.pages.money import DAYS
from lotus_console.reading import HomeReading, ReadingDatabases
from lotus_console.server import console
from lotus_desk.safety.kill_switch import FLATTENED, HALTED, LIFTED, KillSwitch
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.facts.acts import held_back
from lotus_store.ledger.beliefs.acts import put_acts
from lotus_store.ledger.day_commits import DayCommit, commit_day
from tests.support.asgi_client import AsgiClient

TOKEN = "token-of-the-tests"


@pytest.fixture
def reading(databases: Databases, settings: Settings, tmp_path: Path) -> Iterator[HomeReading]:
    """A home in which nothing has happened yet."""
    home = replace(settings, home=tmp_path / "home")
    (home.home / "live").mkdir(parents=True)
    with ReadingDatabases(home) as opened:
        yield HomeReading(home, opened.open())


def colours(reading: HomeReading) -> dict[str, str]:
    reading.memory.__init__()  # type: ignore[misc]
    return {line["question"]: line["colour"] for line in home_facts(reading, {})["lines"]}


def test_a_home_that_saw_nothing_is_not_green(reading: HomeReading) -> None:
    found = colours(reading)
    assert set(found) == {question for question, *_ in LINES}
    assert {question for question, colour in found.items() if colour == "green"} == {"Do messages arrive?"}
    assert "red" not in found.values()


def test_what_failed_or_is_late_is_red(reading: HomeReading, databases: Databases) -> None:
    def commit(branch: str, day: str, stage: str, name: str, passed: bool, unseen: bool = False) -> None:
        notes = {"checks": [{"name": name, "passed": passed, "unseen": unseen, "text": "as found"}], "notes": {}}
        with databases.connect("sig") as connection:
            connection.execute(
                "INSERT INTO day_commits VALUES (%s, %s, %s, 'h', 1, 'i', %s)", [branch, day, stage, json.dumps(notes)]
            )

    commit("tape.live", "2026-01-05", "raw_tape", "segments_intact", passed=False)
    commit("main", "2026-01-04", "signal_events", "live_parity", passed=False)
    commit("main", "2026-01-05", "signal_events", "live_parity", passed=True, unseen=True)
    commit("main", "2026-01-04", "active_priors", "movement", passed=True)
    commit("main", "2026-01-05", "detector_audits", "leakage", passed=False)
    KillSwitch(reading.settings.home).throw()
    found = colours(reading)
    for question in ("Is the tape whole?", "Is live what batch would say?", "Did the last night end?",
                     "Does anything alarm?", "Is money safe?"):  # fmt: skip
        assert found[question] == "red", (question, found[question])


def test_the_switch_is_moved_by_a_typed_word_alone_and_who_did_it_is_recorded(reading: HomeReading) -> None:
    browser = AsgiClient(Door(console(reading), Entry(8000, TOKEN, hosts_of(8000, "own.localhost"))), "127.0.0.1:8000")
    browser.post("/login", {"token": TOKEN})
    switch = KillSwitch(reading.settings.home)
    token = browser.get("/live").text.partition('name="csrf" value="')[2].partition('"')[0]
    form = {"csrf": token, "move": "halt", "typed": "halt", "reason": "a <drill>", "who": "ana"}
    assert browser.post("/live/switch", {**form, "typed": "hal"}).status == 400
    assert switch.state() == LIFTED
    for move, state in (("halt", HALTED), ("flatten", FLATTENED), ("lift", LIFTED)):
        answer = browser.post("/live/switch", {**form, "move": move, "typed": move})
        assert (answer.status, answer.headers["location"], switch.state()) == (303, "/live/switch", state)
    for place in ("/live", "/live/switch"):
        assert "halt by ana: a &lt;drill&gt;" in browser.get(place).text
    lines = (reading.settings.home / "live" / "alerts.jsonl").read_text().splitlines()
    assert [json.loads(line)["done"] for line in lines] == ["lifted -> halt", "halt -> flatten", "flatten -> lifted"]
    with reading.databases.connect("tr") as connection:
        sent = connection.execute("SELECT intent, envelope FROM tr_outbox").fetchall()
    assert [intent for intent, _ in sent] == ["WATCHDOG_ALERT"] * 3
    assert all("ana" in envelope for _, envelope in sent)


def test_a_dead_letter_is_replayed_once_with_a_reason(reading: HomeReading, databases: Databases) -> None:
    with databases.connect("dm") as connection:
        connection.execute(
            "INSERT INTO dm_inbox (event_id, sender, dedupe_key, lifecycle_id, branch, intent, priority, envelope, "
            "outcome) VALUES ('letter', 'sig', 'k', 'l', 'main', 'META_SIGNAL', 0, '{}', 'dead')"
        )
        connection.execute("INSERT INTO dm_dead_letter VALUES ('letter', 'inbox', 'handler_failed', 'why', '{}')")
    browser = AsgiClient(Door(console(reading), Entry(8000, TOKEN, hosts_of(8000, "own.localhost"))), "127.0.0.1:8000")
    browser.post("/login", {"token": TOKEN})
    assert colours(reading)["Do messages arrive?"] == "red"
    page = browser.get("/letters/dm/inbox/letter").text
    token = page.partition('name="csrf" value="')[2].partition('"')[0]
    form = {"csrf": token, "module": "dm", "event_id": "letter", "place": "inbox", "reason": "mended", "who": "ana"}
    assert browser.post("/letters/replay", {**form, "reason": ""}).status == 400
    assert browser.post("/letters/replay", form).status == 303
    assert browser.post("/letters/replay", form).status == 404
    assert "mended" in browser.get("/network").text
    assert colours(reading)["Do messages arrive?"] == "green"


def test_dagster_names_the_console_only_where_one_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOTUS_CONSOLE_URL", raising=False)
    assert _at_console("lessons", "2026-01-05") == {}
    monkeypatch.setenv("LOTUS_CONSOLE_URL", "http://127.0.0.1:8000")
    assert _at_console("lessons", "2026-01-05")["console"].value == "http://127.0.0.1:8000/lessons?day=2026-01-05"
    assert _at_console("dm_trials", "2026-01-05") == {}


def test_money_is_summed_over_the_days_that_were_priced_with_beliefs_and_without(
    reading: HomeReading, databases: Databases
) -> None:
    facts = home_facts(reading, {})
    assert (facts["money"], facts["curve"]) == ("No day was priced with beliefs and without", "")
    paid = {"2026-01-05": (1.0, 2.0), "2026-01-06": (5.0, -1.5)}
    with databases.connect("sig") as connection:
        for day, (with_usd, without_usd) in paid.items():
            notes = {"notes": {"with_beliefs_usd": with_usd, "without_beliefs_usd": without_usd, "due": 3}}
            commit_day(connection, DayCommit("main", day, "signal_eval", "h", 1, "i", notes))
        commit_day(connection, DayCommit("main", "2026-01-04", "signal_eval", "h", 1, "i", {"notes": {"due": 3}}))
    reading.memory.__init__()  # type: ignore[misc]
    facts = home_facts(reading, {})
    assert facts["money"] == "Beliefs earned +5.50 USD on 2 days to 2026-01-06: +6.00 with them, +0.50 without"
    assert facts["curve"].count("<path") == 2
    assert colours(reading)["What did beliefs earn?"] == "green"
    rows = DAYS.source(reading, DAYS.asked({"order": "day"})).rows
    assert [row["with_sum_usd"] for row in rows] == [1.0, 6.0]
    assert DAYS.source(reading, DAYS.asked({"day": "2026-01-06"})).rows[0]["without_sum_usd"] == 0.5, "of all days"


def test_a_veto_in_force_is_told_with_who_holds_what(reading: HomeReading, databases: Databases) -> None:
    made = CurationAct("", "main", "2026-01-05", "curator:data", "veto", "micro_drift@BTC", 0.0, "gaps", "",
                       "2026-01-06", "2026-01-09").named()  # fmt: skip
    later = replace(made, target="micro_drift", from_day="2026-01-07").named()
    with databases.connect("sig") as connection:
        commit_day(connection, DayCommit("main", "2026-01-05", "active_priors", "h", 1, "i", {"notes": {}}))
        assert held_back(connection, "main") == (False, "nothing")
        put_acts(connection, [made, later])
        said = "vetoed: micro_drift@BTC by curator:data until 2026-01-09 (gaps); to be vetoed: "
        said += "micro_drift by curator:data until 2026-01-09 (gaps), from 2026-01-07 on"
        assert held_back(connection, "main") == (True, said)
    assert colours(reading)["What do acts hold back?"] == "amber"
