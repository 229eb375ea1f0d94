"""`lotus_console/reading.py` and `server.py` while no server of the ledger answers: bounded waits, and the switch."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg_pool
import pytest

from lotus_console import reading as reading_module
from lotus_console.access.door import Door, Entry, hosts_of
from lotus_console.reading import HomeReading, ReadingDatabases
from lotus_console.server import console
from lotus_desk.safety.kill_switch import HALTED, LIFTED, KillSwitch
from lotus_store.config import Settings
from tests.support.asgi_client import AsgiClient

TOKEN = "token-of-the-tests"
NOBODY = "host=127.0.0.1 port=9 user=nobody dbname=gone"
WAIT_S = 0.3


class AwayDatabases(ReadingDatabases):
    """Databases of a server that went away after the console had begun."""

    def dsn(self, name: str) -> str:
        """Return an address at which nobody listens."""
        return NOBODY


@pytest.fixture
def reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HomeReading]:
    """A home whose server is away."""
    monkeypatch.setattr(reading_module, "WAIT_S", WAIT_S)
    settings = replace(Settings(tmp_path / "home"), server_dsn=f"postgresql://nobody@{NOBODY.split()[0][5:]}:9")
    (settings.home / "live").mkdir(parents=True)
    with AwayDatabases(settings) as databases:
        yield HomeReading(settings, databases)


def test_a_server_that_is_away_is_waited_for_once(reading: HomeReading) -> None:
    began = time.monotonic()
    for name in ("sig", "dm", "tr", "sig", "vis"):
        with pytest.raises(psycopg_pool.PoolTimeout):
            reading.databases.connect(name)
    assert WAIT_S <= time.monotonic() - began < 4 * WAIT_S, "five, were each waited for"


def test_pages_say_so_and_the_switch_is_moved_while_the_ledger_is_away(reading: HomeReading) -> None:
    browser = AsgiClient(Door(console(reading), Entry(8000, TOKEN, hosts_of(8000, "own.localhost"))), "127.0.0.1:8000")
    browser.post("/login", {"token": TOKEN})
    home = browser.get("/")
    assert home.status == 200, "Home itself says what is wrong, line by line"
    assert "It cannot be read" in home.text
    lost = browser.get("/live")
    assert lost.status == 503
    assert "cannot be reached" in lost.text
    assert 'href="/live/switch"' in lost.text
    switch = KillSwitch(reading.settings.home)
    assert switch.state() == LIFTED
    page = browser.get("/live/switch")
    token = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    form = {"csrf": token, "move": "halt", "typed": "halt", "reason": "the server is gone", "who": "ana"}
    assert browser.post("/live/switch", form).status == 303
    assert switch.state() == HALTED
    assert "halt by ana: the server is gone" in browser.get("/live/switch").text
