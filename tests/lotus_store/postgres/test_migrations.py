"""Migrations: additive before, destructive after; over rows, killed in the middle, older programs beside."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.postgres.migrations import LOTUS_DATABASES, check, migrate, migrations_of, not_additive
from lotus_store.postgres.queries import MODULES, NAME, SQL_ROOT

PREVIOUS = Path(__file__).parents[2] / "sql" / "previous_release"
POSTS = {m.version for m in migrations_of("sig") if m.post}
OLD = {m.version for m in migrations_of("sig") if not m.path.name.startswith(("pre_", "post_"))}  # the release before
FILL = """
INSERT INTO signal_events SELECT r.* FROM (
    SELECT jsonb_object_agg(column_name, CASE data_type WHEN 'text' THEN to_jsonb('x'::text)
        WHEN 'boolean' THEN to_jsonb(true) ELSE to_jsonb(7) END) AS whole
    FROM information_schema.columns WHERE table_name = 'signal_events' AND table_schema = 'public'
) plain, generate_series(1, 6000) i, LATERAL jsonb_populate_record(NULL::signal_events, whole || jsonb_build_object(
    'event_id', md5(i::text), 'branch', 'main', 'mid2', i, 'day', to_char(date '2024-11-20' + i % 60, 'YYYY-MM-DD')
)) r;
INSERT INTO signal_eval SELECT branch, day, event_id, detector_id, asset, 0, 0, 30, 1, 2, 'NaN', 'tape_sim', 'ok'
    FROM signal_events;
INSERT INTO signal_eval_horizons SELECT branch, day, event_id, h, 1, 2, 0, 3, 4
    FROM signal_events, (VALUES (30), (300)) v (h);
"""
CONTENT = """
SELECT (SELECT md5(string_agg((to_jsonb(e) - 'gate')::text, '|' ORDER BY event_id)) FROM signal_events e),
       (SELECT md5(string_agg(e::text, '|' ORDER BY event_id)) FROM signal_eval e),
       (SELECT md5(string_agg(e::text, '|' ORDER BY event_id, horizon_s)) FROM signal_eval_horizons e)
"""


@contextmanager
def old_database(databases: Databases, settings: Settings, name: str) -> Iterator[tuple[str, Settings]]:
    """A sig database as the release before left it, with rows in three months; its address and settings for it."""
    with database_at(databases, settings, name, "sig", OLD) as (dsn, place):
        with psycopg.connect(dsn) as c:
            c.execute(FILL)
        yield dsn, place


@contextmanager
def database_at(
    databases: Databases, settings: Settings, name: str, module: str, versions: set[int]
) -> Iterator[tuple[str, Settings]]:
    """A database of a module that has had these migrations; its address and settings for it."""
    server = make_conninfo(databases.owner_dsn(module), application_name="someone")
    with psycopg.connect(server, autocommit=True) as c:
        c.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[call-overload]
        c.execute(f"CREATE DATABASE {name} TEMPLATE template0")  # type: ignore[call-overload]
    dsn = make_conninfo(server, dbname=name)
    with psycopg.connect(dsn) as c:
        c.execute((SQL_ROOT / "common" / "schema.sql").read_bytes())
        for m in migrations_of(module):
            if m.version in versions:
                c.execute(m.text)
                c.execute("INSERT INTO lotus_schema VALUES (%s, %s, %s)", [m.version, module, m.sha256])
    yield dsn, replace(settings, dsns={module: dsn})
    with psycopg.connect(server, autocommit=True) as c:
        c.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[call-overload]


def content(dsn: str) -> object:
    with psycopg.connect(dsn) as c:
        return c.execute(CONTENT).fetchone()  # type: ignore[call-overload]


def applied(dsn: str) -> set[int]:
    with psycopg.connect(dsn) as c:
        return {int(row[0]) for row in c.execute("SELECT version FROM lotus_schema")}


def test_forward_on_a_populated_database_keeps_every_row(databases: Databases, settings: Settings) -> None:
    with old_database(databases, settings, "old_forward") as (dsn, place):
        before = content(dsn)
        with Databases(place) as opened:
            check(opened)
        assert content(dsn) == before
        with psycopg.connect(dsn) as c:
            parts = c.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'signal_eval'::regclass").fetchone()
            assert c.execute("SELECT count(*) FROM signal_eval_horizons").fetchone() == (12000,)
        assert parts == (4,)  # November, December, January, and the month after


@pytest.mark.kill("a migration dies in its middle")
def test_killed_in_the_middle_and_run_again(databases: Databases, settings: Settings) -> None:
    program = (
        "import sys; from pathlib import Path; from lotus_store.config import Settings; "
        "from lotus_store.databases import Databases; "
        "d = Databases(Settings(Path(sys.argv[3]), server_dsn=sys.argv[1], dsns={'sig': sys.argv[2]})); "
        "print('ready', flush=True); d.open()"
    )
    with old_database(databases, settings, "old_killed") as (dsn, place):
        before = content(dsn)
        killed = 0
        for wait_s in (0.02, 0.08, 0.16, 0.3):
            command = [sys.executable, "-c", program, settings.server_dsn, dsn, str(settings.home)]
            child = subprocess.Popen(command, stdout=subprocess.PIPE)
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(wait_s)
            child.send_signal(signal.SIGKILL)
            killed += child.wait() == -signal.SIGKILL
            assert content(dsn) == before
            assert applied(dsn) in (OLD, {m.version for m in migrations_of("sig")})
        assert killed
        with Databases(place) as opened:
            check(opened)
        assert content(dsn) == before


def test_programs_of_the_release_before_work_on_what_only_adds(databases: Databases, settings: Settings) -> None:
    """While one of them is connected nothing is taken away, all its queries hold, and this release works as well."""
    with old_database(databases, settings, "old_beside") as (dsn, place):
        before = content(dsn)
        with psycopg.connect(dsn) as older:
            with Databases(place) as opened, opened.connect("sig") as ours:
                ours.execute("SELECT signal_partitions('2025-03-01')")
            assert applied(dsn) == {m.version for m in migrations_of("sig")} - POSTS
            for file in ("sig", "messages", "ledger"):
                prepare_all(older, file, "sig")
            copy = older_queries("sig", "sig")["copy_eval"]
            with older.cursor() as cursor, cursor.copy(copy.replace(b"(FORMAT binary)", b"")) as rows:
                rows.write_row(["main", "2031-01-01", "e", "d", "BTC", 0, 0, 30, 1.0, 0.0, 0.0, "tape_sim", "ok"])
            older.rollback()
        assert content(dsn) == before
        with Databases(place) as opened:
            check(opened)
        assert applied(dsn) >= POSTS


def test_destructive_files_run_beside_older_programs_when_asked(databases: Databases, settings: Settings) -> None:
    with (
        old_database(databases, settings, "old_asked") as (dsn, place),
        psycopg.connect(dsn, autocommit=True),
        Databases(place) as opened,
    ):
        assert migrate(opened)["sig"] == len(migrations_of("sig")) - len(POSTS)
        assert migrate(opened, post=True)["sig"] == len(migrations_of("sig"))
        check(opened)


def test_the_table_of_funding_that_nobody_writes_goes_once_no_older_program_is_left(
    databases: Databases, settings: Settings
) -> None:
    """Beside an older program it stays with its rows and this release works; without one it goes."""
    (dropping,) = (m.version for m in migrations_of("tr") if m.path.name == "post_0010_funding.sql")
    versions = set(range(1, dropping))
    with database_at(databases, settings, "old_funding", "tr", versions) as (dsn, place):
        with psycopg.connect(dsn) as c:
            c.execute("INSERT INTO tr_funding VALUES ('local', 'BTC', 7, 0.5, '{}')")
            c.execute("INSERT INTO tr_funding_paid VALUES ('local', 'book', 'BTC', 7, 'p', 0.5, '{}')")
        with psycopg.connect(dsn) as older:
            with Databases(place) as opened, opened.connect("tr") as ours:
                ours.execute("SELECT usd FROM tr_funding_paid")
            assert older.execute("SELECT usd FROM tr_funding").fetchall() == [(0.5,)]
            assert dropping not in applied(dsn)
        with Databases(place) as opened:
            check(opened)
        with psycopg.connect(dsn) as c:
            assert c.execute("SELECT to_regclass('tr_funding')").fetchone() == (None,)
            assert c.execute("SELECT plan_id, usd FROM tr_funding_paid").fetchall() == [("p", 0.5)]


@pytest.mark.parametrize("module", MODULES)
def test_queries_of_the_release_before_hold_after_everything(databases: Databases, module: str) -> None:
    with databases.connect(module) as c:
        prepare_all(c, module, module)
        prepare_all(c, "messages", module)
        prepare_all(c, "ledger", module)


def older_queries(file: str, module: str) -> dict[str, bytes]:
    parts = NAME.split((PREVIOUS / f"{file}.sql").read_text().replace("{mod}", module))
    return {n: t.strip().rstrip(";").encode() for n, t in zip(parts[1::2], parts[2::2], strict=True)}


def prepare_all(connection: psycopg.Connection[tuple[object, ...]], file: str, module: str) -> None:
    """Prepare every query of the release before; the server verifies tables, columns and types."""
    found = older_queries(file, module)
    if "stage_live_events" in found:
        connection.execute(found["stage_live_events"])
    for text in found.values():
        if not text.startswith((b"COPY", b"LOCK", b"CREATE")):
            numbered = psycopg._queries._query2pg(text, "utf-8")[0]
            result = connection.pgconn.prepare(b"", numbered)
            assert result.status == psycopg.pq.ExecStatus.COMMAND_OK, (text, result.error_message)


def test_released_migrations_are_applied_with_the_text_they_were_released_with() -> None:
    """Old homes have recorded these hashes; a migration of this release adds its line."""
    found = {f"{name}/{m.path.name}": m.sha256 for name in LOTUS_DATABASES for m in migrations_of(name)}
    assert found == json.loads((PREVIOUS.parent / "released_migrations.json").read_text())


@pytest.mark.parametrize("name", LOTUS_DATABASES)
def test_pre_files_only_add(name: str) -> None:
    for migration in migrations_of(name):
        if migration.path.name.startswith("pre_"):
            assert not_additive(migration.text.decode()) == [], migration.path.name


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE lessons",
        "ALTER TABLE lessons DROP COLUMN grade",
        "ALTER TABLE lessons RENAME TO lesson",
        "ALTER TABLE lessons ALTER COLUMN day TYPE integer",
        "ALTER TABLE lessons ADD COLUMN more text NOT NULL",
        "ALTER TABLE lessons ADD COLUMN more text, DROP COLUMN grade",
        "CREATE UNIQUE INDEX one ON lessons (day)",
        "DELETE FROM lessons",
        "UPDATE lessons SET day = ''",
        "TRUNCATE lessons",
    ],
)
def test_what_takes_away_is_not_additive(statement: str) -> None:
    assert not_additive(f"-- a note\nCREATE TABLE a (b int);\n{statement};") == [statement]


def test_what_adds_is_additive() -> None:
    text = "ALTER TABLE lessons ADD COLUMN more text NOT NULL DEFAULT ''; CREATE INDEX a ON lessons (day);"
    assert (
        not_additive(text + "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE a; END $$;") == []
    )
