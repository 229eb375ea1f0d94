"""The supervisor of the embedded server: killed, followed and never joined by strangers."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.postgres import embedded as embedded_server
from lotus_store.postgres import server_supervisor
from lotus_store.postgres.embedded import embedded

from .server_users import USER, server_processes

pytestmark = pytest.mark.process("servers are started, joined and stopped")


@pytest.fixture
def home() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="lotus-pg-test-"))
    yield place
    shutil.rmtree(place)


def rows(home: Path) -> list[int]:
    with embedded(home) as server, psycopg.connect(server.server_dsn) as connection:
        return [r[0] for r in connection.execute("SELECT n FROM kept ORDER BY n")]


def running(home: Path) -> tuple[int, int]:
    """The server's and its supervisor's pid."""
    postmaster = int((home / "pg" / "data" / "postmaster.pid").read_text().split()[0])
    return postmaster, int(Path(f"/proc/{postmaster}/stat").read_text().rsplit(")", 1)[1].split()[1])


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.001)
    assert not is_alive(pid)


def start_user(home: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", USER, str(home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.kill("server and supervisor die under writers")
@pytest.mark.parametrize("victims", ["user", "supervisor", "postmaster", "all"])
def test_committed_rows_survive_kills(home: Path, victims: str) -> None:
    kept = 0
    for _ in range(2):  # the second time over what the first has left
        user = start_user(home)
        assert user.stdout is not None
        for _ in range(20):
            kept = int(user.stdout.readline())
        postmaster, supervisor = running(home)
        chosen = {"user": [user.pid], "supervisor": [supervisor], "postmaster": [postmaster]}
        killed = chosen.get(victims, [user.pid, supervisor, postmaster])
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        user.kill()
        user.wait()
        for pid in killed:
            wait_for_end(pid)
        found = rows(home)
        assert set(range(1, kept + 1)) <= set(found)
    assert server_processes(home) == []


def test_the_server_of_a_killed_supervisor_is_not_joined_though_it_still_answers(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = start_user(home)
    assert user.stdout is not None
    assert user.stdout.readline() == "1\n"
    postmaster, supervisor = running(home)
    user.kill()
    os.kill(supervisor, signal.SIGKILL)
    user.wait()
    for pid in (supervisor, postmaster):
        wait_for_end(pid)
    connects = embedded_server._connects

    def still_connects(server: embedded_server.Server) -> bool:
        return not server_processes(home) or connects(server)

    monkeypatch.setattr(embedded_server, "_connects", still_connects)
    assert 1 in rows(home)


@pytest.mark.kill("ends supervisor and server with SIGKILL under a user that lives on")
@pytest.mark.parametrize("victims", ["supervisor", "postmaster", "both"])
def test_a_user_that_lives_on_gets_its_server_back(home: Path, victims: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks for the server and gets it: no trying again until one comes back by itself."""
    asked: list[Path | str] = []

    def revive(place: Path | str) -> None:
        asked.append(place)
        embedded_server.revive(place)

    monkeypatch.setattr("lotus_store.databases.revive", revive)
    with Databases(Settings(home), migrated=False) as databases:
        with databases.connect("sig") as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        postmaster, supervisor = running(home)
        for pid in {"supervisor": [supervisor], "postmaster": [postmaster]}.get(victims, [supervisor, postmaster]):
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.3)
        with databases.connect("sig") as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
        assert 1 <= len(asked) <= 3
        assert running(home)[0] != postmaster
    assert server_processes(home) == []


def test_a_socket_folder_that_another_took_is_left_to_him(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = home / ("a-long-name-" * 9) / "home"
    (deep / "pg").mkdir(parents=True)
    taken = home / "taken"
    taken.mkdir(mode=0o777)
    taken.chmod(0o777)
    (deep / "pg" / server_supervisor.NOTE).write_text(f"{embedded_server._identity(deep / 'pg')} {taken}")
    with embedded(deep) as server:
        assert server.sockets != taken
    assert list(taken.iterdir()) == []
