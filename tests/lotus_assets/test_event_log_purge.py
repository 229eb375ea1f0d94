"""The purge of Dagster's log on a real instance: old runs go, the newest record of every asset and day stays."""

from collections.abc import Iterator
from contextlib import closing

import dagster as dg
import pytest

from lotus_assets.event_log_purge import DAY_S, event_log_purge, purge
from lotus_resources.lotus_resource import Lotus
from lotus_resources.provision import instance, provision
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases

pytestmark = pytest.mark.process("runs of Dagster are made and removed")

NOW_S = 1_800_000_000.0
DAYS = ("2026-01-05", "2026-01-06")
OLD, NEW = NOW_S - 40 * DAY_S, NOW_S - 10 * DAY_S
BEFORE = NOW_S - 30 * DAY_S
KEPT = {"ASSET_MATERIALIZATION": 1, "ASSET_MATERIALIZATION_PLANNED": 1, "ASSET_CHECK_EVALUATION": 1}


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-01-01"))
def frames(context: dg.AssetExecutionContext) -> None:
    """A day of something."""
    context.log.info("a line of a run")


@dg.asset_check(asset=frames)
def whole() -> dg.AssetCheckResult:
    """It always is."""
    return dg.AssetCheckResult(passed=True)


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-01-01"))
def broken() -> None:
    """It fails always."""
    raise dg.Failure("no")


@pytest.fixture
def persistent(settings: Settings, databases: Databases) -> Iterator[dg.DagsterInstance]:
    """An empty instance on PostgreSQL."""
    with instance(provision(settings, databases)) as opened:
        for run in opened.get_runs():
            opened.delete_run(run.run_id)
        opened.event_log_storage.wipe()
        yield opened
        opened.event_log_storage.wipe()


@pytest.fixture
def store(databases: Databases) -> Iterator[Connection]:
    """Dagster's own database."""
    with closing(databases.connect("dagster", autocommit=True)) as connection:
        yield connection


def ran(opened: dg.DagsterInstance, store: Connection, ended_s: float, day: str, works: bool = True) -> str:
    """Run an asset for a day and say that the run ended at a time."""
    assets = [frames, whole] if works else [broken]
    done = dg.materialize(assets, partition_key=day, instance=opened, raise_on_error=False)
    moved = "UPDATE runs SET update_timestamp = to_timestamp(%s) AT TIME ZONE 'UTC' WHERE run_id = %s"
    store.execute(moved, [ended_s, done.run_id])
    moved = "UPDATE asset_check_executions SET create_timestamp = to_timestamp(%s) AT TIME ZONE 'UTC' WHERE run_id = %s"
    store.execute(moved, [ended_s, done.run_id])
    return str(done.run_id)


def history(opened: dg.DagsterInstance, store: Connection) -> dict[str, str]:
    """Two days: the first materialised three times, the last time lately; the second once, long ago; two failures."""
    return {
        "superseded": ran(opened, store, OLD, DAYS[0]),
        "superseded too": ran(opened, store, OLD, DAYS[0]),
        "needed": ran(opened, store, OLD, DAYS[1]),
        "failed": ran(opened, store, OLD, DAYS[1], works=False),
        "new": ran(opened, store, NEW, DAYS[0]),
        "failed lately": ran(opened, store, NEW, DAYS[0], works=False),
    }


def kinds(store: Connection, run_id: str) -> dict[str, int]:
    """What is left of a run's events, by kind."""
    found = "SELECT coalesce(dagster_event_type, 'LOG'), count(*) FROM event_logs WHERE run_id = %s GROUP BY 1"
    return {str(kind): int(str(n)) for kind, n in store.execute(found, [run_id])}


def checks(store: Connection) -> int:
    """How many executions of checks are on record."""
    row = store.execute("SELECT count(*) FROM asset_check_executions").fetchone()
    return int(str((row or (0,))[0]))


def left(opened: dg.DagsterInstance, store: Connection, names: dict[str, str]) -> dict[str, dict[str, int]]:
    """The runs that are left by name, each with what is left of its events; no event is without its run."""
    known = {run_id: name for name, run_id in names.items()}
    orphans = "SELECT count(*) FROM event_logs e WHERE NOT EXISTS (SELECT FROM runs r WHERE r.run_id = e.run_id)"
    assert store.execute(orphans).fetchone() == (0,)
    return {known[run.run_id]: kinds(store, run.run_id) for run in opened.get_runs()}


def test_old_runs_go_and_what_is_needed_stays(persistent: dg.DagsterInstance, store: Connection) -> None:
    names = history(persistent, store)
    before, checks_before = left(persistent, store, names), checks(store)
    assert purge(persistent, store, OLD - DAY_S).runs == 0
    assert left(persistent, store, names) == before
    done = purge(persistent, store, BEFORE)
    after = left(persistent, store, names)
    assert (done.runs, sorted(after)) == (3, ["failed lately", "needed", "new"])
    assert after["new"] == before["new"]
    assert after["failed lately"] == before["failed lately"]
    assert after["needed"] == KEPT
    gone = sum(sum(x.values()) for x in before.values()) - sum(sum(x.values()) for x in after.values())
    assert done.rows == gone + checks_before - checks(store)
    assert checks_before > checks(store) > 0
    (latest_check,) = persistent.event_log_storage.get_latest_asset_check_execution_by_key([whole.check_key]).values()
    assert latest_check.run_id == names["new"]
    assert persistent.get_materialized_partitions(frames.key) == set(DAYS)
    latest = persistent.get_latest_materialization_event(frames.key)
    assert latest is not None
    assert latest.run_id == names["new"]
    assert done.bytes_before > 0
    assert done.bytes_after > 0
    again = purge(persistent, store, BEFORE)
    assert (again.runs, again.rows) == (0, 0)
    assert left(persistent, store, names) == after


@pytest.mark.parametrize("deletions", [0, 1, 2])
@pytest.mark.parametrize("place", ["events", "run"])
def test_killed_half_way_and_run_again_it_ends_the_same(
    deletions: int, place: str, persistent: dg.DagsterInstance, store: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = history(persistent, store)
    holder, name = {"events": (persistent.event_log_storage, "delete_events"), "run": (persistent, "delete_run")}[place]
    real = getattr(holder, name)
    calls = iter(range(9))

    def killed(run_id: str) -> None:
        if next(calls) == deletions:
            raise KeyboardInterrupt
        real(run_id)

    with monkeypatch.context() as m:
        m.setattr(holder, name, killed)
        with pytest.raises(KeyboardInterrupt):
            purge(persistent, store, BEFORE)
    unfinished = len(persistent.get_runs()) - 3
    assert unfinished > 0
    assert purge(persistent, store, BEFORE).runs == unfinished
    after = left(persistent, store, names)
    assert sorted(after) == ["failed lately", "needed", "new"]
    assert after["needed"] == KEPT
    assert purge(persistent, store, BEFORE).rows == 0


def test_a_run_that_has_not_ended_is_left_however_old(persistent: dg.DagsterInstance, store: Connection) -> None:
    job = dg.JobDefinition(graph_def=dg.GraphDefinition(name="nothing"))
    for status in dg.DagsterRunStatus:
        if status not in (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.MANAGED):
            persistent.create_run_for_job(job, status=status)
    store.execute("UPDATE runs SET update_timestamp = '2020-01-01'")
    assert purge(persistent, store, BEFORE).runs == 3
    kept = {run.status.value for run in persistent.get_runs()}
    assert kept == {"NOT_STARTED", "STARTING", "STARTED", "CANCELING", "SUSPENDED"}


def test_the_asset_says_what_it_removed(persistent: dg.DagsterInstance, store: Connection, settings: Settings) -> None:
    ran(persistent, store, 1_000_000_000.0, DAYS[0], works=False)
    lotus = Lotus.open(settings)
    done = dg.materialize([event_log_purge], instance=persistent, resources={"lotus": lotus})
    lotus.close()
    (told,) = done.asset_materializations_for_node("event_log_purge")
    assert told.metadata["runs_removed"].value == 1
    assert set(told.metadata) >= {"keep_days", "rows_removed", "bytes_before", "bytes_after"}
