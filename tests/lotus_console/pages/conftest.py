"""A home for each test of a page: its databases as the console reads them, as an owner writes them, and a browser."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lotus_console.access.door import Door, Entry, hosts_of
from lotus_console.reading import HomeReading, ReadingDatabases
from lotus_console.server import console
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from tests.support.asgi_client import AsgiClient

sys.path.insert(0, str(Path(__file__).parents[1]))
TOKEN = "token-of-the-tests"


@pytest.fixture
def reading(databases: Databases, settings: Settings, tmp_path: Path) -> Iterator[HomeReading]:
    """A home in which nothing has happened yet."""
    home = replace(settings, home=tmp_path / "home")
    (home.home / "live").mkdir(parents=True)
    with ReadingDatabases(home) as opened:
        yield HomeReading(home, opened.open())


@pytest.fixture
def sig(databases: Databases) -> Iterator[Connection]:
    """The detector's database, which keeps each statement at once."""
    with databases.owner("sig", autocommit=True) as connection:
        yield connection


@pytest.fixture
def browser(reading: HomeReading) -> AsgiClient:
    """A client that is let in."""
    client = AsgiClient(Door(console(reading), Entry(8000, TOKEN, hosts_of(8000, "own.localhost"))), "127.0.0.1:8000")
    client.post("/login", {"token": TOKEN})
    return client
