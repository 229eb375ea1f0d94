"""Atomic, durable files: temporary name, fsync, rename, fsync of the folder.

A reader sees the old file or the new one, never a part; a killed writer leaves at most a temporary file, which the
next writer of the same file removes. No format knowledge belongs here. (Literature: atomic rename, write-ahead rename.)
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lotus.errors import ConfigError

MOST_TEXT = 4 << 20  # bytes


def fsync_folder(folder: Path) -> None:
    """Make the names inside `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Create `folder` with its parents, durably."""
    missing = []
    step = folder
    while not step.exists():
        missing.append(step)
        step = step.parent
    folder.mkdir(parents=True, exist_ok=True)
    for made in reversed(missing):
        fsync_folder(made.parent)


@contextmanager
def atomic(path: Path, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on a clean end it becomes `path`, durably, else it is removed.

    What is not `durable` may be half a file after a crash of the machine: for what is checked by its own hash when it
    is read, and can be made again.
    """
    make_folder(path.parent)
    _sweep(path)
    temporary = _beside(path)
    try:
        yield temporary
        if durable:
            with temporary.open("rb+") as written:
                os.fsync(written.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        fsync_folder(path.parent)


def write_bytes(path: Path, payload: bytes | memoryview) -> None:
    """Write one whole file atomically and durably."""
    with atomic(path) as temporary:
        temporary.write_bytes(payload)


def create_bytes(path: Path, payload: bytes | memoryview) -> bool:
    """Write one whole file atomically and durably unless it is there; tell whether it was written. The first wins."""
    make_folder(path.parent)
    _sweep(path)
    temporary = _beside(path)
    try:
        temporary.write_bytes(payload)
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    fsync_folder(path.parent)
    return True


def read_utf8(path: Path) -> str:
    """Return the text of a file that a person wrote; `ConfigError` where it is no UTF-8 or far too large."""
    with path.open("rb") as file:
        raw = file.read(MOST_TEXT + 1)
    if len(raw) > MOST_TEXT:
        raise ConfigError(f"{path} is larger than {MOST_TEXT >> 20} MiB", "a file that a person wrote", "another file")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        cause = f"another kind of file, or another encoding; byte {error.start} is none of a text"
        raise ConfigError(f"{path} is no text", "UTF-8", cause) from None


def folder_hash(folder: Path) -> str:
    """Return the 128-bit hash of all files of a folder: their names and bytes, in order of name."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + content)
    return digest.hexdigest()


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")


def _sweep(path: Path) -> None:
    """Remove temporary files of writers of `path` that no longer live."""
    for stale in path.parent.glob(f".{path.name}.*.tmp"):
        owner = stale.name.removeprefix(f".{path.name}.").split(".")[0]
        if owner.isdigit() and int(owner) != os.getpid() and not process_alive(int(owner)):
            stale.unlink(missing_ok=True)


def sweep_drafts(folder: Path, prefix: str) -> None:
    """Remove folders `<prefix><name>.<process>.<thread>` that processes that are over left."""
    for stale in folder.glob(f"{prefix}*"):
        owner = stale.name.removeprefix(prefix).split(".")[1:2]
        if owner and owner[0].isdigit() and int(owner[0]) != os.getpid() and not process_alive(int(owner[0])):
            shutil.rmtree(stale, ignore_errors=True)


def process_alive(pid: int) -> bool:
    """Tell whether a process with this id exists (it may belong to anyone)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
