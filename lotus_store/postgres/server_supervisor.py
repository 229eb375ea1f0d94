"""The server supervisor: a small process that holds the embedded server while any Lotus process of a home uses it.

Every user holds a shared lock on `users.lock`; the kernel drops it however the user ends. The supervisor starts the
server as its child (which dies with it), restarts it after a kill, and stops it once nobody holds the lock. It is a
script of the standard library alone, outside of the users' session, so that their signals do not reach it. In its own
`keeper.lock` it notes the server it has started: users take no other, for that of a killed supervisor is about to die.
"""

import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

NOTE = "sockets"  # where the socket is when it is not in the home, for this life of the server
PDEATHSIG = 1
POLL_S = 0.1
STOP_S = 60.0


def main(order: dict[str, Any]) -> int:
    """Keep the server of one home: `order` has folder, data, private, binaries, sockets,
    owner, uid, gid, login, users and options."""
    folder = Path(order["folder"])
    own = _open(folder / "keeper.lock")
    try:
        fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 0  # another supervisor lives
    users = _open(folder / "users.lock")
    child: subprocess.Popen[bytes] | None = None
    failures = 0
    while not _free(users):
        if child is None or child.poll() is not None:
            failures = failures + 1 if child is not None else 0
            if failures > 20:
                return 1
            time.sleep(min(0.05 * 2**failures, 3.0) if failures else 0)
            if not _initialise(order):
                return 1  # its words stand in the log
            _bury(Path(order["data"]))
            _admit(order)
            child = _start(order)
            os.truncate(own, 0)
            os.pwrite(own, str(child.pid).encode(), 0)
        time.sleep(POLL_S)
    if child is not None:
        _stop(child)
    with suppress(OSError):
        (folder / NOTE).unlink(missing_ok=True)
        Path(order["sockets"]).rmdir()
    return 0


def _open(path: Path, more: int = 0) -> int:
    """Open a lock or log, 0600 when it is made here, never through a link (as `open_private` of the store)."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | more, 0o600)


def _replace(path: Path, text: str) -> None:
    """Give a file of the server's folder another content, and that folder's owner; a link put there is not followed."""
    status, fresh = path.parent.stat(), path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        os.fchown(handle, status.st_uid, status.st_gid)
    fresh.replace(path)


def _demote(uid: int, gid: int) -> Callable[[], None]:
    """Return what a child does before exec: become `uid`, die with its parent, in a session of its own."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def before() -> None:
        if uid != os.getuid():
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
        if libc is not None:
            libc.prctl(PDEATHSIG, signal.SIGINT, 0, 0, 0)
        os.umask(0o077)

    return before


def _start(order: dict[str, Any]) -> "subprocess.Popen[bytes]":
    options = [word for key, value in order["options"].items() for word in ("-c", f"{key}={value}")]
    return _run(order, "postgres", Path(order["data"]), ["-k", order["sockets"], *options])


def _initialise(order: dict[str, Any]) -> bool:
    """Make the data folder once: under another name, then renamed, so that a killed start leaves no half.

    Return whether it is there.
    """
    data = Path(order["data"])
    if data.is_dir():
        return True
    making = data.with_name("data.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    os.chown(making, order["uid"], order["gid"])
    user = ["-U", order["owner"], "-A", "trust", "-E", "UTF8", "--locale=C", "--data-checksums"]
    if _run(order, "initdb", making, user).wait():
        shutil.rmtree(making, ignore_errors=True)
        return False
    making.rename(data)
    return True


def _admit(order: dict[str, Any]) -> None:
    """Let in our own user, as the kernel names it, when the server runs as another (older homes let in everybody).

    The folder's other readers are processes of the server's user; as our own it may trust whoever reaches its folder.
    """
    if order["login"]:
        data, rows = Path(order["data"]), [f'lotus "{order["login"]}" "{user}"' for user in order["users"]]
        _replace(data / "pg_ident.conf", "\n".join([*rows, ""]))
        _replace(data / "pg_hba.conf", "local all all peer map=lotus\n")


def _run(order: dict[str, Any], program: str, data: Path, arguments: list[str]) -> "subprocess.Popen[bytes]":
    """Start a program of the server on `data`, as the server's user.

    Below a folder which that user cannot enter (a private home of root) the data folder is named through an inherited
    handle; no folder's rights are widened for it.
    """
    handle = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    name = f"/proc/self/fd/{handle}" if order["private"] else str(data)
    command = [str(Path(order["binaries"]) / program), "-D", name, *arguments]
    try:
        with os.fdopen(_open(Path(order["folder"]) / "server.log", os.O_APPEND), "ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                pass_fds=(handle,),
                env={"LC_ALL": "C", "PATH": os.defpath},
                preexec_fn=_demote(order["uid"], order["gid"]),
            )
    finally:
        os.close(handle)


def _bury(data: Path) -> None:
    """Stop a server that an earlier supervisor left alive; make a stale pid file harmless when its pid was given away.

    The file itself stays: through it the server finds shared memory that orphans of a killed server still use. A pid
    equal to its parent's is what PostgreSQL takes for stale.
    """
    lock = data / "postmaster.pid"
    deadline = time.monotonic() + STOP_S
    while time.monotonic() < deadline:
        try:
            first, *rest = lock.read_text().split("\n")
            pid = int(first)
            os.kill(pid, 0)
        except (OSError, ValueError):
            return
        if not _serves(pid, data):
            _replace(lock, "\n".join([str(os.getpid()), *rest]))
            return
        with suppress(OSError):
            os.kill(pid, signal.SIGINT)
        time.sleep(POLL_S)


def _serves(pid: int, data: Path) -> bool:
    """Tell whether the living process `pid` is a server of `data`."""
    try:
        return Path(f"/proc/{pid}/cwd").samefile(data)
    except OSError:
        return sys.platform != "linux"


def _free(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stop(child: "subprocess.Popen[bytes]") -> None:
    for sign in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        child.send_signal(sign)
        with suppress(subprocess.TimeoutExpired):
            child.wait(STOP_S)
            return


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
