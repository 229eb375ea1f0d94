"""Roles: every cell of role x table x verb tried as the role itself; nothing beyond the written page."""

from collections import Counter
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from lotus.errors import LedgerError
from lotus_cli.main import main
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.postgres import roles
from lotus_store.postgres.migrations import LOTUS_DATABASES
from lotus_store.postgres.roles import OWNER, READERS, apply_roles, matrix, rights_page, role_of, wanted_matrix

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "rights.md"
VERBS = {
    "SELECT": "SELECT 1 FROM {} LIMIT 0",
    "INSERT": "INSERT INTO {} DEFAULT VALUES",
    "DELETE": "DELETE FROM {} WHERE false",
    "TRUNCATE": "TRUNCATE {}",
}
DENIED = (
    errors.InsufficientPrivilege,
    errors.ObjectNotInPrerequisiteState,
    errors.FeatureNotSupported,
    errors.WrongObjectType,
)


def as_role(databases: Databases, database: str, role: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(make_conninfo(databases.owner_dsn(database), user=role))


def tried(c: psycopg.Connection[tuple[object, ...]], statement: sql.Composed) -> bool:
    """Tell whether the role may do it; nothing stays."""
    try:
        with c.transaction(force_rollback=True):
            c.execute(statement)
    except DENIED:
        return False
    except errors.IntegrityError:
        return True
    return True


def free_columns(databases: Databases, database: str) -> dict[str, list[str]]:
    with databases.owner(database) as c:
        rows = c.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND is_generated = 'NEVER' AND is_identity = 'NO' ORDER BY ordinal_position"
        ).fetchall()
    found: dict[str, list[str]] = {}
    for table, column in rows:
        found.setdefault(str(table), []).append(str(column))
    return found


@pytest.mark.parametrize("database", LOTUS_DATABASES)
def test_every_cell_holds_when_it_is_tried(databases: Databases, database: str) -> None:
    columns = free_columns(databases, database)
    wrong = []
    for role in (role_of(database), *READERS):
        with as_role(databases, database, role) as c:
            for (owner, table), verbs in wanted_matrix(database).items():
                if owner != role:
                    continue
                name = sql.Identifier(table)
                for verb, text in VERBS.items():
                    if tried(c, sql.SQL(text).format(name)) != (verb in verbs):
                        wrong.append((role, table, verb))
                few = next((v[8:-1].split(", ") for v in verbs if v.startswith("UPDATE (")), [])
                for column in columns[table] if few else columns[table][:1]:
                    update = sql.SQL("UPDATE {0} SET {1} = {1} WHERE false").format(name, sql.Identifier(column))
                    if tried(c, update) != ("UPDATE" in verbs or column in few):
                        wrong.append((role, table, f"UPDATE {column}"))
            c.rollback()
    assert wrong == []


def test_the_page_is_what_the_catalogue_says(databases: Databases) -> None:
    found = {}
    for name in LOTUS_DATABASES:
        with databases.owner(name) as c:
            found[name] = matrix(c, name)
            assert found[name] == wanted_matrix(name)
    assert PAGE.read_text() == rights_page(found), "lotus db roles --page > docs/reference/rights.md"


def test_a_module_reaches_its_own_database_only(databases: Databases) -> None:
    for role_database in LOTUS_DATABASES:
        for database in LOTUS_DATABASES:
            if role_database == database:
                as_role(databases, database, role_of(database)).close()
            else:
                with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                    as_role(databases, database, role_of(role_database))
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        as_role(databases, "sig", OWNER)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (a int)",
        "ALTER TABLE lessons ADD COLUMN more text",
        "DROP TABLE lessons",
        "SET ROLE lotus_owner",
        "CREATE ROLE more",
        "SELECT forget_day('control', 'main', '2025-01-01')",
        "SELECT forget_day('braid_reviews', 'main', '2025-01-01')",
        "ALTER TABLE sig_inbox DISABLE TRIGGER ALL",
        "SELECT * FROM signal_events_2025_01",
    ],
)
def test_a_module_owns_nothing(databases: Databases, statement: str) -> None:
    with databases.owner("sig") as c:
        c.execute("SELECT signal_partitions('2025-01-01')")
    with databases.connect("sig") as c:
        assert c.execute("SELECT current_user").fetchone() == ("lotus_sig",)
        with pytest.raises(errors.InsufficientPrivilege):
            c.execute(statement)  # type: ignore[call-overload]
        owned = "SELECT count(*) FROM pg_class WHERE relowner = 'lotus_sig'::regrole AND relpersistence = 'p'"
        c.rollback()
        assert c.execute(owned).fetchone() == (0,)


def test_readers_call_no_function_of_the_owner(databases: Databases) -> None:
    for reader in READERS:
        with as_role(databases, "sig", reader) as c, pytest.raises(errors.InsufficientPrivilege):
            c.execute("SELECT forget_day('lessons', 'main', '2025-01-01')")


def test_rights_that_were_changed_are_put_in_order_at_the_next_opening(
    databases: Databases, pg_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with databases.owner("tr") as c:
        c.execute("GRANT DELETE ON tr_outbox TO lotus_tr")
        c.execute("CREATE TABLE tr_more (a int)")
    with databases.owner("tr") as c:
        c.execute("DROP TABLE tr_more")
    with Databases(Settings(pg_home)) as beside, beside.connect("tr") as c:
        assert matrix(c, "tr") != wanted_matrix("tr"), "the session's is open and was looked at"
    monkeypatch.setattr("lotus_store.databases._MIGRATED", Counter())  # as in another process
    with Databases(Settings(pg_home)) as opened, opened.connect("tr") as c:
        assert matrix(c, "tr") == wanted_matrix("tr")


def test_a_server_of_ones_own_gets_roles_when_asked(databases: Databases, tmp_path: Path) -> None:
    """Without rights it says so; the printed statements do what `--apply` does."""
    with databases.connect("dm") as c, pytest.raises(LedgerError, match="Lotus works without them"):
        apply_roles(c, "dm", LOTUS_DATABASES)
    with databases.owner("dm") as c:
        apply_roles(c, "dm", LOTUS_DATABASES)
        assert matrix(c, "dm") == wanted_matrix("dm")
        for statement in roles.all_statements("dm", "lotus_dm", LOTUS_DATABASES):
            c.execute(statement.as_string())  # type: ignore[call-overload]
        assert matrix(c, "dm") == wanted_matrix("dm")
    server = databases.owner_dsn("sig").replace("dbname=lotus_sig", "dbname=postgres")
    printed = CliRunner().invoke(main, ["db", "roles", "--home", str(tmp_path)], env={"LOTUS_PG_DSN": server}).output
    assert printed.count("\\connect lotus_") == len(LOTUS_DATABASES)
    assert 'GRANT SELECT, INSERT ON TABLE "lessons" TO "lotus_sig"' in printed
