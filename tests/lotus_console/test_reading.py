"""The pages read as a role that cannot write, whatever a connection is told."""

from pathlib import Path

import psycopg
import pytest

from lotus_console.reading import ReadingDatabases
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.postgres.queries import MODULES


def test_the_pages_read_as_a_role_that_cannot_write(migrated: Databases, pg_home: Path) -> None:
    with ReadingDatabases(Settings(pg_home)) as databases:
        for module in MODULES:
            with databases.connect(module) as connection:
                assert connection.info.user == "lotus_console"
                connection.execute("SET default_transaction_read_only = off")
                connection.commit()
                connection.execute("SET transaction_read_only = off")
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"DELETE FROM {module}_outbox")  # type: ignore[call-overload]
                connection.rollback()
