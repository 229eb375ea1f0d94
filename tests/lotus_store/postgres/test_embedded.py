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
from lotus_store.postgres import embedded as embedded_server
from lotus_store.postgres.embedded import embedded

from .server_users import USER, server_processes

pytestmark = pytest.mark.process("servers are started, joined and stopped")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")


@pytest.fixture
def home() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="lotus-pg-test-"))
    yield place
    shutil.rmtree(place)


def rows(home: Path) -> list[int]:
    with embedded(home) as server, psycopg.connect(server.server_dsn) as connection:
        return [r[0] for r in connection.execute("SELECT n FROM kept ORDER BY n")]


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
