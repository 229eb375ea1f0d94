"""Dagster's own database is kept apart: nothing of Lotus in it, nothing of it elsewhere, and a role that only reads."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from psycopg import OperationalError, connect, errors, sql
from psycopg.conninfo import make_conninfo

from lotus.errors import LedgerError
from lotus_modules.handlers import SLOW
from lotus_resources.provision import instance, provision
from lotus_sensors.new_inbox import due
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.postgres.migrations import LOTUS_DATABASES, check

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


@pytest.fixture
def home(databases: Databases, pg_home: Path) -> Iterator[Databases]:
    """The databases of the embedded server, in the roles of its home."""
    with Databases(Settings(pg_home)) as opened:
        yield opened.open()


def tables(connection: Connection) -> set[str]:
    return {str(name) for (name,) in connection.execute(TABLES)}


def test_no_table_of_one_is_in_the_other(home: Databases, pg_home: Path) -> None:
    provision(Settings(pg_home), home)
    with home.owner("dagster") as c:
        dagsters = tables(c)
        owners = c.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert {"runs", "event_logs", "job_ticks"} <= dagsters
    assert owners == [("lotus_dagster",)]
    for name in LOTUS_DATABASES:
        with home.owner(name) as c:
            assert tables(c) & dagsters == set()
            assert tables(c) >= {"lotus_schema"}
    check(home)


def test_dagster_works_in_its_role_and_a_table_from_before_becomes_its_own(home: Databases, pg_home: Path) -> None:
    with home.owner("dagster") as c:
        c.execute("CREATE TABLE IF NOT EXISTS from_before (id serial)")
    environment = provision(Settings(pg_home), home)
    with home.connect("dagster") as c:
        assert c.execute("SELECT current_user").fetchone() == ("lotus_dagster",)
        c.execute("INSERT INTO from_before DEFAULT VALUES")
        c.execute("DROP TABLE from_before")
    with instance(environment) as opened:
        assert "lotus_dagster@" in environment["LOTUS_DAGSTER_PG"]
        job = dg.JobDefinition(graph_def=dg.GraphDefinition(name="nothing"))
        assert job.execute_in_process(instance=opened).success
        run = opened.get_runs(limit=1)[0]
        opened.delete_run(run.run_id)


def test_dagsters_role_reads_the_modules_and_changes_nothing(home: Databases) -> None:
    for name in LOTUS_DATABASES:
        with home.reader(name, autocommit=True) as c:
            assert c.execute("SELECT current_user").fetchone() == ("lotus_dagster",)
            for table in sorted(tables(c)):
                at = sql.Identifier(table)
                part = c.execute("SELECT relispartition FROM pg_class WHERE oid = to_regclass(%s)", [table]).fetchone()
                if part == (True,):
                    continue  # read through its parent
                c.execute(sql.SQL("SELECT FROM {} LIMIT 0").format(at))
                for text in ("DELETE FROM {} WHERE false", "TRUNCATE {}", "DROP TABLE {}"):
                    with pytest.raises(errors.InsufficientPrivilege):
                        c.execute(sql.SQL(text).format(at))  # type: ignore[arg-type]
            with pytest.raises(errors.InsufficientPrivilege):
                c.execute("CREATE TABLE more (a int)")


def test_the_modules_and_the_console_do_not_reach_dagsters_database(home: Databases, pg_home: Path) -> None:
    provision(Settings(pg_home), home)
    for role in ("lotus_sig", "lotus_dm", "lotus_console"):
        with pytest.raises(OperationalError, match="permission denied for database"):
            connect(make_conninfo(home.owner_dsn("dagster"), user=role))


def test_what_the_inbox_sensor_does_needs_no_more_than_reading(home: Databases) -> None:
    with home.owner("dm") as c:
        c.execute(
            "INSERT INTO dm_inbox (event_id, sender, dedupe_key, lifecycle_id, branch, intent, priority, envelope)"
            " VALUES ('a', 'sig', 'a', 'a', 'main', 'WATCHDOG_ALERT', 1, '')"
        )
    inboxes = {module: home.reader(module.value, autocommit=True) for module in SLOW}
    for connection in inboxes.values():
        connection.execute("LISTEN lotus_inbox")
    assert {module.value: names for module, names in due(inboxes, "main", frozenset()).items()} == {"dm": ["dm/a"]}
    for connection in inboxes.values():
        connection.close()


def test_a_lotus_database_in_dagsters_place_is_refused(settings: Settings, databases: Databases) -> None:
    wrong = replace(settings, dsns={"dagster": databases.owner_dsn("vis")})
    with Databases(wrong) as opened, pytest.raises(LedgerError, match="Dagster's database is a Lotus database"):
        provision(wrong, opened)
