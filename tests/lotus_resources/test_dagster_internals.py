"""What Dagster does not promise, held against the Dagster that is installed: one test for each function."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from importlib import import_module
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy
import yaml
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.schedule_storage import PostgresScheduleStorage

from lotus.errors import ConfigError
from lotus_resources import dagster_internals as internals
from lotus_resources.dagster_home import BATCH_ENV, TEMPLATE
from lotus_resources.provision import instance, provision
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.processes import own_tags

pytestmark = pytest.mark.process("runs of Dagster are made, and its programs started")

DAY, LATER_S = "2026-01-05", 4_000_000_000.0  # later than every run of a test
ENDED = ["SUCCESS"]
NOBODY = "postgresql+psycopg2://nobody@localhost:1/none"
DAYS = dg.DailyPartitionsDefinition("2026-01-01")
WHOLE_RANGE = dg.BackfillPolicy.single_run()


@dg.asset(partitions_def=DAYS, backfill_policy=WHOLE_RANGE)
def frames() -> None:
    """A day of something."""


@dg.asset(partitions_def=DAYS, deps=[frames], backfill_policy=WHOLE_RANGE)
def events() -> None:
    """What is made of it."""


REPOSITORY = dg.Definitions([frames, events]).get_repository_def()


def no_run() -> None:
    """Asks for nothing."""


@pytest.fixture
def opened(settings: Settings, databases: Databases) -> Iterator[dg.DagsterInstance]:
    """An instance on PostgreSQL without runs."""
    with instance(provision(settings, databases)) as persistent:
        for run in persistent.get_runs():
            persistent.delete_run(run.run_id)
        persistent.event_log_storage.wipe()
        yield persistent
        persistent.event_log_storage.wipe()


@pytest.fixture
def store(opened: dg.DagsterInstance, databases: Databases) -> Iterator[Connection]:
    """Dagster's own database."""
    with closing(databases.connect("dagster", autocommit=True)) as connection:
        yield connection


def make(persistent: dg.DagsterInstance, asset: dg.AssetsDefinition) -> Mapping[str, str]:
    """Materialise the day of one asset; return the tags of its materialisation."""
    dg.materialize([frames, events], instance=persistent, selection=[asset], partition_key=DAY)
    latest = persistent.get_latest_materialization_event(asset.key)
    assert latest is not None
    assert latest.asset_materialization is not None
    return dict(latest.asset_materialization.tags or {})


def test_a_workspace_that_nobody_serves_is_named(tmp_path: Path, opened: dg.DagsterInstance) -> None:
    workspace = tmp_path / "workspace.json"
    entry = {"grpc_server": {"socket": str(tmp_path / "none.sock"), "location_name": "lotus"}}
    workspace.write_text(json.dumps({"load_from": [entry]}))
    with pytest.raises(ConfigError, match="no code location"), internals.submitting(opened, workspace):
        pass


def test_a_sensor_tags_its_runs() -> None:
    sensor = dg.SensorDefinition(name="asker", evaluation_fn=no_run, asset_selection=dg.AssetSelection.all())
    assert internals.tags_of_sensor("asker") == dg.DagsterRun.tags_for_sensor(sensor)


def test_a_run_carries_the_key_of_its_request() -> None:
    key = internals.tags_of_run_key("a key")
    assert key == {"dagster/run_key": "a key"}
    assert (internals.run_key_of(key), internals.run_key_of({})) == ("a key", "")


def test_two_tags_select_a_range_of_partitions(opened: dg.DagsterInstance) -> None:
    job = internals.job_of(REPOSITORY, [frames.key])
    assert job is not None
    job.execute_in_process(
        instance=opened, asset_selection=[frames.key], tags=internals.range_tags("2026-01-05", "2026-01-07")
    )
    assert opened.get_materialized_partitions(frames.key) == {"2026-01-05", "2026-01-06", "2026-01-07"}


def test_a_materialisation_tells_its_versions_by_tags(opened: dg.DagsterInstance) -> None:
    tags = internals.version_tags("content", "code")
    opened.report_runless_asset_event(dg.AssetMaterialization(frames.key, partition=DAY, tags=tags))
    assert "content" in internals.input_tags(opened, "frames", DAY, is_source=False).values()
    assert tags.keys() <= make(opened, frames).keys()
    assert internals.version_tags("content").keys() < tags.keys()


def test_inputs_are_named_by_the_tags_that_dagster_itself_writes(opened: dg.DagsterInstance) -> None:
    unmade = internals.input_tags(opened, "frames", DAY, is_source=False)
    version = make(opened, frames)["dagster/data_version"]
    found = internals.input_tags(opened, "frames", DAY, is_source=False)
    written = make(opened, events)
    assert unmade.keys() == found.keys() <= written.keys()
    assert set(found.values()) == {version, written["dagster/input_event_pointer/frames"]}
    assert set(unmade.values()).isdisjoint(found.values())


def test_a_job_covers_assets_of_one_scheme() -> None:
    job = internals.job_of(REPOSITORY, [frames.key, events.key])
    assert job is not None
    assert {frames.key, events.key} <= set(job.asset_layer.executable_asset_keys)


def test_the_daemon_runs_as_a_module(tmp_path: Path) -> None:
    command = internals.daemon_command(tmp_path / "workspace.yaml")
    done = subprocess.run([sys.executable, "-m", *command[:2], "--help"], capture_output=True, text=True, check=True)
    assert command[2] in done.stdout


def test_the_pages_are_guarded_and_served_by_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["dagster-webserver", "--empty-workspace", "-p", "0"])
    served: list[tuple[str, object]] = []
    with pytest.raises(SystemExit) as ended:
        internals.serve_pages(lambda app: ("guarded", app), lambda app, **_: served.append(app))
    assert ended.value.code == 0
    assert [(word, callable(app)) for word, app in served] == [("guarded", True)]


def test_a_pool_has_a_limit(opened: dg.DagsterInstance) -> None:
    internals.limit_pool(opened, "narrow", 3)
    assert {pool.name: pool.limit for pool in opened.event_log_storage.get_pool_limits()}["narrow"] == 3


def test_a_run_is_failed_from_outside(opened: dg.DagsterInstance) -> None:
    job = dg.JobDefinition(graph_def=dg.GraphDefinition(name="nothing"))
    run = opened.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    internals.fail_run(opened, run, "its process is gone")
    failed = opened.get_run_by_id(run.run_id)
    assert failed is not None
    assert failed.status is dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize(
    ("kind", "connect"),
    [
        (PostgresRunStorage, "connect"),
        (PostgresEventLogStorage, "index_connection"),
        (PostgresScheduleStorage, "connect"),
    ],
)
def test_a_storage_connects_through_the_engine_it_was_given(kind: type[PostgresRunStorage], connect: str) -> None:
    class UsedError(Exception):
        """The engine of the test was asked for a connection."""

    def refuse() -> None:
        raise UsedError

    storage = kind(NOBODY, should_autocreate_tables=False)
    ours = sqlalchemy.create_engine(NOBODY, creator=refuse)
    assert isinstance(internals.engine_of(storage), sqlalchemy.Engine)
    assert internals.engine_of(internals.set_engine(storage, ours)) is ours
    with pytest.raises(UsedError), getattr(storage, connect)():
        pass


def test_validation_is_known_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(import_module("dagster._cli.definitions").__file__ or "").read_text(encoding="utf-8")
    assert '"DAGSTER_IS_DEFS_VALIDATION_CLI"' in source
    assert not internals.only_validates()
    monkeypatch.setenv("DAGSTER_IS_DEFS_VALIDATION_CLI", "1")
    assert internals.only_validates()


def test_a_superseded_run_is_deleted_and_the_newest_stays(opened: dg.DagsterInstance, store: Connection) -> None:
    make(opened, frames)
    make(opened, frames)
    newest = opened.get_runs(limit=1)[0].run_id
    assert internals.delete_runs(opened, store, 0.0, ENDED) == (0, 0)
    runs, rows = internals.delete_runs(opened, store, LATER_S, ENDED)
    assert runs == 1
    assert rows > 0
    assert [run.run_id for run in opened.get_runs()] == [newest]


def test_of_a_run_that_stays_its_log_is_trimmed(opened: dg.DagsterInstance, store: Connection) -> None:
    make(opened, frames)
    assert internals.trim_runs(store, 0.0, ENDED) == 0
    assert internals.trim_runs(store, LATER_S, ENDED) > 0
    assert opened.get_materialized_partitions(frames.key) == {DAY}


def test_the_database_has_a_size(store: Connection) -> None:
    assert internals.stored_bytes(store) > 0


def test_the_file_of_the_instance_names_classes_that_exist() -> None:
    named = [part for part in yaml.safe_load(TEMPLATE.read_text()).values() if "class" in part]
    assert len(named) == 4
    for part in named:
        assert hasattr(import_module(part["module"]), part["class"])


def test_no_other_file_uses_a_private_name() -> None:
    root = Path(internals.__file__).parent.parent
    files = [path for path in root.glob("lotus*/**/*.py") if path != Path(internals.__file__)]
    private = re.compile(r"dagster\w*\._|\.(event_log|run|schedule)_storage\.")
    assert [str(path) for path in files if private.search(path.read_text(encoding="utf-8"))] == []


def test_the_pages_hide_the_tags_that_name_a_process() -> None:
    hidden = import_module("dagster._core.storage.tags").HIDDEN_TAG_PREFIX
    assert all(tag.startswith(hidden) for tag in own_tags())


def test_an_event_is_stored_over_one_connection_and_tables_are_looked_for_once(opened: dg.DagsterInstance) -> None:
    storage = opened.event_log_storage
    assert isinstance(storage, internals.EventsOverOneConnection)
    taken: list[object] = []
    engine = internals.engine_of(storage)
    sqlalchemy.event.listen(engine, "checkout", lambda *_: taken.append(1))
    opened.report_runless_asset_event(dg.AssetMaterialization("frames", partition=DAY, tags={"a": "b"}))
    first = len(taken)
    opened.report_runless_asset_event(dg.AssetMaterialization("frames", partition=DAY, tags={"a": "c"}))
    assert len(taken) - first == 1
    (newest,) = opened.fetch_materializations(dg.AssetKey("frames"), limit=1).records
    assert newest.asset_materialization is not None
    assert newest.asset_materialization.tags == {"a": "c"}
    assert storage.has_table("asset_event_tags")
    assert not storage.has_table("no_such_table")


def test_an_event_that_fails_leaves_nothing(opened: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no asset row")

    with monkeypatch.context() as broken:
        broken.setattr(PostgresEventLogStorage, "_store_asset_event", fails)
        with pytest.raises(RuntimeError):
            opened.report_runless_asset_event(dg.AssetMaterialization("frames", partition=DAY))
    assert not opened.fetch_materializations(dg.AssetKey("frames"), limit=1).records


@dg.asset(partitions_def=DAYS, backfill_policy=WHOLE_RANGE, check_specs=[dg.AssetCheckSpec("whole", asset="kept")])
def kept():  # type: ignore[no-untyped-def]
    """Something with a check."""


PLANNED_ROWS = (
    "SELECT dagster_event_type, step_key, asset_key, partition FROM event_logs WHERE run_id = :run ORDER BY id",
    """SELECT asset_key, last_run_id = :run, last_materialization IS NULL, last_materialization_timestamp IS NULL
    FROM asset_keys ORDER BY asset_key""",
    """SELECT c.asset_key, check_name, c.partition, execution_status, dagster_event_type, l.event = evaluation_event
    FROM asset_check_executions c JOIN event_logs l ON l.id = evaluation_event_storage_id
    WHERE c.run_id = :run ORDER BY c.id""",
)


def planned_rows(opened: dg.DagsterInstance, run_id: str) -> list[list[tuple[object, ...]]]:
    """Return what a planned run left by table, without numbers, texts and times that name the run."""
    with internals.engine_of(opened.event_log_storage).connect() as c:
        asked = [c.execute(sqlalchemy.text(statement), {"run": run_id}) for statement in PLANNED_ROWS]
        return [[tuple(row) for row in found] for found in asked]


def test_what_a_run_plans_is_stored_at_once_as_one_by_one(
    opened: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [dg.AssetKey(name) for name in ("frames", "events", "kept")]
    job = internals.job_of(dg.Definitions([frames, events, kept]).get_repository_def(), keys)
    assert job is not None
    engine = internals.engine_of(opened.event_log_storage)
    rows, taken = [], []
    for together in (1000, 0):
        monkeypatch.setenv(BATCH_ENV, str(together))
        connections: list[object] = []

        def count(*_: object, into: list[object] = connections) -> None:
            into.append(1)

        sqlalchemy.event.listen(engine, "checkout", count)
        run = opened.create_run_for_job(
            job, tags=internals.range_tags(DAY, "2026-01-06"), asset_selection=frozenset(keys)
        )
        sqlalchemy.event.remove(engine, "checkout", count)
        rows.append(planned_rows(opened, run.run_id))
        taken.append(len(connections))
    assert rows[0] == rows[1]
    assert [len(part) for part in rows[0]] == [7, 3, 2], "three assets and a check, two days of each asset and check"
    assert taken[1] - taken[0] == 6, "a connection for each event, or one for all"
