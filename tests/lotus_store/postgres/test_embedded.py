"""The embedded server: shared by processes, gone after the last one, back after any kill, committed rows intact."""

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

from lotus.errors import LedgerError
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.postgres import embedded as embedded_server
from lotus_store.postgres import keeper
from lotus_store.postgres.embedded import embedded

pytestmark = pytest.mark.process("servers are started, joined and stopped")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")

USER = """
import sys, time, psycopg
from lotus_store.postgres.embedded import embedded
with embedded(sys.argv[1]) as server:
    with psycopg.connect(server.server_dsn, autocommit=True) as c:
        c.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        print("ready", flush=True)
        n = 0
        while True:
            n += 1
            c.execute("INSERT INTO kept VALUES (%s)", [n])
            print(n, flush=True)
            time.sleep(0.002)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="lotus-pg-test-"))
    yield place
    shutil.rmtree(place)


def rows(home: Path) -> list[int]:
    with embedded(home) as server, psycopg.connect(server.server_dsn) as connection:
        return [r[0] for r in connection.execute("SELECT n FROM kept ORDER BY n")]


def server_processes(home: Path) -> list[int]:
    """Every process that works on this home: the keeper by its arguments, the server by its folder."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                words = (place / "cmdline").read_bytes().decode()
                if str(home) in words and int(place.name) != os.getpid():
                    found.append(int(place.name))
            except (OSError, UnicodeDecodeError):
                continue
    return found


def running(home: Path) -> tuple[int, int]:
    """The server's and its keeper's pid."""
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


def test_starts_is_private_and_leaves_nothing_behind(home: Path) -> None:
    with embedded(home) as server:
        assert server.sockets.stat().st_mode & 0o777 == 0o700
        assert (home / "pg" / "data").stat().st_mode & 0o777 == 0o700
        with psycopg.connect(server.server_dsn) as connection:
            shown = connection.execute(
                "SELECT current_setting('data_checksums'), current_setting('synchronous_commit'), "
                "current_setting('listen_addresses'), current_setting('server_version_num')::int >= 150000"
            ).fetchone()
        assert shown == ("on", "on", "", True)
    assert server_processes(home) == []


def test_a_second_user_joins_and_outlives_the_first(home: Path) -> None:
    with embedded(home) as second:
        first = start_user(home)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        time.sleep(0.5)
        with psycopg.connect(second.server_dsn) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert server_processes(home) == []


def test_the_server_ends_when_its_only_user_is_killed(home: Path) -> None:
    user = start_user(home)
    os.kill(user.pid, signal.SIGKILL)
    user.wait()
    deadline = time.monotonic() + 10
    while server_processes(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server_processes(home) == []


@pytest.mark.kill("server and keeper die under writers")
@pytest.mark.parametrize("victims", ["user", "keeper", "postmaster", "all"])
def test_committed_rows_survive_kills(home: Path, victims: str) -> None:
    kept = 0
    for _ in range(3):
        user = start_user(home)
        assert user.stdout is not None
        for _ in range(20):
            kept = int(user.stdout.readline())
        postmaster, keeper = running(home)
        chosen = {"user": [user.pid], "keeper": [keeper], "postmaster": [postmaster]}
        killed = chosen.get(victims, [user.pid, keeper, postmaster])
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        user.kill()
        user.wait()
        for pid in killed:
            wait_for_end(pid)
        found = rows(home)
        assert set(range(1, kept + 1)) <= set(found)
    assert server_processes(home) == []


def test_the_server_of_a_killed_keeper_is_not_joined_though_it_still_answers(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = start_user(home)
    assert user.stdout is not None
    assert user.stdout.readline() == "1\n"
    postmaster, keeper = running(home)
    user.kill()
    os.kill(keeper, signal.SIGKILL)
    user.wait()
    for pid in (keeper, postmaster):
        wait_for_end(pid)
    connects = embedded_server._connects

    def still_connects(server: embedded_server.Server) -> bool:
        return not server_processes(home) or connects(server)

    monkeypatch.setattr(embedded_server, "_connects", still_connects)
    assert 1 in rows(home)


@pytest.mark.kill("ends keeper and server with SIGKILL under a user that lives on")
@pytest.mark.parametrize("victims", ["keeper", "postmaster", "both"])
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
        postmaster, keeper = running(home)
        for pid in {"keeper": [keeper], "postmaster": [postmaster]}.get(victims, [keeper, postmaster]):
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.3)
        with databases.connect("sig") as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
        assert 1 <= len(asked) <= 3
        assert running(home)[0] != postmaster
    assert server_processes(home) == []


def test_a_stale_pid_file_of_another_process_is_no_obstacle(home: Path) -> None:
    with embedded(home):
        note = (home / "pg" / "data" / "postmaster.pid").read_text()
    lines = [str(os.getpid()), *note.split("\n")[1:]]
    (home / "pg" / "data" / "postmaster.pid").write_text("\n".join(lines))
    with embedded(home) as server:
        psycopg.connect(server.server_dsn).close()


def test_concurrent_first_starts_make_one_server(home: Path) -> None:
    script = (
        "import sys, psycopg\nfrom lotus_store.postgres.embedded import embedded\n"
        "with embedded(sys.argv[1]) as s, psycopg.connect(s.server_dsn) as c:\n"
        "    print(c.execute('SELECT system_identifier FROM pg_control_system()').fetchone()[0])\n"
    )
    users = [
        subprocess.Popen([sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    answers = {user.communicate(timeout=90)[0] for user in users}
    assert len(answers) == 1
    assert answers.pop().strip().isdigit()


def test_long_and_private_homes_work(home: Path) -> None:
    deep = home / ("a-long-name-" * 9) / "home"
    deep.mkdir(parents=True)
    home.chmod(0o700)
    with embedded(deep) as server:
        assert len(str(server.sockets)) < 100
        with psycopg.connect(server.server_dsn) as connection:
            connection.execute("CREATE TABLE kept (n int)")
    assert rows(deep) == []
    assert home.stat().st_mode & 0o777 == 0o700
    assert not server.sockets.exists()


def connects_as(uid: int, dsn: str) -> bool:
    """Tell whether a process of another user gets in."""
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        try:
            psycopg.connect(dsn, connect_timeout=5).close()
        except psycopg.OperationalError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


@AS_ROOT
def test_a_process_of_the_servers_own_user_is_not_let_in(home: Path) -> None:
    with embedded(home) as server:
        uid = (home / "pg" / "data").stat().st_uid
        psycopg.connect(server.server_dsn).close()
        assert uid != os.getuid()
        assert not connects_as(uid, server.server_dsn)
    (home / "pg" / "data" / "pg_hba.conf").write_text("local all all trust\n")  # a home of before
    with embedded(home) as server:
        assert not connects_as(uid, server.server_dsn)


@AS_ROOT
def test_a_home_copied_by_root_says_whose_it_must_be(home: Path) -> None:
    with embedded(home):
        uid = (home / "pg" / "data").stat().st_uid
    os.chown(home / "pg" / "data", 0, 0)
    with pytest.raises(LedgerError, match=rf"data belongs to root \(0\).*chown -R {uid} .*data"), embedded(home):
        pass
    os.chown(home / "pg" / "data", uid, uid)
    with embedded(home):
        pass


def test_the_socket_of_a_long_home_has_a_name_of_its_own_life_that_all_share(home: Path) -> None:
    deep = home / ("a-long-name-" * 9) / "home"
    with embedded(deep) as first, embedded(deep) as second:
        assert first.sockets == second.sockets
        assert first.sockets.parent == Path(tempfile.gettempdir())
        assert embedded_server.is_up(deep)
        shutil.copytree(deep / "pg", home / "copy" / "pg", ignore=shutil.ignore_patterns("data"))
        assert embedded_server._noted_sockets(deep / "pg", os.getuid()) == first.sockets
        if os.geteuid() == 0:  # the copy is reached by nobody but root, so its socket is elsewhere too
            assert embedded_server._noted_sockets(home / "copy" / "pg", 65534) is None
    assert not first.sockets.exists()
    assert not embedded_server.is_up(deep)
    with embedded(deep) as third:
        assert third.sockets != first.sockets


def test_a_socket_folder_that_another_took_is_left_to_him(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = home / ("a-long-name-" * 9) / "home"
    (deep / "pg").mkdir(parents=True)
    taken = home / "taken"
    taken.mkdir(mode=0o777)
    taken.chmod(0o777)
    (deep / "pg" / keeper.NOTE).write_text(f"{embedded_server._identity(deep / 'pg')} {taken}")
    with embedded(deep) as server:
        assert server.sockets != taken
    assert list(taken.iterdir()) == []
