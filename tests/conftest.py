"""Shared fixtures: one embedded PostgreSQL per test process, emptied databases per test.

`pg_home` is a home with a running server; `databases` are its databases, migrated and empty; `settings` are those
behind them, with a lake and tapes of the test's own.
"""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.postgres.embedded import embedded
from lotus_store.postgres.migrations import LOTUS_DATABASES
from lotus_store.postgres.queries import query

pytest_plugins = ["pace"]


@pytest.fixture(scope="session")
def pg_home() -> Iterator[Path]:
    """A home whose embedded server runs for the whole session."""
    home = Path(tempfile.mkdtemp(prefix="lotus-test-"))
    home.chmod(0o755)
    with embedded(home):
        yield home
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def _migrated(pg_home: Path) -> Iterator[Databases]:
    with Databases(Settings(pg_home)) as opened:
        yield opened.open()


@pytest.fixture
def databases(_migrated: Databases) -> Databases:
    """The session's databases, all tables empty."""
    for name in LOTUS_DATABASES:
        with _migrated.owner(name) as connection:
            connection.execute(query("common", "empty_all"))
    return _migrated


@pytest.fixture
def settings(databases: Databases, pg_home: Path, tmp_path: Path) -> Settings:
    """Settings of a home below `tmp_path` whose databases are those of the session."""
    server = databases.owner_dsn("sig").replace("dbname=lotus_sig", "dbname=postgres")
    return replace(Settings(tmp_path / "home"), server_dsn=server)
