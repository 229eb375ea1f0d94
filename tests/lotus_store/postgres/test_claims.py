"""Databases of a server of one's own carry the mark of one home: a second one is refused and changes nothing."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from lotus.errors import LedgerError
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.postgres.claims import FILE, join
from lotus_store.postgres.migrations import LOTUS_DATABASES
from lotus_store.private import own_home


def marks(databases: Databases) -> list[object]:
    found = []
    for name in LOTUS_DATABASES:
        with databases.owner(name) as connection:
            words = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
            found += connection.execute(words).fetchone() or ()
    return found


def opened(settings: Settings) -> None:
    with Databases(settings) as databases:
        databases.open()


def test_a_second_home_over_the_same_databases_is_refused(settings: Settings, databases: Databases) -> None:
    opened(settings)
    before = marks(databases)
    assert all(str(settings.home) in str(mark) for mark in before)
    opened(settings)
    other = replace(settings, home=settings.home.with_name("other"))
    with pytest.raises(LedgerError, match=f"database sig belongs to the home {settings.home} on .*two homes"):
        opened(other)
    assert marks(databases) == before
    opened(settings)


def test_a_worker_s_new_home_joins_and_one_that_is_somebody_s_does_not(
    settings: Settings, databases: Databases
) -> None:
    new, own = settings.home.with_name("new"), settings.home.with_name("own")
    with databases.owner("sig", autocommit=True) as sig:
        assert not join(sig, new)  # nobody's databases yet
        opened(settings)
        assert join(sig, new)
        opened(replace(settings, home=new))
        own_home(own)
        (own / FILE).write_text("0" * 32)
        assert not join(sig, own)
    with pytest.raises(LedgerError, match="belongs to the home"):
        opened(replace(settings, home=own))


def test_a_home_that_moved_keeps_its_databases_and_one_made_anew_is_told_what_to_do(
    settings: Settings, databases: Databases
) -> None:
    opened(settings)
    moved = replace(settings, home=settings.home.with_name("moved"))
    settings.home.rename(moved.home)
    opened(moved)
    (moved.home / FILE).unlink()
    with pytest.raises(LedgerError, match="COMMENT ON DATABASE lotus_sig IS NULL"):
        opened(moved)
    shutil.rmtree(moved.home)


def test_words_of_others_on_a_database_stay(settings: Settings, databases: Databases) -> None:
    with databases.owner("dm") as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS 'ask Ada'").format(name))
    opened(settings)
    assert str(marks(databases)[LOTUS_DATABASES.index("dm")]).startswith("ask Ada; Lotus home ")
    opened(settings)


def test_a_login_that_does_not_own_a_database_cannot_mark_it(settings: Settings, databases: Databases) -> None:
    owner, dsn = databases.owner_dsn("tr"), databases.dsn("tr")  # the module's role owns nothing
    assert owner != dsn
    with pytest.raises(LedgerError, match="does not own the database lotus_tr"):
        opened(replace(settings, dsns={"tr": dsn}))
    assert marks(databases)[LOTUS_DATABASES.index("tr")] is None


def test_an_embedded_home_needs_no_mark(pg_home: Path, databases: Databases) -> None:
    assert not (pg_home / FILE).exists()
    assert marks(databases) == [None] * len(LOTUS_DATABASES)
