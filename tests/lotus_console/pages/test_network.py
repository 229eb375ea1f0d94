"""`lotus_console/pages/network.py`: who is alive, what waits, and letters that are dead in any module."""

import pytest
from sown import put

from lotus_console.pages.network import LETTER_TABLE, LETTERS, MESSAGES, MODULES, letter_facts, network_facts
from lotus_console.reading import HomeReading
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.messages.replicas import ReplicaRow, put_replica
from tests.hostile.console_attacks import MARKUP
from tests.support.asgi_client import AsgiClient

NAMES = ("event_id", "place", "reason", "detail", "envelope")


def dead(connection: Connection, module: str, *values: str) -> None:
    put(connection, f"{module}_dead_letter", **dict(zip(NAMES, values, strict=True)))


def test_nobody_is_registered_and_nothing_waits(reading: HomeReading, browser: AsgiClient) -> None:
    facts = network_facts(reading, {})
    assert facts["title"] == "0 of 0 replicas are alive, 0 letters are dead"
    assert {one["module"] for one in facts["modules"]} == set(MODULES)
    assert all(one["dead"] == one["outbox"] == one["inbox"] == 0 for one in facts["modules"])
    assert LETTER_TABLE.source(reading, LETTER_TABLE.asked({})).title == "No letter is dead"
    assert browser.get("/network").status == browser.get("/letters").status == browser.get("/messages").status == 200


def test_a_silent_replica_is_dead_and_partners_are_the_strongest_that_live(
    reading: HomeReading, databases: Databases
) -> None:
    for name, strength, silent in (("strong", 0.9, True), ("weak", 0.2, False)):
        with databases.owner("tr") as tr:
            row = ReplicaRow(name, "p", ["DM_DECISION"], [], [], ["dm"], "ok", 1.0, 1.0, strength, 0, 0.0, False)
            put_replica(tr, "tr", row)
            if silent:
                tr.execute(
                    "UPDATE tr_replica SET heartbeat_at = now() - interval '1 day' WHERE replica_id = %s", [name]
                )
    with databases.owner("dm") as dm:
        put_replica(dm, "dm", ReplicaRow("d", "p", ["carry"], [], [], ["tr"], "ok", 1.0, 1.0, 0.5, 0, 0.0, False))
    facts = network_facts(reading, {})
    assert facts["title"].startswith("2 of 3 replicas are alive")
    by_name = {one["replica_id"]: one for one in facts["replicas"]}
    assert (by_name["strong"]["state"], by_name["weak"]["state"]) == ("dead", "ok")
    assert (by_name["d"]["partners"], by_name["weak"]["partners"]) == ("tr: weak", "dm: nobody alive")


def test_dead_letters_of_every_module_are_listed_within_a_bound(reading: HomeReading, databases: Databases) -> None:
    for module in MODULES:
        with databases.owner(module) as connection:
            dead(connection, module, f"a of {module}", "inbox", "handler_failed", "x" * 5000, "{}")
    with databases.owner("sig") as sig:
        sig.execute(
            "INSERT INTO sig_dead_letter (event_id, place, reason, detail, envelope) "
            "SELECT 'n' || g, 'outbox', 'expired', '', '{}' FROM generate_series(1, %s) g",
            [LETTERS + 50],
        )
    answer = LETTER_TABLE.source(reading, LETTER_TABLE.asked({"reason": "handler_failed", "order": "module"}))
    assert {row["module"] for row in answer.rows} == set(MODULES)
    assert max(len(row["detail"]) for row in answer.rows) == 500
    assert answer.title == f"{LETTERS + len(MODULES) - 1} letters wait to be looked at"
    whole = LETTER_TABLE.source(reading, LETTER_TABLE.asked({"module": "tr"}))
    assert [row["event_id"] for row in whole.rows] == ["a of tr"]


def test_one_letter_is_shown_as_text(reading: HomeReading, databases: Databases, browser: AsgiClient) -> None:
    with databases.owner("dm") as dm:
        for k, markup in enumerate(MARKUP):
            dead(dm, "dm", f"m{k}", "inbox", "bad_form", markup, markup)
    for k, markup in enumerate(MARKUP):
        assert letter_facts(reading, {"module": "dm", "place": "inbox", "event_id": f"m{k}"})["envelope"] == markup
        text = browser.get(f"/letters/dm/inbox/m{k}").text
        assert "<" not in markup or markup not in text
    for module, place, name in (("dm", "outbox", "m0"), ("pg_catalog", "inbox", "m0"), ("sig", "inbox", "m0")):
        with pytest.raises(LookupError):
            letter_facts(reading, {"module": module, "place": place, "event_id": name})


def test_messages_by_what_became_of_them(reading: HomeReading, sig: Connection) -> None:
    for k, outcome in enumerate((None, "delivered", "dead")):
        row = {"seq": k + 1, "event_id": f"m{k}", "dedupe_key": f"k{k}", "envelope": "{}"}
        put(sig, "sig_outbox", **row, branch="main", intent="META_SIGNAL", outcome=outcome)
    everything = MESSAGES.source(reading, MESSAGES.asked({})).rows
    assert sorted(row["outcome"] for row in everything) == ["dead", "delivered", "waits"]
    dead_ones = MESSAGES.source(reading, MESSAGES.asked({"outcome": "dead", "intent": "META_SIGNAL"})).rows
    assert [row["event_id"] for row in dead_ones] == ["m2"]
