"""Awareness: the better replica gets the message, and another one when it dies."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from click.testing import CliRunner

from lotus.modules.intents import Intent, Module
from lotus.modules.partnership import Partner
from lotus_cli.main import main
from lotus_herald.carry import Carrier
from lotus_herald.consume import Consumer, Delivery
from lotus_herald.identity import CARRY, serves, works
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.outbox import send_many
from lotus_herald.replicas import FAULTS, Directory, Replica
from lotus_herald.routes import Routes
from lotus_modules.handlers import SLOW
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.messages.replicas import replicas

from .conftest import alert

ROUTES = replace(Routes(), heartbeat_s=60.0)


def say(databases: Databases, keys: Keys, *names: str) -> None:
    with databases.connect("sig") as connection:
        send_many(connection, Module.SIG, [alert(name) for name in names], keys)


def meant_for(databases: Databases) -> list[tuple[object, ...]]:
    with databases.connect("dm") as connection:
        return connection.execute("SELECT lifecycle_id, replica FROM dm_inbox ORDER BY arrival").fetchall()


def born(links: Links, name: str, latency_ms: float) -> Replica:
    found = Replica(Module.DM, name, capabilities=("WATCHDOG_ALERT",), partner=Partner(latency_ms, 0.9))
    found.register(links.get("dm", "in"))
    return found


def test_the_faster_replica_gets_the_messages_until_it_dies(databases: Databases, keys: Keys) -> None:
    with Links(databases) as links:
        directory = Directory(links, ROUTES)
        carrier = Carrier(links, router=directory.choose)
        born(links, "slow", 400.0)
        say(databases, keys, "alone")
        carrier.carry(None)
        assert meant_for(databases) == [("alone", None)], "one replica: anybody's"
        born(links, "fast", 5.0)
        directory = Directory(links, ROUTES)
        carrier.router = directory.choose
        say(databases, keys, "a", "b")
        carrier.carry(None)
        assert meant_for(databases)[1:] == [("a", "fast"), ("b", "fast")]
        assert directory.look() == 0
        slow = consumer(links, keys, "slow")
        assert slow.consume(0) == {"applied": 1}, "only what is anybody's"
        with databases.connect("dm") as connection:
            connection.execute("UPDATE dm_replica SET heartbeat_at = now() - interval '31 s' WHERE replica_id = 'fast'")
        assert Directory(links, ROUTES).look() == 2
        assert slow.consume(0) == {"applied": 2}
        told = {row.replica_id: row.silent_s > 30 for row in replicas(links.get("dm", "in"), "dm")}
        assert told == {"fast": True, "slow": False}


def consumer(links: Links, keys: Keys, name: str) -> Consumer:
    def effect(delivery: Delivery) -> str:
        return "applied"

    return Consumer(links.get("dm", "consume"), Module.DM, {Intent.WATCHDOG_ALERT: effect}, keys, replica=name)


@dataclass(slots=True)
class Time:
    """A clock in the hands of the test: passing time ages the heartbeats in the database as well."""

    links: Links
    now_s: float = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def passes(self, seconds: float) -> None:
        self.now_s += seconds
        age = "UPDATE dm_replica SET heartbeat_at = heartbeat_at - make_interval(secs => %s)"
        self.links.get("dm", "in").execute(age, [seconds])


HOUR = replace(Routes(), heartbeat_s=3600.0)  # what the machine itself takes is nothing beside it


@pytest.mark.parametrize("late", [0.0, 0.1, 0.2])
def test_a_redirection_takes_less_than_one_heartbeat(
    databases: Databases, keys: Keys, monkeypatch: pytest.MonkeyPatch, late: float
) -> None:
    """Who dies right after a beat, `late` of a heartbeat after a look, is found dead three quarters later at most."""
    step_s = HOUR.heartbeat_s / 40
    with Links(databases) as links:
        time_of_test = Time(links)
        monkeypatch.setattr("lotus_herald.replicas.time", time_of_test)
        directory = Directory(links, HOUR)
        carrier = Carrier(links, router=directory.choose)
        living, dying = born(links, "living", 400.0), born(links, "dying", 5.0)
        say(databases, keys, "a")
        carrier.carry(None)
        assert meant_for(databases) == [("a", "dying")]
        assert directory.look() == 0
        time_of_test.passes(late * HOUR.heartbeat_s)
        dying.beat(links.get("dm", "in"), HOUR)
        died_s, moved = time_of_test.now_s, 0
        while not moved and time_of_test.now_s < died_s + 2 * HOUR.heartbeat_s:
            time_of_test.passes(step_s)
            living.beat(links.get("dm", "in"), HOUR)
            moved = directory.look()
        assert moved == 1
        assert meant_for(databases) == [("a", "living")]
        assert 0.5 <= (time_of_test.now_s - died_s) / HOUR.heartbeat_s <= 0.75 + 1 / 40


@pytest.mark.parametrize(("silent", "moved"), [(0.49, 0), (0.51, 1)])
def test_the_first_look_after_half_a_heartbeat_of_silence_redirects_and_none_before(
    databases: Databases, keys: Keys, silent: float, moved: int
) -> None:
    with Links(databases) as links:
        born(links, "living", 400.0)
        born(links, "silent", 5.0)
        say(databases, keys, "a")
        Carrier(links, router=Directory(links, HOUR).choose).carry(None)
        assert meant_for(databases) == [("a", "silent")]
        with databases.connect("dm") as connection:
            age = "UPDATE dm_replica SET heartbeat_at = now() - make_interval(secs => %s) WHERE replica_id = 'silent'"
            connection.execute(age, [silent * HOUR.heartbeat_s])
        assert Directory(links, HOUR).look() == moved
        assert meant_for(databases) == [("a", "living" if moved else "silent")]


def test_what_is_measured_survives_a_restart_and_an_orderly_end_is_seen(databases: Databases, keys: Keys) -> None:
    say(databases, keys, *(f"m{k}" for k in range(20)))
    with Links(databases) as links:
        Carrier(links).carry(None)
        first = born(links, "r", 100.0)
        served = consumer(links, keys, "r")
        served.on_applied = first.applied
        served.consume(0)
        assert first.partner.applied == 20
        assert first.partner.reliability > 0.95
        first.end(links.get("dm", "in"))
        assert [row.ended for row in replicas(links.get("dm", "in"), "dm")] == [True]
        assert Directory(links).choose(links.get("dm", "in"), Module.DM, Intent.WATCHDOG_ALERT) is None
        again = born(links, "r", 1.0)
        assert again.partner == first.partner


def test_an_intent_goes_to_those_that_handle_it_only(databases: Databases, keys: Keys) -> None:
    with Links(databases) as links:
        inbox = links.get("dm", "in")
        Replica(Module.DM, "hot", ("ALPHA_PROPOSED",), partner=Partner(1.0, 1.0)).register(inbox)
        works(Module.DM, "dagster", "apply_inbox", SLOW[Module.DM]).register(inbox)
        directory = Directory(links, ROUTES)
        assert directory.choose(inbox, Module.DM, Intent.ALPHA_PROPOSED) == "hot"
        assert directory.choose(inbox, Module.DM, Intent.WATCHDOG_ALERT) is None
        slow, dying = born(links, "slow", 400.0), born(links, "dying", 5.0)
        carrier = Carrier(links, router=Directory(links, ROUTES).choose)
        say(databases, keys, "a")
        carrier.carry(None)
        assert meant_for(databases) == [("a", "dying")]
        dying.end(inbox)
        assert Directory(links, ROUTES).look() == 1
        assert meant_for(databases) == [("a", "slow")], "not to the stronger one that would not know it"
        slow.end(inbox)
        assert Directory(links, ROUTES).look() == 1
        assert meant_for(databases) == [("a", None)]


def test_health_follows_faults_and_a_failing_replica_loses_its_messages(databases: Databases, keys: Keys) -> None:
    with Links(databases) as links:
        inbox = links.get("dm", "in")
        sick, well = born(links, "sick", 5.0), born(links, "well", 400.0)
        say(databases, keys, "a")
        Carrier(links, router=Directory(links, ROUTES).choose).carry(None)
        assert meant_for(databases) == [("a", "sick")]
        seen = []
        for _ in range(FAULTS):
            sick.broke()
            sick.beat(inbox, ROUTES)
            seen.append(next(row.health for row in replicas(inbox, "dm") if row.replica_id == "sick"))
        assert seen == ["faulty", "faulty", "failing"]
        assert sick.partner.reliability < 0.9
        well.beat(inbox, ROUTES)
        assert Directory(links, ROUTES).look() == 1
        assert meant_for(databases) == [("a", "well")]
        served = consumer(links, keys, "sick")
        served.replica, served.on_applied = None, sick.applied
        assert served.consume(0) == {"applied": 1}
        assert (sick.faults, sick.health) == (0, "ok"), "what it applies heals it"


CHILD = """
import sys, time
from lotus.modules.intents import Intent, Module
from lotus_herald.herald import Herald
from lotus_herald.keys import Keys
from lotus_store.config import load_settings
from lotus_store.databases import Databases
import asyncio
settings = load_settings()
handlers = {Module.DM: {Intent.WATCHDOG_ALERT: lambda delivery: "applied"}}
databases, keys, clock = Databases(settings).open(), Keys(settings.keys_root), lambda: 0
herald = Herald(databases, keys, handlers, clock, clock, branch="another", replica="child")  # ours wait for it
asyncio.run(herald.run())
"""


def test_a_process_killed_with_9_is_dead_at_the_first_look_after_its_heartbeats_and_loses_its_messages(
    databases: Databases, keys: Keys, settings: Settings
) -> None:
    environment = {**os.environ, "LOTUS_HOME": str(settings.home), "LOTUS_PG_DSN": settings.server_dsn}
    routes = Routes()
    with Links(databases) as links:
        inbox = links.get("dm", "in")
        living = born(links, "living", 400.0)
        first = Replica(Module.DM, "child", partner=Partner(1.0, 0.95))
        first.register(inbox)
        first.end(inbox)  # what was measured of the child before; it starts again under its name
        child = subprocess.Popen([sys.executable, "-c", CHILD], env=environment)
        try:
            wait_for(lambda: registered(links, "child"), 120.0, lambda: living.beat(inbox, routes))
            row = next(row for row in replicas(inbox, "dm") if row.replica_id == "child")
            assert row.process.endswith(f":{child.pid}")
            assert row.capabilities == ["WATCHDOG_ALERT"]
            assert "urn:schema:sig.watchdog_alert:v1" in row.accepts
            say(databases, keys, "a", "b")
            directory = Directory(links, routes)
            Carrier(links, router=directory.choose).carry(None)
            assert meant_for(databases) == [("a", "child"), ("b", "child")]
            living.beat(inbox, routes)
            assert directory.look() == 0
        finally:
            child.kill()
            child.wait()
        moved, overlooked = 0, []
        deadline = time.monotonic() + 60.0
        while not moved:
            assert time.monotonic() < deadline
            living.beat(inbox, routes)
            due = directory.is_due(Module.DM)
            row = next(row for row in replicas(inbox, "dm") if row.replica_id == "child")
            moved = directory.look()
            if due and not moved and row.silent_s > routes.heartbeat_s / 2:
                overlooked.append(row.silent_s)
            time.sleep(0.02)
        assert moved == 2
        assert meant_for(databases) == [("a", "living"), ("b", "living")]
        assert overlooked == [], "the first look after half a heartbeat of silence finds it"
        row = next(row for row in replicas(inbox, "dm") if row.replica_id == "child")
        assert (row.ended, row.silent_s > routes.heartbeat_s / 2) == (False, True)


def registered(links: Links, name: str) -> bool:
    with suppress(StopIteration):
        row = next(row for row in replicas(links.get("dm", "in"), "dm") if row.replica_id == name)
        return not row.ended and row.silent_s < 1.0
    return False


def wait_for(done: Callable[[], bool], patience_s: float, meanwhile: Callable[[], object]) -> None:
    deadline = time.monotonic() + patience_s
    while not done():
        assert time.monotonic() < deadline
        meanwhile()
        time.sleep(0.02)


def test_the_network_is_printed_whole(databases: Databases, settings: Settings) -> None:
    with Links(databases) as links:
        serves(Module.DM, "daemon", SLOW[Module.DM]).register(links.get("dm", "in"))
        works(Module.SIG, "herald", CARRY).register(links.get("sig", "in"))
        gone = serves(Module.TR, "daemon", SLOW[Module.TR])
        with pytest.raises(ZeroDivisionError), gone.on_duty(links.get("tr", "in")):
            raise ZeroDivisionError
    environment = {"LOTUS_PG_DSN": settings.server_dsn, "COLUMNS": "200"}
    told = CliRunner().invoke(main, ["network", "--home", str(settings.home), "--json"], env=environment)
    found = {(x["module"], x["replica_id"]): x for x in json.loads(told.output)["replicas"]}
    assert {key: x["state"] for key, x in found.items() if key[0] == "tr"} == {("tr", "daemon"): "ended"}
    assert found["dm", "daemon"]["partners"]["tr"] is None
    assert found["sig", "herald"]["capabilities"] == ["carry"]
    text = CliRunner().invoke(main, ["network", "--home", str(settings.home)], env=environment).output
    for words in (
        "WATCHDOG_ALERT",
        "urn:schema:dm.dm_decision:v1",
        "tr (nobody alive)",
        "ended, faulty",
        f":{os.getpid()}",
        "carry",
    ):
        assert words in text


def test_the_carrying_herald_is_in_the_network_until_it_ends(databases: Databases, settings: Settings) -> None:
    environment = {"LOTUS_PG_DSN": settings.server_dsn}
    words = ["herald", "--seconds", "1", "--name", "north", "--home", str(settings.home), "--json"]
    assert CliRunner().invoke(main, words, env=environment).exit_code == 0
    told = CliRunner().invoke(main, ["network", "--home", str(settings.home), "--json"], env=environment)
    found = {x["module"]: x for x in json.loads(told.output)["replicas"]}
    assert list(found) == ["sig", "dm", "tr", "vis"]
    for row in found.values():
        assert (row["replica_id"], row["capabilities"], row["accepts"]) == ("north", ["carry"], [])
        assert row["state"] == "ended"
