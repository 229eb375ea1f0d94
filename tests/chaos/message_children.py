"""Processes of the message campaign: senders, Heralds, receivers that can be killed at a failpoint, and their ledger.

A child dies by its own hand when it comes to the armed failpoint, or kills the database server there; everything else
about it is product code. Effects are rows of a table without any key, so that a message applied twice is two rows.
"""

import mmap
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import psycopg
from children import server_pids

from lotus.errors import LedgerError
from lotus.hashing import natural_id
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module
from lotus.priors.types import priors_version
from lotus_herald.carry import Carrier
from lotus_herald.consume import Consumer, Delivery
from lotus_herald.gaps import GapWatch
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.outbox import send_many
from lotus_modules.handlers import SLOW
from lotus_modules.priors.prior_patch import propose
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.priors import in_force_at
from lotus_store.ledger.messages.boxes import lag

TS = 1_735_689_600_000
DAY = "2025-01-01"
EFFECTS = "CREATE TABLE IF NOT EXISTS chaos_effects (event_id text, name text); GRANT ALL ON chaos_effects TO PUBLIC"
MOST_WAITING = 500  # before the sender pauses
DOWN = (LedgerError, psycopg.OperationalError)
FAILPOINTS = {
    "sender": ("before commit", "committed"),
    "herald": ("claimed", "put in", "delivered", "marking", "marked"),
    "receiver": ("applied", "consuming", "consumed"),
}


class Board:
    """What parent and children share: the armed failpoint, and how much the sender shall say."""

    def __init__(self) -> None:
        """Nothing is armed, nothing wanted."""
        self._memory = mmap.mmap(-1, 128)

    def arm(self, failpoint: str, victim: str) -> None:
        """Make the next child at `failpoint` kill itself (`self`) or the server (`server`, `stop`: immediate)."""
        text = f"{victim}|{failpoint}".encode()
        self._memory[:48] = text + bytes(48 - len(text))

    def disarm(self) -> None:
        """Let everybody live."""
        self._memory[:48] = bytes(48)

    @property
    def armed(self) -> str:
        """What is armed, "" for nothing."""
        return self._memory[:48].rstrip(b"\0").decode()

    @property
    def sending(self) -> bool:
        """Whether the sender goes on."""
        return self._memory[64] == 0

    def stop_sending(self) -> None:
        """Let the sender end after its present transaction."""
        self._memory[64] = 1

    def failpoint(self, home: Path) -> Callable[[str], None]:
        """Return what product code calls at its failpoints."""

        def at(label: str) -> None:
            victim, _, failpoint = self.armed.partition("|")
            if failpoint != label or not victim:
                return
            self.disarm()
            if victim == "self":
                os.kill(os.getpid(), signal.SIGKILL)
            stop_server(home, immediate=victim == "stop")

        return at


def stop_server(home: Path, immediate: bool) -> bool:
    """Stop the server at once: PostgreSQL's immediate stop, or SIGKILL; its supervisor starts it again."""
    server, _ = server_pids(home)
    if server is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(server, signal.SIGQUIT if immediate else signal.SIGKILL)
        return True
    return False


def said(name: str, to: Module) -> Message:
    """Return the message of a name."""
    return Message(
        to=(to,),
        intent=Intent.WATCHDOG_ALERT,
        branch="main",
        schema_ref="urn:schema:sig.watchdog_alert:v1",
        payload={
            "branch": "main", "day": "2025-01-01", "braid_id": name, "detector_id": "é", "kind": "sunset", "reason": "",
            "e_value": 2.5, "priors_ver": natural_id(name),
        },
        ts=TS,
        dedupe_key=natural_id(name),
        lifecycle_id=name,
    )  # fmt: skip


def effect(delivery: Delivery) -> str:
    """Leave one row for each application; dm answers what sig said."""
    name = delivery.envelope.lifecycle_id
    delivery.connection.execute("INSERT INTO chaos_effects VALUES (%s, %s)", [delivery.envelope.event_id, name])
    if delivery.module is Module.DM:
        delivery.answer(said(f"answer to {name}", Module.SIG))
    return "applied"


def run_sender(home: Path, board: Board, seed: int) -> int:
    """Say messages in transactions of random size until told to stop, and swap priors now and then."""
    dice, keys, failpoint = random.Random(seed), Keys(home / "keys"), board.failpoint(home)
    with Databases(Settings(home), migrated=False) as databases:
        while board.sending:
            with suppress(*DOWN), closing(databases.connect("sig")) as connection:
                while board.sending:
                    if dice.random() < 0.1 and waiting_of(databases) > MOST_WAITING:
                        time.sleep(0.2)
                        continue
                    row = connection.execute("SELECT count(*) FROM sig_outbox WHERE lifecycle_id LIKE 'm%'").fetchone()
                    first = int(str(row[0])) if row else 0
                    names = [f"m{first + k}" for k in range(dice.choice((1, 1, 5, 20, 60)))]
                    send_many(connection, Module.SIG, [said(name, Module.DM) for name in names], keys)
                    if dice.random() < 0.1:
                        swap_priors(connection, keys)
                    failpoint("before commit")
                    connection.commit()
                    failpoint("committed")
                    time.sleep(dice.uniform(0.0, 0.02))
    return 0


def waiting_of(databases: Databases) -> int:
    """Return how many messages wait in front of a receiver."""
    n = 0
    for name in ("sig", "dm"):
        with databases.connect(name) as connection:
            n += lag(connection, name).inbox
    return n


def swap_priors(connection: psycopg.Connection[tuple[object, ...]], keys: Keys) -> None:
    """Propose the next version of the priors, which must follow the one in force."""
    row = connection.execute("SELECT COALESCE(max(effective_from_ms), %s) FROM priors_in_force", [TS]).fetchone()
    from_ms = (int(str(row[0])) if row else TS) + 60_000
    before = in_force_at(connection, "main", from_ms - 1)
    propose(connection, priors_version("main", from_ms, ()), DAY, before.priors_ver, keys)


def run_herald(home: Path, board: Board) -> int:
    """Carry for ever."""
    with Databases(Settings(home), migrated=False) as databases, Links(databases) as links:
        carrier, watch = Carrier(links, "main", failpoint=board.failpoint(home)), GapWatch(links)
        passes = 0
        while True:
            done = carrier.carry(TS)
            passes += 1
            if passes % 20 == 0:
                with suppress(*DOWN):
                    watch.look(Module.SIG)
            if not done.total:
                time.sleep(0.005)


def run_receiver(home: Path, board: Board) -> int:
    """Consume for dm and sig for ever."""
    keys, failpoint = Keys(home / "keys"), board.failpoint(home)
    alert = {Intent.WATCHDOG_ALERT: effect}
    handlers = {Module.DM: alert, Module.SIG: {**SLOW[Module.SIG], **alert}}
    with Databases(Settings(home), migrated=False) as databases:
        while True:
            with suppress(*DOWN), Links(databases) as links:
                while True:
                    n = 0
                    for module, known in handlers.items():
                        connection = links.get(module.value, "in")
                        n += sum(
                            Consumer(connection, module, known, keys, "main", failpoint=failpoint).consume(0).values()
                        )
                    if not n:
                        time.sleep(0.005)


def open_home(home: Path) -> int:
    """Make the databases and the tables of effects."""
    with Databases(Settings(home)) as databases:
        for name in ("sig", "dm"):
            with databases.owner(name) as connection:
                connection.execute(EFFECTS)
    return 0
