"""A home that has come some way, kept and brought back: databases as templates of the server, files as copies.

What several tests need done before they begin is done once a worker. The pages of PostgreSQL on CREATE DATABASE tell
what a template does not carry: owner and rights of the database itself, which are copied here.
"""

import shutil
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.postgres.migrations import LOTUS_DATABASES
from lotus_store.postgres.queries import query

_KEPT: dict[str, Connection] = {}  # an owner's connection to each database that is emptied, by address
RIGHTS = """
UPDATE pg_database made SET datdba = kept.datdba, datacl = kept.datacl
FROM pg_database kept WHERE made.datname = %s AND kept.datname = %s
"""


def hurry(server_dsn: str) -> None:
    """Let a server wait for no disk: nobody pulls the plug of a test that kills nothing."""
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")


def empty_all(databases: Databases) -> None:
    """Empty every table of every database; they are no home's then. Connections are kept: fresh ones cost the most."""
    for name in LOTUS_DATABASES:
        try:
            _empty(databases, name)
        except psycopg.OperationalError:  # ended by a test, or its server was begun again
            _empty(databases, name)


def _empty(databases: Databases, name: str) -> None:
    dsn = databases.owner_dsn(name)
    if dsn not in _KEPT or _KEPT[dsn].closed:
        _KEPT[dsn] = databases.owner(name, autocommit=True)
    connection = _KEPT[dsn]
    connection.execute(query("common", "empty_all"))
    connection.execute(sql.SQL("COMMENT ON DATABASE {} IS NULL").format(sql.Identifier(connection.info.dbname)))


def let_go() -> None:
    """Close the connections that are kept: of a database that somebody is connected to no copy is made."""
    for kept in _KEPT.values():
        kept.close()


class WarmHome:
    """The databases and the lake of a home as they were when it was made; nobody may be connected then."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        """Keep the home of `settings` in `folder`, and those of its databases that hold a row."""
        self._server, self._folder = settings.server_dsn, folder
        self._held = [name for name in LOTUS_DATABASES if self._holds_a_row(name)]
        for name in self._held:
            self._copy(f"lotus_{name}", f"warm_{folder.name}_{name}")
        shutil.copytree(settings.home, folder, symlinks=True)

    def bring_back(self, settings: Settings) -> None:
        """Make databases and home of `settings` what they were; those must be empty, and the home not exist yet."""
        for name in self._held:
            self._copy(f"warm_{self._folder.name}_{name}", f"lotus_{name}")
        shutil.copytree(self._folder, settings.home, symlinks=True)

    def _holds_a_row(self, name: str) -> bool:
        with psycopg.connect(make_conninfo(self._server, dbname=f"lotus_{name}")) as connection:
            tables = [
                str(table) for (table,) in connection.execute(query("common", "tables")) if table != "lotus_schema"
            ]
            asked = [sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table)) for table in tables]
            return any(connection.execute(one).fetchone() == (True,) for one in asked)

    def _copy(self, source: str, target: str) -> None:
        let_go()
        with psycopg.connect(self._server, autocommit=True) as connection:
            names = sql.Identifier(target), sql.Identifier(source)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(names[0]))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
            connection.execute(RIGHTS, [target, source])
