"""The inbox sensor on Dagster's real instance: every message is asked for once while it stays, in whatever order rows
commit, across restarts and lost state; no run key doubles; a failed run is asked for again."""

import multiprocessing
import random
import signal
from collections import Counter
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.storage.tags import RUN_KEY_TAG
from dagster._core.test_utils import create_test_daemon_workspace_context
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon import sensor as sensor_daemon
from dagster._utils.log import get_dagster_logger

from lotus.modules.intents import Module
from lotus_modules.handlers import SLOW
from lotus_sensors import asking, new_inbox
from lotus_sensors.asking import subjects_of
from lotus_store.databases import Connection, Databases

from .asked_ticks import finish, tick
from .conftest import reopened

pytestmark = pytest.mark.process("the database of Dagster, and its daemon")
INSERT = """INSERT INTO {m}_inbox (event_id, sender, dedupe_key, lifecycle_id, branch, intent, priority, envelope)
            VALUES (%(n)s, 'sig', %(n)s, %(n)s, 'main', %(intent)s, 1, '')"""


def put(connection: Connection, name: str, module: str = "sig", intent: str = "WATCHDOG_ALERT") -> None:
    """Insert a message; the caller's transaction stays open."""
    connection.execute(INSERT.format(m=module), {"n": name, "intent": intent})


def asked_for(opened: dg.DagsterInstance) -> Counter[str]:
    """How often each message was asked for, over all runs."""
    return Counter(name for run in opened.get_runs() for name in subjects_of(run.run_config, new_inbox.OP))


def keys_differ(opened: dg.DagsterInstance) -> bool:
    """Tell whether every run has a key of its own."""
    keys = [run.tags[RUN_KEY_TAG] for run in opened.get_runs()]
    return len(keys) == len(set(keys))


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting inside of ticks nor between them."""
    monkeypatch.setattr(sensor_daemon, "is_under_min_interval", lambda *_: False)
    monkeypatch.setattr(new_inbox, "TICK_S", 0.0)


def daemon_tick(environment: dict[str, str], killed_at: str = "") -> None:
    """One pass of Dagster's sensor daemon over the real code location, as a process that has just started."""
    kills = {new_inbox.NAME: {killed_at: signal.SIGKILL}} if killed_at else None
    origin = LoadableTargetOrigin(module_name="lotus_assets.definitions", attribute="defs")
    target = InProcessWorkspaceLoadTarget(InProcessCodeLocationOrigin(origin, location_name="lotus"))
    with reopened(environment) as opened, create_test_daemon_workspace_context(target, opened) as workspace:
        request = workspace.create_request_context()
        for remote in request.code_locations[0].get_repositories()["__repository__"].get_sensors():
            if remote.name != new_inbox.NAME:
                opened.stop_sensor(remote.get_remote_origin_id(), remote.selector_id, remote)
        log = get_dagster_logger()
        errors = list(sensor_daemon.execute_sensor_iteration(workspace, log, None, None, debug_crash_flags=kills))
        assert [e for e in errors if e] == []


@pytest.mark.process("the daemon of Dagster")
def test_rows_that_commit_in_reverse_are_asked_for_once_by_dagsters_daemon(
    databases: Databases, environment: dict[str, str], hurried: None
) -> None:
    late, middle, early = (databases.connect("sig") for _ in range(3))
    for writer, name in ((late, "a"), (middle, "b"), (early, "c")):
        put(writer, name)
    seen = []
    for connection in (early, middle, None, late, None):
        if connection is not None:
            connection.commit()
            connection.close()
        daemon_tick(environment)
        with reopened(environment) as opened:
            seen.append(dict(asked_for(opened)))
            if connection is middle:
                opened.wipe_all_schedules()  # whatever Dagster remembered of this sensor is lost
    with databases.connect("sig") as c:
        arrivals = [n for (n,) in c.execute("SELECT event_id FROM sig_inbox ORDER BY arrival")]
    assert arrivals == ["a", "b", "c"]
    assert seen == [
        {"sig/c": 1}, {"sig/b": 1, "sig/c": 1}, {"sig/b": 1, "sig/c": 1},
        {"sig/a": 1, "sig/b": 1, "sig/c": 1}, {"sig/a": 1, "sig/b": 1, "sig/c": 1},
    ]  # fmt: skip
    with reopened(environment) as opened:
        assert keys_differ(opened)
        assert {run.status.value for run in opened.get_runs()} == {"QUEUED"}


@pytest.mark.parametrize("seam", ["TICK_HELD", "RUN_IDS_RESERVED", "RUN_CREATED", "RUN_LAUNCHED"])
def test_a_daemon_killed_at_a_seam_has_asked_once_when_it_is_back(
    seam: str, databases: Databases, environment: dict[str, str], hurried: None
) -> None:
    with databases.connect("sig") as c:
        put(c, "a")
    with databases.connect("dm") as c:
        put(c, "a", "dm")
    daemon = multiprocessing.get_context("fork").Process(target=daemon_tick, args=(environment, seam))
    daemon.start()
    daemon.join(60)
    assert daemon.exitcode == -signal.SIGKILL
    for _ in range(2):
        daemon_tick(environment)
    with reopened(environment) as opened:
        assert asked_for(opened) == {"sig/a": 1, "dm/a": 1}
        assert keys_differ(opened)
        assert {run.status.value for run in opened.get_runs()} == {"QUEUED"}


@pytest.fixture
def inboxes(databases: Databases) -> Iterator[dict[Module, Connection]]:
    """What a tick reads from."""
    opened = {module: databases.reader(module.value, autocommit=True) for module in SLOW}
    yield opened
    for connection in opened.values():
        connection.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_of_commits_ticks_ends_and_failures_asks_once_while_it_stays(
    seed: int, databases: Databases, persistent: dg.DagsterInstance, inboxes: dict[Module, Connection],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Against a model: a message is asked for again only when the run that was to apply it has failed."""
    monkeypatch.setattr(asking, "RETRY_S", 0.0)
    rng = random.Random(seed)
    writers: list[tuple[Connection, str]] = []
    wanted, runs, committed = Counter[str](), list[dg.DagsterRun](), set[str]()
    for step in range(90):
        act = rng.choice(("write", "write", "commit", "commit", "tick", "tick", "finish", "fail"))
        if act == "write" and len(writers) < 8:
            module, name = rng.choice(("sig", "dm", "tr")), f"m{step}"
            connection = databases.connect(module)
            put(connection, name, module)
            writers.append((connection, f"{module}/{name}"))
        elif act == "commit" and writers:
            connection, name = writers.pop(rng.randrange(len(writers)))
            connection.commit()
            connection.close()
            committed.add(name)
            wanted[name] += 1
        elif act == "tick":
            runs += tick(persistent, inboxes)
            assert +asked_for(persistent) == +wanted
        elif act in ("finish", "fail") and runs:
            run = runs.pop(rng.randrange(len(runs)))
            if act == "finish":
                finish(databases, run, persistent)
            else:
                persistent.report_run_failed(run)
                wanted.update(subjects_of(run.run_config, new_inbox.OP))
    for connection, _ in writers:
        connection.rollback()
        connection.close()
    tick(persistent, inboxes)
    assert +asked_for(persistent) == +wanted
    assert set(wanted) == committed
    assert len(committed) > 10
    assert keys_differ(persistent)
