"""Everything of Dagster that its documentation does not promise: the rest of Lotus uses public names alone.

One small function each, and one test each in `tests/lotus_resources/test_dagster_internals.py`, which fails when an
update of Dagster changes it. The statements on Dagster's own tables stand in `sql/dagster/queries.sql`. Nothing is
decided here. (In the literature: anti-corruption layer.)
"""

import os
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import dagster as dg
from dagster._core.definitions import data_version
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.storage import tags as names
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log import AssetKeyTable, SqlEventLogStorage, SqlEventLogStorageTable
from dagster._core.storage.event_log.migration import ASSET_KEY_INDEX_COLS
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._serdes import serialize_value
from dagster_postgres.event_log import PostgresEventLogStorage
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection as SqlConnection
from sqlalchemy.engine import Engine

from lotus.errors import ConfigError
from lotus_store.databases import Connection
from lotus_store.postgres.queries import query

IN_PROGRESS = (
    dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)  # fmt: skip
PLANNED = {dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED}
RUNS_TOGETHER, ROWS_TOGETHER = 100, 10_000  # of one batch
T = TypeVar("T")


class EventsOverOneConnection(PostgresEventLogStorage):
    """Event-log storage that stores an event and what it keeps of it by asset and check in one transaction.

    So it does with all events that come together, as those that a run plans. Dagster's own takes a connection three
    times for each event, looks for its tables each time, and notifies for its versions before 1.1, which nobody hears.
    """

    _own = threading.local()  # the connection over which this thread stores events

    @cached_property
    def _found(self) -> set[str]:
        return set()

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store an event of a run."""
        with self._transaction():
            SqlEventLogStorage.store_event(self, event)

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store events of a run that come together, all or none."""
        with self._transaction():
            if {event.dagster_event_type for event in events} <= PLANNED:
                self._store_planned(events)
            else:
                super().store_event_batch(events)

    def _store_planned(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store what a run plans, as `store_event` would one by one: a statement for each of the three tables."""
        statement = self.prepare_insert_event_batch(events).returning(SqlEventLogStorageTable.c.id)
        stored = [int(row[0]) for row in self._own.connection.execute(statement)]
        indexed = self.has_secondary_index(ASSET_KEY_INDEX_COLS)
        assets: dict[str, dict[str, Any]] = {}
        checks: list[dict[str, Any]] = []
        for event, number in zip(events, stored, strict=True):
            key = event.get_dagster_event().asset_key
            if key is not None:
                name = key.to_string()
                assets[name] = {"asset_key": name, **self._get_asset_entry_values(event, number, indexed)}
            else:
                checks += self._check_rows(event, number)
        if assets:
            insert = postgresql.insert(AssetKeyTable).values(list(assets.values()))
            columns = next(iter(assets.values())).keys() - {"asset_key"}
            changed = {column: insert.excluded[column] for column in columns}
            own = [AssetKeyTable.c.asset_key]
            self._own.connection.execute(insert.on_conflict_do_update(index_elements=own, set_=changed))
        if checks:
            self._own.connection.execute(AssetCheckExecutionsTable.insert().values(checks))

    def _check_rows(self, event: dg.EventLogEntry, number: int) -> list[dict[str, Any]]:
        planned = event.get_dagster_event().asset_check_planned_data
        subset = planned.partitions_subset
        row = {
            "asset_key": planned.asset_key.to_string(),
            "check_name": planned.check_name,
            "run_id": event.run_id,
            "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
            "evaluation_event": serialize_value(event),
            "evaluation_event_timestamp": _timestamp(event.timestamp),
            "evaluation_event_storage_id": number,
        }
        return [row | {"partition": day} for day in (subset.get_partition_keys() if subset else [None])]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Store what comes over one connection, in one transaction."""
        if getattr(self._own, "connection", None) is not None:
            yield
            return
        with super()._connect() as opened, opened.execution_options(isolation_level="READ COMMITTED").begin():
            self._own.connection = opened
            try:
                yield
            finally:
                self._own.connection = None

    def has_table(self, table_name: str) -> bool:
        """Tell whether a table is there; one that was found is not looked for again."""
        if table_name not in self._found and super().has_table(table_name):
            self._found.add(table_name)
        return table_name in self._found

    def _connect(self) -> AbstractContextManager[SqlConnection]:
        opened = getattr(self._own, "connection", None)
        return super()._connect() if opened is None else nullcontext(opened)


def tags_of_sensor(sensor: str) -> dict[str, str]:
    """Return the tag by which a sensor's runs are found."""
    return {names.SENSOR_NAME_TAG: sensor}


def tags_of_run_key(key: str) -> dict[str, str]:
    """Return the tag by which the run of a request is found."""
    return {names.RUN_KEY_TAG: key}


def run_key_of(tags: Mapping[str, str]) -> str:
    """Return the key with which a run was requested, "" where there was none."""
    return tags.get(names.RUN_KEY_TAG, "")


def range_tags(first: str, last: str) -> dict[str, str]:
    """Return the run tags that select the partitions `first` to `last`, both included."""
    return {names.ASSET_PARTITION_RANGE_START_TAG: first, names.ASSET_PARTITION_RANGE_END_TAG: last}


def version_tags(content: str, code: str = "") -> dict[str, str]:
    """Return the tags that tell the data version of a materialisation, and its code version where there is one."""
    return {data_version.DATA_VERSION_TAG: content} | ({data_version.CODE_VERSION_TAG: code} if code else {})


def input_tags(instance: dg.DagsterInstance, name: str, partition: str, is_source: bool) -> dict[str, str]:
    """Return the tags that name the newest record of an input; without them the pages call an asset "Unsynced"."""
    key = dg.AssetKey(name)
    record = instance.get_latest_data_version_record(key, is_source=is_source, partition_key=partition)
    version = data_version.extract_data_version_from_entry(record.event_log_entry) if record else None
    pointer = str(record.storage_id) if record else data_version.NULL_EVENT_POINTER
    return {
        data_version.get_input_data_version_tag(key): (version or data_version.DEFAULT_DATA_VERSION).value,
        data_version.get_input_event_pointer_tag(key): pointer,
    }


def job_of(repository: dg.RepositoryDefinition, keys: Sequence[dg.AssetKey]) -> dg.JobDefinition | None:
    """Return the job that covers assets of one partition scheme, None when there is none."""
    return repository.get_implicit_job_def_for_assets(keys)


def daemon_command(workspace: Path) -> list[str]:
    """Return the arguments of `python -m` that run Dagster's daemon."""
    return ["dagster._daemon", "run", "-w", str(workspace)]


@contextmanager
def submitting(
    instance: dg.DagsterInstance, workspace: Path
) -> Iterator[Callable[[str, Mapping[str, Any], Mapping[str, str]], str]]:
    """Yield what puts a run (job, run configuration, tags) into the queue of `workspace`'s daemon and returns its id.

    The workspace's one code location is loaded by a process of its own, as long as the body runs. Raises `ConfigError`
    where it does not answer.
    """
    from dagster._cli import job as cli
    from dagster._cli.workspace.cli_target import WorkspaceOpts, get_workspace_from_cli_opts  # type: ignore[attr-defined]

    warnings.filterwarnings("ignore", "Error loading repository location")  # a page of traces; the error says it
    with get_workspace_from_cli_opts(
        instance, version=dg.__version__, workspace_opts=WorkspaceOpts(workspace=(str(workspace),))
    ) as opened:
        if not opened.code_locations:
            raise _no_location(workspace)
        location = opened.code_locations[0]
        (repository,) = location.get_repositories().values()

        def submit(job: str, run_config: Mapping[str, Any], tags: Mapping[str, str]) -> str:
            run = cli._create_run(
                instance=instance,
                code_location=location,
                remote_repo=repository,
                remote_job=repository.get_full_job(job),
                run_config=run_config,
                tags=tags,
                op_selection=None,
                run_id=None,
            )
            return str(instance.submit_run(run.run_id, opened).run_id)

        try:
            yield submit
        except DagsterUserCodeUnreachableError as problem:
            raise _no_location(workspace) from problem


def _no_location(workspace: Path) -> ConfigError:
    return ConfigError(
        f"no code location of {workspace} answers", "`lotus up` running on this home",
        "it ended meanwhile; what is done stays, and the same command goes on from there",
    )  # fmt: skip


def serve_pages(guard: Callable[[Any], Any], serve: Callable[..., None]) -> None:
    """Run `dagster-webserver` on `sys.argv`, its application passed through `guard` and served by `serve`."""
    from dagster_webserver import cli

    module = vars(cli)
    make = module["create_app_from_workspace_process_context"]
    module["create_app_from_workspace_process_context"] = lambda *given, **named: guard(make(*given, **named))
    module["uvicorn"] = SimpleNamespace(run=serve)
    cli.cli()


def limit_pool(instance: dg.DagsterInstance, pool: str, runs: int) -> None:
    """Let no more than `runs` runs of a pool go on at once."""
    instance.event_log_storage.set_concurrency_slots(pool, runs)


def fail_run(instance: dg.DagsterInstance, run: dg.DagsterRun, reason: str) -> None:
    """Mark a run as failed whose process cannot do it any more."""
    instance.report_run_failed(run, reason)


def set_engine(storage: T, engine: Engine) -> T:
    """Make a PostgreSQL storage use an engine of ours; return it."""
    vars(storage)["_engine"] = engine
    return storage


def engine_of(storage: object) -> Engine:
    """Return the engine of a PostgreSQL storage."""
    engine: Engine = vars(storage)["_engine"]
    return engine


def only_validates() -> bool:
    """Tell whether this process is `dagster definitions validate`, which has no server."""
    return bool(os.environ.get("DAGSTER_IS_DEFS_VALIDATION_CLI"))


def delete_runs(
    instance: dg.DagsterInstance, dagster: Connection, before_s: float, ended: Sequence[str]
) -> tuple[int, int]:
    """Delete the runs that ended before a time (seconds UTC) and hold no asset's newest record; return runs and rows.

    Events go before their run: a kill in between leaves a run without events to the next purge, never the reverse.
    """
    needed = [str(name) for (name,) in dagster.execute(query("dagster", "needed_runs"))]
    values = {**_ended(before_s, ended), "needed": needed, "batch": RUNS_TOGETHER}
    runs = rows = 0
    while doomed := [str(name) for (name,) in dagster.execute(query("dagster", "old_runs"), values)]:
        rows += _number(dagster, "rows_of_runs", [doomed])
        for run_id in doomed:
            instance.event_log_storage.delete_events(run_id)
            instance.delete_run(run_id)
        runs += len(doomed)
    return runs, rows


def trim_runs(dagster: Connection, before_s: float, ended: Sequence[str]) -> int:
    """Delete what no asset needs of the other old runs, and checks that newer ones replace; return the rows."""
    values, rows = {**_ended(before_s, ended), "batch": ROWS_TOGETHER}, 0
    for name in ("trim_runs", "drop_old_checks"):
        while done := dagster.execute(query("dagster", name), values).rowcount:
            rows += done
    dagster.execute(query("dagster", "tidy"))
    return rows


def stored_bytes(dagster: Connection) -> int:
    """Return the size of Dagster's database."""
    return _number(dagster, "size")


def _ended(before_s: float, statuses: Sequence[str]) -> dict[str, object]:
    """Return the values that name runs which ended before a time; Dagster's own times are UTC without a zone."""
    return {"ended": list(statuses), "before": _timestamp(before_s)}


def _timestamp(seconds: float) -> datetime:
    """Return a time (seconds UTC) as Dagster's tables have it: without a zone."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _number(dagster: Connection, name: str, values: list[object] | None = None) -> int:
    row = dagster.execute(query("dagster", name), values).fetchone()
    return int(str((row or (0,))[0]))


def run_of_message(packed: Any) -> str:
    """Return the run that a message of dagster-celery's launcher names."""
    from dagster._grpc.types import ExecuteRunArgs
    from dagster._serdes import unpack_value

    return str(unpack_value(packed, as_type=ExecuteRunArgs).run_id)


def will_be_tried_again(run: dg.DagsterRun) -> bool:
    """Tell whether Dagster tries a failed run again and has not begun to."""
    return run.tags.get(names.WILL_RETRY_TAG) == "true" and names.AUTO_RETRY_RUN_ID_TAG not in run.tags


def packed_run(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Any:
    """Return the message of dagster-celery's launcher that names a run."""
    from dagster._grpc.types import ExecuteRunArgs
    from dagster._serdes import pack_value

    assert run.job_code_origin is not None, f"run {run.run_id} was not asked for by name"
    return pack_value(
        ExecuteRunArgs(
            job_origin=run.job_code_origin,
            run_id=run.run_id,
            instance_ref=instance.get_ref(),
            set_exit_code_on_failure=True,
        )
    )


def execute_run(instance: dg.DagsterInstance, run_id: str, failed: Callable[[Sequence[str]], None]) -> int:
    """Execute a run that was launched in this process; return 1 where it failed. A run that has ended is ignored.

    `failed` is told the names of the errors, outermost first, of a step that failed, before the run fails of it.
    """
    from dagster._cli.api import _execute_run_command_body

    def told(event: Any) -> None:
        if getattr(event, "is_step_failure", False):
            failed(names_of_error(event.step_failure_data.error))

    return int(_execute_run_command_body(run_id, instance, told, True))


def names_of_error(error: Any) -> list[str]:
    """Return the classes of a recorded error and of its causes, outermost first."""
    return [] if error is None else [str(error.cls_name), *names_of_error(error.cause)]


def worker_health(is_alive: bool, why: str = "") -> CheckRunHealthResult:
    """Return what Dagster's run monitoring is told of a begun run."""
    return CheckRunHealthResult(WorkerStatus.RUNNING if is_alive else WorkerStatus.FAILED, why or None)
