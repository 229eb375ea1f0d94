"""Consuming: effect, answers and mark in one transaction; and the Herald's loop over a living deployment."""

import asyncio
import time
from collections.abc import Callable

import pytest

from lotus.errors import BeliefError
from lotus.modules.intents import Intent, Module
from lotus_herald.carry import carry
from lotus_herald.consume import Delivery, consume
from lotus_herald.herald import Herald
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_store.databases import Databases
from lotus_store.ledger.messages import boxes

from .conftest import alert


def write_strand(delivery: Delivery) -> str:
    """An effect in dm's database, and an answer."""
    name = delivery.envelope.lifecycle_id
    delivery.connection.execute(
        "INSERT INTO dm_strand (id, lifecycle_id, kind) VALUES (%s, %s, 'test')", [delivery.envelope.event_id, name]
    )
    if delivery.envelope.sender is Module.SIG:
        delivery.answer(alert(f"answer to {name}", to=(Module.SIG,)))
    return "applied"


HANDLERS = {Intent.WATCHDOG_ALERT: write_strand}


def strands(databases: Databases) -> list[str]:
    with databases.connect("dm") as connection:
        return [str(r[0]) for r in connection.execute("SELECT lifecycle_id FROM dm_strand ORDER BY 1")]


def say(databases: Databases, keys: Keys, *names: str) -> None:
    with databases.connect("sig") as connection:
        for name in names:
            send(connection, Module.SIG, alert(name), keys)


def test_effect_answer_and_mark_come_together(databases: Databases, keys: Keys) -> None:
    say(databases, keys, "a", "b")
    carry(databases)
    assert consume(databases, Module.DM, HANDLERS, keys, 0) == {"applied": 2}
    assert consume(databases, Module.DM, HANDLERS, keys, 0) == {}
    assert strands(databases) == ["a", "b"]
    assert carry(databases).delivered == {"sig": 2}


def test_a_fault_leaves_the_message_waiting_and_no_trace(databases: Databases, keys: Keys) -> None:
    def faulty(delivery: Delivery) -> str:
        write_strand(delivery)
        raise ZeroDivisionError

    say(databases, keys, "a")
    carry(databases)
    with pytest.raises(ZeroDivisionError):
        consume(databases, Module.DM, {Intent.WATCHDOG_ALERT: faulty}, keys, 0)
    assert strands(databases) == []
    assert consume(databases, Module.DM, HANDLERS, keys, 0) == {"applied": 1}


def test_a_refusal_is_a_replayable_dead_letter_without_effect(databases: Databases, keys: Keys) -> None:
    def refuses(delivery: Delivery) -> str:
        write_strand(delivery)
        raise BeliefError("no such belief")

    say(databases, keys, "a")
    carry(databases)
    assert consume(databases, Module.DM, {Intent.WATCHDOG_ALERT: refuses}, keys, 0) == {"dead": 1}
    assert strands(databases) == []
    with databases.connect("dm") as connection:
        letter = boxes.dead_letters(connection, "dm")[0]
        assert (letter.reason, letter.detail) == ("handler_failed", "BeliefError: no such belief")
        assert boxes.replay(connection, "dm", letter.event_id, "inbox")
    assert consume(databases, Module.DM, HANDLERS, keys, 0) == {"applied": 1}
    assert strands(databases) == ["a"]


def test_what_nobody_listens_to_is_a_dead_letter(databases: Databases, keys: Keys) -> None:
    say(databases, keys, "a")
    carry(databases)
    assert consume(databases, Module.DM, {}, keys, 0) == {"dead": 1}
    with databases.connect("dm") as connection:
        assert boxes.dead_letters(connection, "dm")[0].reason == "no_handler"


def test_the_loop_wakes_at_a_hint_and_carries_answers(databases: Databases, keys: Keys) -> None:
    clock = {"event": 5}
    herald = Herald(
        databases,
        keys,
        {Module.DM: HANDLERS, Module.SIG: {Intent.WATCHDOG_ALERT: lambda _: "applied"}},
        event_time_ms=lambda: clock["event"],
        now_ms=lambda: 1_735_689_600_000,
        poll_s=3600.0,  # after its first look nothing but a hint makes it look again
    )

    async def live() -> None:
        loop = asyncio.create_task(herald.run())
        await until(lambda: herald.passes > len(Module) and listening(databases) == len(Module))
        passes = herald.passes
        await asyncio.to_thread(say, databases, keys, "a")
        await until(lambda: answered(databases))
        await until(lambda: herald.passes > passes)
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)

    asyncio.run(live())
    assert strands(databases) == ["a"]


async def until(done: Callable[[], bool], patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while not await asyncio.to_thread(done):
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.02)


def listening(databases: Databases) -> int:
    """Return in how many databases a connection listens for messages put into the inbox, the last channel of all."""
    found = 0
    for module in Module:
        with databases.connect(module.value) as connection:
            told = "SELECT 1 FROM pg_stat_activity WHERE query = 'LISTEN lotus_inbox' AND datname = current_database()"
            found += connection.execute(told).fetchone() is not None
    return found


def answered(databases: Databases) -> bool:
    with databases.connect("sig") as connection:
        done = connection.execute("SELECT count(*) FROM sig_inbox WHERE consumed_at IS NOT NULL").fetchone()
    return done == (1,)
