"""The embedded PostgreSQL of one home: a real server on a private socket, shared by all processes of that home.

`with embedded(home) as server: psycopg.connect(server.dsn("sig"))`. The first user starts it (`server_supervisor`),
later ones join, the last one stops it; after `kill -9` of anything the next user recovers it with committed rows
intact. Connections, schemas and SQL do not belong here.
"""

import fcntl
import json
import os
import pwd
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import psycopg

from lotus.errors import LedgerError
from lotus_store.files import make_folder, write_bytes
from lotus_store.postgres import server_supervisor
from lotus_store.postgres.binaries import find_binaries, reachable, traversable
from lotus_store.postgres.migrations import LOTUS_DATABASES
from lotus_store.postgres.roles import logins
from lotus_store.private import open_private, own_home, user_name

OWNER = "lotus"
USERS = (OWNER, *logins(LOTUS_DATABASES))
WAIT_S = 60.0
TRIES = 3
LONGEST_SOCKET = 90
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "synchronous_commit": "on",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "jit": "off",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A running embedded server: its private socket folder and the home that owns it."""

    home: Path
    sockets: Path

    @property
    def server_dsn(self) -> str:
        """Address of the server's maintenance database, in libpq's keyword form."""
        return f"host={self.sockets} port=5432 user={OWNER} dbname=postgres"

    def dsn(self, name: str) -> str:
        """Address of one Lotus database (`sig` is the database lotus_sig)."""
        return f"host={self.sockets} port=5432 user={OWNER} dbname=lotus_{name}"


@contextmanager
def embedded(home: Path | str) -> Iterator[Server]:
    """Start or join the embedded server of `home` and hold it until the end of the block.

    Raises `LedgerError` when there are no binaries or the server does not answer within 60 s (its log is quoted).
    """
    folder = Path(home).absolute() / "pg"
    own_home(folder.parent)
    make_folder(folder)
    users = open_private(folder / "users.lock")
    try:
        fcntl.flock(users, fcntl.LOCK_SH)
        server = _join(Path(home).absolute(), folder)
        yield server
    finally:
        _leave(folder, users)


def revive(home: Path | str) -> None:
    """Start supervisor and server again for a user within `embedded` after a kill of the supervisor, else do nothing.

    Raises `LedgerError` when the server does not answer within 60 s.
    """
    place = Path(home).absolute()
    _join(place, place / "pg")


def is_up(home: Path | str) -> bool:
    """Tell whether the embedded server of a home answers; nothing is started."""
    folder = Path(home).absolute() / "pg"
    if not (folder / "data" / "postmaster.pid").exists():
        return False
    place = _noted_sockets(folder, _server_user()[0])
    return place is not None and _answers(Server(Path(home).absolute(), place))


def _join(home: Path, folder: Path) -> Server:
    uid, gid = _server_user()
    with open_private(folder / "start.lock") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        server = Server(home, _socket_folder(folder, uid, gid))
        if not _answers(server):
            _start(server, folder, uid, gid)
    return server


def _leave(folder: Path, users: BinaryIO) -> None:
    """Let go; the last user waits until the supervisor has stopped the server, so that nothing is left behind."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        last = True
    except BlockingIOError:
        last = False
    users.close()
    left = time.monotonic()
    while last and time.monotonic() < left + WAIT_S and not _lockable(folder / "keeper.lock", fcntl.LOCK_EX):
        if time.monotonic() > left + 1 and _lockable(folder / "users.lock", fcntl.LOCK_SH):
            return  # somebody joined in the meantime
        time.sleep(0.02)


def _start(server: Server, folder: Path, uid: int, gid: int) -> None:
    _check_owner(folder / "data", uid)
    order = {
        "folder": str(folder),
        "data": str(folder / "data"),
        "private": not traversable(folder, uid),
        "binaries": str(reachable(find_binaries(), uid)),
        "owner": OWNER,
        "sockets": str(server.sockets),
        "uid": uid,
        "gid": gid,
        "login": "" if uid == os.getuid() else pwd.getpwuid(os.getuid()).pw_name,
        "users": USERS,
        "options": OPTIONS,
    }
    deadline, given_up = time.monotonic() + WAIT_S, 0
    while time.monotonic() < deadline and given_up < TRIES:
        begun: subprocess.Popen[bytes] | None = None
        if _forget_supervisor(folder):
            command = [sys.executable, "-I", "-S", str(Path(server_supervisor.__file__)), json.dumps(order)]
            with open_private(folder / "server.log") as log:
                begun = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
                )
        for _ in range(50):
            if _answers(server):
                return
            if begun is not None and (begun.poll() or 0) > 0:  # it gave up; one that was killed is begun again
                given_up += 1
                break
            time.sleep(0.02)
    tail = (folder / "server.log").read_text(errors="replace")[-600:]
    what = f"the embedded PostgreSQL of {server.home}"
    if given_up:
        raise LedgerError(f"{what} cannot be started", "a server that starts", f"its log ends with: {tail}")
    raise LedgerError(f"{what} does not answer", f"within {WAIT_S:.0f} s", tail)


def _check_owner(data: Path, uid: int) -> None:
    """Raise `LedgerError` for a data folder of another user than the server's, which could not read it."""
    if data.exists() and data.stat().st_uid != uid:
        whose = user_name(data.stat().st_uid)
        cause = f"the home was copied without its owners; stop what uses it, then: chown -R {uid} {data}"
        raise LedgerError(f"{data} belongs to {whose}", f"{user_name(uid)}, as whom PostgreSQL runs here", cause)


def _server_user() -> tuple[int, int]:
    """Uid and gid of the server: our own, or `nobody` for root (PostgreSQL refuses to run as root)."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _socket_folder(folder: Path, uid: int, gid: int) -> Path:
    """Return the private folder (0700) of the socket, made where it is missing; call it with `start.lock` held.

    It lies in the home, or under the temporary folder when the path is too long (the kernel takes 107 characters) or
    the server's user cannot reach it: then under a name drawn for this life of the server and noted in the home.
    """
    place = _noted_sockets(folder, uid)
    if place is not None:
        try:
            return _private_folder(place, uid, gid)
        except LedgerError:  # in the temporary folder another user may have taken the name by now
            if place.parent == folder:
                raise
    root = tempfile.gettempdir()
    place = Path(tempfile.mkdtemp(prefix="lotus-pg-", dir=root if len(root) < LONGEST_SOCKET - 20 else "/tmp"))
    os.chown(place, uid, gid)
    write_bytes(folder / server_supervisor.NOTE, f"{_identity(folder)} {place}".encode())
    return place


def _noted_sockets(folder: Path, uid: int) -> Path | None:
    """Return where the socket's folder is, None while none is noted; the note of a copied home is that of another."""
    place = folder / "run"
    if len(str(place)) <= LONGEST_SOCKET and traversable(folder, uid):
        return place
    with suppress(FileNotFoundError):
        identity, _, name = (folder / server_supervisor.NOTE).read_text().partition(" ")
        return Path(name) if identity == _identity(folder) else None
    return None


def _identity(folder: Path) -> str:
    status = folder.stat()
    return f"{status.st_dev}:{status.st_ino}"


def _private_folder(place: Path, uid: int, gid: int) -> Path:
    """Make a folder of the server's user, or take that which is there; raises `LedgerError` for another user's."""
    with suppress(FileExistsError):
        place.mkdir(mode=0o700)
        os.chown(place, uid, gid)
    status = place.lstat()
    if place.is_symlink() or status.st_uid not in (uid, os.getuid()) or status.st_mode & 0o077:
        whose = user_name(status.st_uid)
        raise LedgerError(f"{place} belongs to {whose}", f"a 0700 folder of {user_name(uid)}", "another user made it")
    if status.st_uid != uid:  # we were killed between mkdir and chown
        os.chown(place, uid, gid)
    return place


def _answers(server: Server) -> bool:
    """Tell whether a server of a living supervisor takes connections; that of a killed one does so until it dies."""
    return _is_kept(server.home / "pg") and _connects(server)


def _is_kept(folder: Path) -> bool:
    try:
        held = (folder / "keeper.lock").read_text()
        runs = (folder / "data" / "postmaster.pid").read_text().split("\n")[0]
    except FileNotFoundError:
        return False
    return bool(held) and held == runs and not _lockable(folder / "keeper.lock", fcntl.LOCK_EX)


def _connects(server: Server) -> bool:
    try:
        psycopg.connect(server.server_dsn, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _forget_supervisor(folder: Path) -> bool:
    """Empty what the last supervisor noted, under its lock, unless it lives; tell whether it does not."""
    with open_private(folder / "keeper.lock") as own:
        try:
            fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
            own.truncate(0)
        except BlockingIOError:
            return False
    return True


def _lockable(path: Path, kind: int) -> bool:
    """Tell whether a lock of this kind could be had at this moment."""
    with open_private(path) as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
