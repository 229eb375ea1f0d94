"""Outbox, Herald and inbox as a state machine with crashes at every failpoint, clock jumps, re-delivery and replays.

The model knows what was said and committed, and until when it may live. Whatever happens, an effect comes at most once;
once everything is carried and consumed, every message was applied or is an expired dead letter, and one that never
expires was applied.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from pace import examples

from lotus.modules.intents import Intent, Module
from lotus_herald.carry import Carrier, no_failpoint
from lotus_herald.consume import Consumer, Delivery
from lotus_herald.gaps import GapWatch
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.outbox import send_many
from lotus_store.databases import Databases
from lotus_store.ledger.messages import boxes
from lotus_store.postgres.queries import query

from .conftest import alert

START_MS = 1_735_689_600_000
EFFECTS = "CREATE TABLE IF NOT EXISTS effects (name text); GRANT ALL ON effects TO PUBLIC"
CARRY_FAILPOINTS = st.sampled_from(["", "", "claimed", "put in", "delivered", "marking", "marked"])
CONSUME_FAILPOINTS = st.sampled_from(["", "", "applied", "consuming", "consumed"])


class CrashError(BaseException):
    """The process dies here (no product code may catch it)."""


def dies_at(failpoint: str) -> Callable[[str], None]:
    def at(label: str) -> None:
        if label == failpoint:
            raise CrashError

    return at if failpoint else no_failpoint


class Model:
    """What was said and committed, with its end of life (None: never)."""

    def __init__(self) -> None:
        self.said: dict[str, int | None] = {}

    def say(self, names: list[str], ends_ms: int | None) -> None:
        for name in names:
            self.said.setdefault(name, ends_ms)

    def allowed(self, applied: Counter[str], expired: set[str]) -> bool:
        mortal = {name for name, end in self.said.items() if end is not None}
        return (
            set(applied) | expired == set(self.said) and set(self.said) - mortal <= set(applied) and expired <= mortal
        )


class Messages(RuleBasedStateMachine):
    """The rules; `databases` and `keys` are put in by the test."""

    databases: Databases
    keys: Keys

    @initialize()
    def begin(self) -> None:
        for name in ("sig", "dm", "atlas"):
            with self.databases.owner(name) as connection:
                connection.execute(query("common", "empty_all"))
        self.model, self.now_ms, self.n = Model(), START_MS, 0
        self.links = Links(self.databases)

    @rule(n=st.integers(1, 4), priority=st.integers(0, 2), ttl_sec=st.sampled_from([0, 0, 30]), commits=st.booleans())
    def say(self, n: int, priority: int, ttl_sec: int, commits: bool) -> None:
        names = [f"m{self.n + k}" for k in range(n)]
        with closing(self.databases.connect("sig")) as connection:
            said = [alert(name, priority=priority, ttl_sec=ttl_sec, ts=self.now_ms) for name in names]
            send_many(connection, Module.SIG, said, self.keys)
            if commits:
                connection.commit()
                self.model.say(names, self.now_ms + ttl_sec * 1000 if ttl_sec else None)
        self.n += n * commits

    @rule()
    def say_again(self) -> None:
        with self.databases.connect("sig") as connection:
            send_many(connection, Module.SIG, [alert(name) for name in self.model.said], self.keys)

    @rule(failpoint=CARRY_FAILPOINTS)
    def carry(self, failpoint: str) -> None:
        try:
            Carrier(self.links, "main", failpoint=dies_at(failpoint)).carry(self.now_ms, [Module.SIG])
        except CrashError:
            self.restart()

    @rule(failpoint=CONSUME_FAILPOINTS)
    def consume(self, failpoint: str) -> None:
        connection = self.links.get("dm", "consume")
        try:
            Consumer(
                connection, Module.DM, {Intent.WATCHDOG_ALERT: effect}, self.keys, failpoint=dies_at(failpoint)
            ).consume(0)
        except CrashError:
            self.restart()

    @rule(jump_s=st.sampled_from([-3600, -1, 5, 60, 86_400]))
    def jump(self, jump_s: int) -> None:
        self.now_ms = max(self.now_ms + jump_s * 1000, START_MS)

    @rule()
    def deliver_again(self) -> None:
        with self.databases.connect("sig") as connection:
            connection.execute("UPDATE sig_outbox SET dispatched_at = NULL, outcome = NULL WHERE outcome = 'delivered'")

    @rule()
    def replay(self) -> None:
        with self.databases.connect("sig") as connection:
            for letter in boxes.dead_letters(connection, "sig"):
                assert boxes.replay(connection, "sig", letter.event_id, "outbox")

    @rule()
    def restart(self) -> None:
        self.links.close()
        self.links = Links(self.databases)

    @invariant()
    def nothing_twice_and_nothing_unsaid(self) -> None:
        if hasattr(self, "model"):
            applied = self.applied()
            assert all(n == 1 for n in applied.values())
            assert set(applied) <= set(self.model.said)

    def applied(self) -> Counter[str]:
        with self.databases.connect("dm") as connection:
            return Counter(str(row[0]) for row in connection.execute("SELECT name FROM effects"))

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        self.carry("")
        self.consume("")
        with self.databases.connect("sig") as connection:
            text = "SELECT lifecycle_id FROM sig_outbox WHERE outcome = 'dead'"
            expired = {str(row[0]) for row in connection.execute(text)}
        assert self.model.allowed(self.applied(), expired)
        assert GapWatch(self.links).look(Module.SIG) == {}
        with suppress(CrashError):
            self.links.close()


def effect(delivery: Delivery) -> str:
    delivery.connection.execute("INSERT INTO effects VALUES (%s)", [delivery.envelope.lifecycle_id])
    return "applied"


@pytest.mark.process("a stateful machine over four databases")
def test_messages_under_crashes_jumps_and_repetition(databases: Databases, keys: Keys) -> None:
    with databases.owner("dm") as connection:
        connection.execute(EFFECTS)
    machine = type("Bound", (Messages,), {"databases": databases, "keys": keys})
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples(12),
                stateful_step_count=14,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
                derandomize=True,
            ),
        )
    finally:
        with databases.owner("dm") as connection:
            connection.execute("DROP TABLE effects")
