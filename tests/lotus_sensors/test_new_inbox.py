"""The inbox sensor asks for slow messages of its branch, wherever they wait, once."""

import time
from collections import Counter
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.storage.tags import RUN_KEY_TAG

from lotus.modules.intents import Module
from lotus_modules.handlers import SLOW
from lotus_sensors import asking, new_inbox
from lotus_sensors.asking import subjects_of
from lotus_store.databases import Connection, Databases

from .asked_ticks import finish, tick

pytestmark = pytest.mark.process("the database of Dagster, and its daemon")
INSERT = """INSERT INTO {m}_inbox (event_id, sender, dedupe_key, lifecycle_id, branch, intent, priority, envelope)
            VALUES (%(n)s, 'sig', %(n)s, %(n)s, 'main', %(intent)s, 1, '')"""


def put(connection: Connection, name: str, module: str = "sig", intent: str = "WATCHDOG_ALERT") -> None:
    """Insert a message; the caller's transaction stays open."""
    connection.execute(INSERT.format(m=module), {"n": name, "intent": intent})


def asked_for(opened: dg.DagsterInstance) -> Counter[str]:
    """How often each message was asked for, over all runs."""
    return Counter(name for run in opened.get_runs() for name in subjects_of(run.run_config, new_inbox.OP))


@pytest.fixture
def inboxes(databases: Databases) -> Iterator[dict[Module, Connection]]:
    """What a tick reads from."""
    opened = {module: databases.reader(module.value, autocommit=True) for module in SLOW}
    yield opened
    for connection in opened.values():
        connection.close()


def test_a_failed_runs_messages_rest_and_a_killed_runs_are_asked_for_again(
    databases: Databases, persistent: dg.DagsterInstance, inboxes: dict[Module, Connection],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with databases.connect("sig") as c:
        put(c, "a")
    first = new_inbox.requests(persistent, inboxes, "main")
    assert [r.run_key for r in first] == [r.run_key for r in new_inbox.requests(persistent, inboxes, "main")]
    (run,) = tick(persistent, inboxes)
    persistent.report_run_failed(run)
    assert tick(persistent, inboxes) == []
    known = asking.asked(persistent, new_inbox.NAME, new_inbox.OP, time.time() + asking.RETRY_S + 1)
    assert (known.taken, known.newest) == (frozenset(), run.run_id)
    monkeypatch.setattr(asking, "RETRY_S", 0.0)
    (again,) = tick(persistent, inboxes)
    assert again.tags[RUN_KEY_TAG] != run.tags[RUN_KEY_TAG]
    assert tick(persistent, inboxes) == []
    later = asking.asked(persistent, new_inbox.NAME, new_inbox.OP, time.time() + asking.DEAD_S + 1)
    assert later.taken == frozenset(), "a run that says nothing for that long was killed"


def test_only_slow_messages_of_the_branch_are_asked_for_in_every_inbox_where_they_wait(
    databases: Databases, persistent: dg.DagsterInstance, inboxes: dict[Module, Connection]
) -> None:
    for module, intent in (("sig", "WATCHDOG_ALERT"), ("dm", "WATCHDOG_ALERT"), ("tr", "EXEC_REPORT")):
        with databases.connect(module) as c:
            put(c, "a", module, intent)
    with databases.connect("sig") as c:
        put(c, "other")
        c.execute("UPDATE sig_inbox SET branch = 'backfill-1' WHERE event_id = 'other'")
    made = tick(persistent, inboxes)
    assert asked_for(persistent) == {"sig/a": 1, "dm/a": 1}
    assert sorted(run.tags["lotus/module"] for run in made) == ["dm", "sig"]
    finish(databases, made[0], persistent)
    assert tick(persistent, inboxes) == []
