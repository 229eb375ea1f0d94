"""What keeps a home its owner's: its owner and rights, files opened without links, its pages' name, children's imports.

A name in a folder may be a link that another user has put there; a module's name in the folder in which a command was
typed may be another's file. Neither is followed. No format knowledge belongs here. (Literature: least privilege, CWE-59
link following, CWE-427 uncontrolled search path.)
"""

import errno
import fcntl
import os
import pwd
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from lotus.errors import ConfigError
from lotus.loopback import own_name
from lotus_store.files import atomic, make_folder

SAFE_PATH = "PYTHONSAFEPATH"
UMASK = 0o077
PAGES_NAME = "pages_name"
OF_A_HOME = frozenset({"branches", "dagster", "keys", "lake", "learner_state", "live", "logs", "pg", "tape"})


@contextmanager
def private_process() -> Iterator[None]:
    """Within the block files are made 0600 and folders 0700, and Python children import nothing from their folder.

    Both are inherited by children; PYTHONPATH keeps its meaning. What was before is back afterwards.
    """
    mask, path = os.umask(UMASK), os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        os.umask(mask)
        if path is None:
            os.environ.pop(SAFE_PATH, None)
        else:
            os.environ[SAFE_PATH] = path


def own_home(home: Path) -> None:
    """Create a home as 0700, or take away what others may do in it.

    Raises `ConfigError` for a home that belongs to another user, root's included and for root too, and for a folder
    open to others that holds other things than a home's: its rights are not ours to take.
    """
    if not home.exists():
        make_folder(home.parent)
        with suppress(FileExistsError):
            home.mkdir(mode=0o700)
    status = home.stat()
    if status.st_uid != os.geteuid():
        raise ConfigError(
            f"the home {home} belongs to {user_name(status.st_uid)}, and this is {user_name(os.geteuid())}",
            f"a home of {user_name(os.geteuid())}",
            f"copied or made by {user_name(status.st_uid)}; work as that user, or hand it over with chown -R",
        )
    if not status.st_mode & 0o077:
        return
    held = sorted(path.name for path in home.iterdir() if path.name != "lotus.toml")
    if held and not OF_A_HOME.intersection(held):
        raise ConfigError(
            f"the home {home} holds other things: {', '.join(held[:5])}",
            "a folder that is empty, does not exist, or is a home",
            "LOTUS_HOME or --home names a folder of another use, which would be shut to all others",
        )
    home.chmod(0o700)


def user_name(uid: int) -> str:
    """Return a user's name with its number, as "root (0)"; a number without a name is "user 4711"."""
    try:
        return f"{pwd.getpwuid(uid).pw_name} ({uid})"
    except KeyError:
        return f"user {uid}"


def open_private(path: Path) -> BinaryIO:
    """Open a lock or log for appending, made 0600 when it is not there, never emptied, never through a link.

    On a disk that turned read-only what is there is opened all the same: it can be locked, and not written to. Raises
    `ConfigError` when the name is a link or another thing than a file.
    """
    safely, writing = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, os.O_RDWR | os.O_APPEND | os.O_CREAT
    try:
        try:
            handle = os.open(path, safely | writing, 0o600)
        except OSError as problem:
            if problem.errno != errno.EROFS:
                raise
            handle = os.open(path, safely)
    except OSError as problem:
        if problem.errno not in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise
        cause = f"somebody put it there; look at it, then remove it: rm {path}"
        raise ConfigError(f"{path} is a link or no file", "a file of this home", cause) from problem
    os.set_blocking(handle, True)
    return os.fdopen(handle, "ab")


def open_new_log(path: Path) -> BinaryIO:
    """Open a fresh log; the one of before is kept beside it as `<name>.1` (never emptied, a link is not followed)."""
    with suppress(FileNotFoundError):
        path.replace(path.with_name(f"{path.name}.1"))
    return open_private(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the exclusive lock of a file for the block; raises `BlockingIOError` at once when another process does."""
    with open_private(path) as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def name_of_home(home: Path) -> str:
    """Return the name of a home's pages, the same at each start.

    A home that cannot be written to gets one for this start. Raises `ConfigError` for a file that holds anything else.
    """
    path, drawn = home / "keys" / PAGES_NAME, secrets.token_hex(16)
    try:
        if not path.exists():
            write_secret_once(path, f"{drawn}\n")
        text = path.read_text("ascii", "replace").strip()
    except OSError:
        text = drawn
    try:
        return own_name(text)
    except ConfigError as error:
        raise ConfigError(f"{path} holds {text[:40]!r}", "32 hexadecimal digits", "edited; remove the file") from error


def private_folder(folder: Path) -> None:
    """Make a folder that others cannot enter, where it is not there."""
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def write_secret(path: Path, text: str) -> None:
    """Write a whole file that only its owner can read from its first byte on, atomically and durably."""
    with atomic(path) as temporary:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)


def write_secret_once(path: Path, text: str) -> None:
    """Write such a file, in a folder that others cannot enter, unless another process did so before.

    What a killed one left goes when the next has written.
    """
    private_folder(path.parent)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not path.exists():
            write_secret(path, text)
    finally:
        os.close(folder)
