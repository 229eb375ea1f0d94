"""The databases: migrated equals fresh, mirrors are the lake's, and the wrong database is named.

Of the files `sql/*/schema.sql` through `lotus_store.databases` and `lotus_store.postgres.migrations`.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from warm import let_go

from lotus.columns import TableSpec
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.errors import LedgerError
from lotus.outcomes.signal_eval import signal_eval_spec
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.postgres import migrations
from lotus_store.postgres.migrations import LOTUS_DATABASES, check, migrate
from lotus_store.postgres.queries import SQL_ROOT, columns_of_copy

PG_TYPES = {
    "text": "text", "f8": "double precision", "i8": "bigint", "i4": "integer", "u4": "bigint", "u8": "bigint",
    "?": "boolean", "u1": "smallint",
}  # fmt: skip


def manifest(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((SQL_ROOT / name / "module.yaml").read_text())
    return document


@pytest.mark.parametrize("table", ["signal_events", "live_events"])
def test_mirrors_have_the_columns_of_the_lake(table: str) -> None:
    told = manifest("sig")["tables"][table]["columns"]
    own = {"day", "run_id"}
    assert {n: c["type"] for n, c in told.items() if n not in own} == lake_types(SIGNAL_EVENTS)


def test_the_outcome_mirror_has_the_columns_of_the_lake() -> None:
    told = manifest("sig")["tables"]["signal_eval"]["columns"]
    spec = signal_eval_spec((30,))
    head = {n: t for n, t in lake_types(spec).items() if not n.endswith("_30")}
    assert {n: c["type"] for n, c in told.items() if n not in ("branch", "day")} == head
    per_horizon = {n.removesuffix("_30") for n in spec.names if n.endswith("_30")}
    assert per_horizon <= set(manifest("sig")["tables"]["signal_eval_horizons"]["columns"])


def lake_types(spec: TableSpec) -> dict[str, str]:
    return {c.name: PG_TYPES[c.dtype] for c in spec.columns}


@pytest.mark.parametrize("name", ["copy_events", "copy_eval", "copy_eval_horizons", "copy_live_events"])
def test_copies_name_every_column(name: str) -> None:
    tables = {
        "copy_events": "signal_events", "copy_eval": "signal_eval", "copy_eval_horizons": "signal_eval_horizons",
        "copy_live_events": "live_events",
    }  # fmt: skip
    assert set(columns_of_copy("sig", name)) == set(manifest("sig")["tables"][tables[name]]["columns"])


def test_migrated_equals_fresh(databases: Databases) -> None:
    versions = {name: len(migrations.migrations_of(name)) for name in LOTUS_DATABASES}
    assert check(databases) == versions
    assert migrate(databases) == versions


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE lessons ADD COLUMN more text",
        "ALTER TABLE day_commits ALTER COLUMN rows TYPE integer",
        "ALTER TABLE day_commits ALTER COLUMN notes DROP NOT NULL",
        "DROP INDEX signal_events_day",
        "ALTER TABLE priors_in_force DROP CONSTRAINT priors_in_force_branch_priors_ver_fkey",
        "DROP VIEW sig_braid",
        "DROP TRIGGER sig_outbox_hint ON sig_outbox",
        "CREATE TABLE stranger (a int)",
    ],
)
def test_any_difference_to_the_fresh_schema_is_found(databases: Databases, change: str) -> None:
    with databases.owner("sig") as c:
        c.execute(change)  # type: ignore[call-overload]
        with pytest.raises(LedgerError, match=r"differs from sql/sig/schema\.sql"):
            migrations._compare(c, "sig")
        c.rollback()


def scratch(databases: Databases, database: str, statements: list[str]) -> str:
    """Make a database next to the others and return its address; Dagster's is not copied, for it may be in use."""
    template = "template0" if database == "dagster" else f"lotus_{database}"
    name = f"scratch_{abs(hash(tuple(statements))) % 10**8}"
    let_go()
    with databases.owner("sig", autocommit=True) as c:
        c.execute(f"DROP DATABASE IF EXISTS {name}")  # type: ignore[call-overload]
        c.execute(f"CREATE DATABASE {name} TEMPLATE {template}")  # type: ignore[call-overload]
    dsn = databases.owner_dsn(database).replace(f"lotus_{database}", name)
    with psycopg.connect(dsn) as c:
        for statement in statements:
            c.execute(statement)  # type: ignore[call-overload]
    return dsn


@pytest.mark.parametrize(
    ("database", "statements", "message"),
    [
        ("dagster", ["CREATE TABLE customers (a int)"], "not a Lotus database"),
        ("dm", [], "this is the Lotus database 'dm'; expected: 'sig'"),
        ("sig", ["INSERT INTO lotus_schema VALUES (99, 'sig', 'x')"], "expected: at most"),
        ("sig", ["UPDATE lotus_schema SET sha256 = 'x'"], "applied with another text"),
    ],
)
def test_the_wrong_database_is_named(
    databases: Databases, settings: Settings, database: str, statements: list[str], message: str
) -> None:
    dsn = scratch(databases, database, statements)
    with pytest.raises(LedgerError) as refused:
        Databases(replace(settings, dsns={"sig": dsn})).open()
    assert message in str(refused.value)
    assert "likely cause" in str(refused.value)


def test_no_server_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"(?s)cannot be made.*likely cause: the server is down"):
        Databases(Settings(tmp_path, server_dsn="host=/nonexistent user=x dbname=y connect_timeout=2")).open()


def test_a_migration_runs_once_and_whole(
    databases: Databases, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = scratch(databases, "dm", ["SELECT 'migration'"])
    root = tmp_path / "sql"
    for path in SQL_ROOT.rglob("*.sql"):
        target = root / path.relative_to(SQL_ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    monkeypatch.setattr(migrations, "SQL_ROOT", root)
    known = len(migrations.migrations_of("dm"))
    second = root / "dm" / "migrations" / f"{known + 1:04d}_more.sql"
    second.write_text("CREATE TABLE more (a int); SELECT 1 / 0;")
    migrations._read.cache_clear()
    place = replace(settings, dsns={"dm": dsn})
    with pytest.raises(LedgerError, match=r"_more\.sql of dm failed"):
        Databases(place).open()
    with psycopg.connect(dsn) as c:
        assert c.execute("SELECT to_regclass('more'), count(*) FROM lotus_schema").fetchone() == (None, known)
    second.write_text("CREATE TABLE more (a int);")
    migrations._read.cache_clear()
    for _ in range(2):
        with Databases(place) as opened, opened.connect("dm") as c:
            assert c.execute("SELECT count(*) FROM lotus_schema").fetchone() == (known + 1,)
    with pytest.raises(LedgerError, match="differs"):
        check(Databases(place))
    (root / "dm" / "migrations" / f"{known + 3:04d}_hole.sql").write_text("SELECT 1;")
    migrations._read.cache_clear()
    with pytest.raises(LedgerError, match="without a hole"):
        Databases(place).open()
