"""Awareness: the better replica gets the message, and another one when it dies."""

import time
from dataclasses import replace

from lotus.modules.intents import Intent, Module
from lotus.modules.partnership import Partner
from lotus_herald.carry import Carrier
from lotus_herald.consume import Consumer, Delivery
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.outbox import send_many
from lotus_herald.replicas import Directory, Replica
from lotus_herald.routes import load_routes
from lotus_store.databases import Databases
from lotus_store.ledger.replicas import replicas

from .conftest import alert

ROUTES = replace(load_routes(), heartbeat_s=60.0)


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


def test_a_redirection_takes_less_than_one_heartbeat(databases: Databases, keys: Keys) -> None:
    routes = replace(load_routes(), heartbeat_s=2.0)
    with Links(databases) as links:
        directory = Directory(links, routes)
        carrier = Carrier(links, router=directory.choose)
        living, dying = born(links, "living", 400.0), born(links, "dying", 5.0)
        dying.beat(links.get("dm", "in"), routes)
        say(databases, keys, "a")
        carrier.carry(None)
        assert meant_for(databases) == [("a", "dying")]
        died = time.monotonic()
        moved = 0
        while not moved and time.monotonic() < died + 20:
            living.beat(links.get("dm", "in"), routes)
            moved = directory.look()
            time.sleep(0.01)
        assert moved == 1
        assert meant_for(databases) == [("a", "living")]
        assert time.monotonic() - died < 20


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
        assert Directory(links).choose(links.get("dm", "in"), Module.DM) is None
        again = born(links, "r", 1.0)
        assert again.partner == first.partner
