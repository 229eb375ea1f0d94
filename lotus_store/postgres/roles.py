"""Roles and rights: an owner without login, one login role per database that owns nothing, and readers.

What a module's role may do with a table is the `rights` of its manifest (default: all but DELETE). The embedded server
has these roles always; for a server of one's own `lotus db roles` prints the statements. (Literature: least privilege.)
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from lotus.errors import LedgerError
from lotus_store.manifests.model import load_manifest
from lotus_store.postgres.queries import Connection, load_queries

OWNER = "lotus_owner"
DAGSTER = "lotus_dagster"
READERS = ("lotus_console", DAGSTER)
ALWAYS = {"lotus_schema": ("SELECT",)}

Matrix = dict[tuple[str, str], tuple[str, ...]]


def role_of(database: str) -> str:
    """Return the login role of a database's module."""
    return f"lotus_{database}"


def logins(databases: tuple[str, ...]) -> tuple[str, ...]:
    """Return every role of a server of these databases."""
    return (OWNER, *(role_of(d) for d in databases), *READERS)


def make_roles(databases: tuple[str, ...]) -> Iterator[sql.Composed]:
    """Yield the statements that make every role of a server."""
    for name in logins(databases):
        login = sql.SQL("NOLOGIN" if name == OWNER else "LOGIN")
        yield _text("make_role").format(role=sql.Identifier(name), login=login)


def give_owner(database: str, called: str) -> Iterator[sql.Composed]:
    """Yield the statements that close one database (its name on the server is `called`) and give it its owner."""
    names = _names(database) | {"database": sql.Identifier(called)}
    yield _text("open_database").format(**names)
    yield _text("own_everything").format(**names)


def give_dagster(connection: Connection) -> None:
    """Make Dagster's role the owner of all that is in Dagster's own database, in the caller's transaction."""
    queries = load_queries("common", "roles.sql")
    closed = connection.execute(queries["closed"]).fetchone()
    if closed is None or connection.execute(queries["strangers"], [DAGSTER, DAGSTER]).fetchone() is not None:
        called, dagster = sql.Identifier(connection.info.dbname), sql.Identifier(DAGSTER)
        connection.execute(_text("open_dagster").format(database=called, dagster=dagster))
        connection.execute(_text("own_everything").format(owner=dagster, owner_name=sql.Literal(DAGSTER)))


def give_rights(database: str) -> Iterator[sql.Composed]:
    """Yield the statements that give the module's role and the readers of one database their rights."""
    names = _names(database)
    yield _text("open_functions").format(**names)
    for table, rights in wanted_rights(database).items():
        listed = sql.SQL(", ").join(map(_right, rights))
        yield _text("open_table").format(table=sql.Identifier(table), rights=listed, **names)


def _names(database: str) -> dict[str, sql.Composable]:
    return {
        "module": sql.Identifier(role_of(database)),
        "readers": sql.SQL(", ").join(map(sql.Identifier, READERS)),
        "owner": sql.Identifier(OWNER),
        "owner_name": sql.Literal(OWNER),
    }


def wanted_rights(database: str) -> dict[str, tuple[str, ...]]:
    """Return what the module's role may do with each table and view of its database."""
    declared = {name: table.rights_of() for name, table in load_manifest(database).tables.items()}
    return declared | ALWAYS


def matrix(connection: Connection, database: str) -> Matrix:
    """Return the verbs of every role and table as the catalogue has them, roles in the order module, readers."""
    roles = [role_of(database), *READERS]
    rows: list[tuple[Any, ...]] = connection.execute(
        load_queries("common", "roles.sql")["role_matrix"], [roles, roles]
    ).fetchall()
    return {(role, table): tuple(verbs) for role, table, verbs in rows}


def wanted_matrix(database: str) -> Matrix:
    """Return the matrix that the manifest asks for."""
    declared = wanted_rights(database)
    own: Matrix = {(role_of(database), table): rights for table, rights in declared.items()}
    return own | {(reader, table): ("SELECT",) for reader in READERS for table in declared}


def all_statements(database: str, called: str, databases: tuple[str, ...]) -> list[sql.Composed]:
    """Return every statement for one database: roles, owner, rights."""
    return [*make_roles(databases), *give_owner(database, called), *give_rights(database)]


@contextmanager
def as_owner(connection: Connection, database: str, databases: tuple[str, ...]) -> Iterator[None]:
    """Within the block the connection is that of the owner; roles and rights are in order before and after it."""
    if not _owned(connection, database):
        for statement in (*make_roles(databases), *give_owner(database, connection.info.dbname)):
            connection.execute(statement)
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)))
    yield
    connection.execute("RESET ROLE")
    if matrix(connection, database) != wanted_matrix(database):
        for statement in give_rights(database):
            connection.execute(statement)


def apply_roles(connection: Connection, database: str, databases: tuple[str, ...]) -> None:
    """Make roles, owner and rights of a database on a server of one's own, in the caller's transaction.

    Raises `LedgerError` when the login may not do that.
    """
    try:
        for statement in all_statements(database, connection.info.dbname, databases):
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege as problem:
        cause = "have somebody who may create roles run what `lotus db roles` prints; Lotus works without them"
        raise LedgerError(f"roles of {database} cannot be made: {problem}", "a login that may", cause) from problem


def rights_page(matrices: Mapping[str, Matrix]) -> str:
    """Return the page of roles and rights by database, from matrices of the catalogue."""
    text = [
        "# Roles and rights",
        "",
        "Printed from the catalogue by `lotus db roles --page`; a test tries every cell.",
        "",
    ]
    text += [f"`{OWNER}` owns every table and function and cannot log in; the roles below own nothing. A module's role"]
    text += [
        "reaches its own database only. Rows that a day replaces go through the functions of the owner: `forget_day`"
    ]
    text += ["(events, outcomes, lessons and history of one branch and day) and `signal_partitions`."]
    for database, cells in matrices.items():
        roles = [role_of(database), *READERS]
        text += ["", f"## {database}", "", f"| table | {' | '.join(roles)} |", "|---|" + "---|" * len(roles)]
        text += [
            f"| {table} | {' | '.join(', '.join(cells[role, table]).lower() for role in roles)} |"
            for table in dict.fromkeys(table for _, table in cells)
        ]
    return "\n".join(text) + "\n"


def _owned(connection: Connection, database: str) -> bool:
    """Tell whether all roles are there and the owner owns everything."""
    wanted = [OWNER, role_of(database), *READERS]
    roles = connection.execute("SELECT count(*) FROM pg_roles WHERE rolname = ANY (%s)", [wanted]).fetchone()
    if roles != (len(wanted),):
        return False
    queries = load_queries("common", "roles.sql")
    closed = connection.execute(queries["closed"]).fetchone()
    return closed is not None and connection.execute(queries["strangers"], [OWNER, OWNER]).fetchone() is None


def _text(name: str) -> sql.SQL:
    return sql.SQL(load_queries("common", "roles.sql")[name].decode() + ";\n")


def _right(right: str) -> sql.Composable:
    verb, _, columns = right.partition(" (")
    if not columns:
        return sql.SQL(verb)
    names = sql.SQL(", ").join(map(sql.Identifier, columns.rstrip(")").split(", ")))
    return sql.SQL("{} ({})").format(sql.SQL(verb), names)
