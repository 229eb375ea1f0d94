"""A home is its owner's: nothing is opened through a link, nobody else may look, children import nothing from here."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from read_only import read_only

from lotus.errors import ConfigError
from lotus_cli.main import main
from lotus_store import private
from lotus_store.postgres import server_supervisor
from lotus_store.private import (
    SAFE_PATH,
    locked,
    open_new_log,
    open_private,
    own_home,
    private_process,
    write_secret,
)
from lotus_store.tape.store import TapeStore
from lotus_venues.hyperliquid.journal import SignerJournal

ROOT = Path(__file__).resolve().parents[2]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")


def bait(link: Path) -> Path:
    """Put a link in the place of a lock and return the other user's file behind it."""
    target = link.parent.with_name("precious")
    link.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("kept")
    link.symlink_to(target)
    return target


@pytest.mark.parametrize("opened", [open_private, server_supervisor._open])
def test_a_lock_that_is_a_link_is_refused_and_its_target_stays(tmp_path: Path, opened) -> None:  # type: ignore[no-untyped-def]
    target = bait(tmp_path / "pg" / "start.lock")
    with pytest.raises((ConfigError, OSError)):
        opened(tmp_path / "pg" / "start.lock")
    assert target.read_text() == "kept"


def test_no_lock_or_log_of_the_rooms_is_opened_otherwise() -> None:
    """Every name with `lock` or `log` goes through `open_private`, `open_new_log`, `locked` or the supervisor's own."""
    found = []
    for path in ROOT.glob("lotus*/**/*.py"):
        if "lotus_desk/watch" not in str(path):
            found += [
                f"{path.name}: {line.strip()}"
                for line in path.read_text().split("\n")
                if (('lock"' in line or '.log"' in line) and (".open(" in line or "write_text(" in line)
                and "os.open" not in line) or ("os.open(" in line and "O_CREAT" in line and "O_NOFOLLOW" not in line
                and "O_EXCL" not in line)
            ]  # fmt: skip
    assert found == []


def test_the_tape_and_the_signer_take_no_lock_through_a_link(tmp_path: Path) -> None:
    tape = TapeStore(tmp_path / "home", "live")
    target = bait(tape.folder / ".lock")
    with pytest.raises(ConfigError, match=r"\.lock is a link"):
        tape.writer()
    bait(tmp_path / "signer" / "lock")
    with pytest.raises(OSError, match="symbolic links"):
        SignerJournal(tmp_path / "signer")
    assert target.read_text() == "kept"


def test_locks_and_logs_keep_what_they_hold_and_are_0600(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        for word in (b"one ", b"two"):
            with open_private(tmp_path / "a.log") as log:
                log.write(word)
    finally:
        os.umask(before)
    assert (tmp_path / "a.log").read_bytes() == b"one two"
    assert (tmp_path / "a.log").stat().st_mode & 0o777 == 0o600
    with open_new_log(tmp_path / "a.log") as log:
        log.write(b"three")
    assert [(tmp_path / n).read_bytes() for n in ("a.log.1", "a.log")] == [b"one two", b"three"]
    with locked(tmp_path / "a.lock"), pytest.raises(BlockingIOError), locked(tmp_path / "a.lock"):
        pass


def test_on_a_read_only_disk_a_lock_is_held_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "disk" / "own.lock"
    path.parent.mkdir()
    path.touch(0o600)
    with read_only(path.parent), locked(path), pytest.raises(BlockingIOError), locked(path):
        pass


def test_a_home_is_shut_to_others(tmp_path: Path) -> None:
    own_home(tmp_path / "deep" / "home")
    assert (tmp_path / "deep" / "home").stat().st_mode & 0o777 == 0o700
    (tmp_path / "old").mkdir()
    (tmp_path / "old").chmod(0o777)
    own_home(tmp_path / "old")
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o700


def test_a_folder_of_other_things_is_refused_and_stays_open(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "Makefile").touch()
    with pytest.raises(ConfigError, match=r"holds other things: Makefile.*is empty.*LOTUS_HOME"):
        own_home(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    (tmp_path / "pg").mkdir()
    own_home(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_a_home_of_another_user_is_refused_and_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setattr(private.os, "geteuid", lambda: os.getuid() + 4711)
    with pytest.raises(ConfigError, match=r"belongs to .* \(\d+\), and this is user \d+.*chown -R"):
        own_home(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


@AS_ROOT
def test_root_refuses_the_home_of_a_user_before_it_writes_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 12345, 12345)
    done = CliRunner().invoke(main, ["doctor", "--home", str(home), "--json"], env={"LOTUS_PG_DSN": ""})
    assert "belongs to user 12345, and this is root (0)" in json.loads(done.output)["databases"]
    assert list(home.iterdir()) == []


def test_a_command_makes_private_files_and_safe_children_and_leaves_the_caller_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(SAFE_PATH, raising=False)
    before = os.umask(0o022)
    try:
        with private_process():
            assert (os.umask(0o077), os.environ[SAFE_PATH]) == (0o077, "1")
        assert (os.umask(0o022), SAFE_PATH in os.environ) == (0o022, False)
    finally:
        os.umask(before)


@pytest.mark.process("starts a child of a command in a folder with a module of another user's")
def test_children_import_nothing_from_the_folder_of_the_command(tmp_path: Path) -> None:
    (tmp_path / "msgspec.py").write_text('raise SystemExit("taken over")')
    (tmp_path / "lotus_cli").mkdir()
    (tmp_path / "lotus_cli" / "__init__.py").write_text('raise SystemExit("taken over")')
    code = (
        "import subprocess, sys; from lotus_store.private import private_process\n"
        "with private_process(): done = subprocess.run([sys.executable, '-m', 'lotus_live', '--help'])\n"
        "raise SystemExit(done.returncode)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, "taken over" in done.stderr) == (0, False), done.stderr


def test_every_python_child_is_started_with_the_safe_path() -> None:
    found = []
    for path in ROOT.glob("lotus*/**/*.py"):
        lines = path.read_text().split("\n")
        found += [f"{path.name}: {x.strip()}" for x in lines if "sys.executable" in x and '"-P"' not in x]
    assert [line.split(":")[0] for line in found] == ["embedded.py"], "isolated by -I"


def test_a_secret_is_private_under_any_umask_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "agent"
    before = os.umask(0)
    try:
        write_secret(path, "first, and longer\n")
        write_secret(path, "zweiter Schlüssel\n")
    finally:
        os.umask(before)
    assert path.read_text("utf-8") == "zweiter Schlüssel\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["agent"]
