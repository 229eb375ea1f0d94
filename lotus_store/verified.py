"""Which files were hashed already: a file is hashed again only when it is another one by then.

A file's identity is device, inode, size and times of change, which every write through the file system changes, and
what the caller adds. With a file of marks, what one process has hashed another believes. What is hashed, and against
what, is the caller's. (Literature: content verification with cached validators.)
"""

import hashlib
import logging
import os
import stat
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from lotus_store import files

_log = logging.getLogger(__name__)
Identity = tuple[str, int, int, int, int, int, str]
MOST = 100_000  # files remembered, 20 MB
MARK_BYTES = 33  # of one file: 32 hexadecimal characters and the end of a line


def identity_of(path: str | os.PathLike[str], more: str = "") -> Identity:
    """Return the identity of a file as it is now, `more` included; raises `OSError` when there is none."""
    status = os.stat(path)  # noqa: PTH116 -- also of paths given as text
    times = status.st_mtime_ns, status.st_ctime_ns
    return (os.fspath(path), status.st_dev, status.st_ino, status.st_size, *times, more)


class Verified:
    """The identities whose content was found right, the latest `MOST` of them; threads may share it.

    Identities are shared with other processes through the file `marks`, where there is one; what cannot be read or
    written there is hashed again. One that is no regular file is told of once and left alone, and of one that is too
    long the end is read and the rest forgotten.
    """

    def __init__(self, marks: Path | None = None) -> None:
        self._marks = marks
        self._read_bytes = 0
        self._is_told = False
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._gate = Lock()

    def __contains__(self, identity: Identity) -> bool:
        """Tell whether a file of this identity was right."""
        mark = _mark(identity)
        with self._gate:
            if mark not in self._known:
                self._catch_up()
            return mark in self._known

    def add(self, identity: Identity) -> None:
        """Remember that it was."""
        mark = _mark(identity)
        with self._gate:
            self._note(mark)
            if self._marks is not None:
                with suppress(OSError), self._opened(self._marks, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as file:
                    os.write(file, mark + b"\n")

    def _catch_up(self) -> None:
        """Take over what other processes have noted since the last look."""
        if self._marks is None:
            return
        most = 2 * MOST * MARK_BYTES
        with suppress(OSError), self._opened(self._marks, os.O_RDONLY) as file:
            size = os.fstat(file).st_size
            if size < self._read_bytes:  # it was made anew
                self._read_bytes = 0
            self._read_bytes = max(self._read_bytes, size - most)
            new = os.pread(file, most, self._read_bytes)
            whole = new[: new.rfind(b"\n") + 1]
            self._read_bytes += len(whole)
            for mark in whole.split(b"\n"):
                if len(mark) == MARK_BYTES - 1:
                    self._note(mark)
            if size > most:
                self._shorten(self._marks)

    @contextmanager
    def _opened(self, marks: Path, how: int) -> Iterator[int]:
        """Open the file of marks without ever waiting for it; raises `OSError` when there is none that is regular."""
        file = os.open(marks, how | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                if not self._is_told:
                    self._is_told = True
                    _log.warning("%s is no regular file: remove it; until then every process hashes for itself", marks)
                raise OSError(f"{marks} is no regular file")
            yield file
        finally:
            os.close(file)

    def _shorten(self, marks: Path) -> None:
        """Keep the file of marks from growing for ever; a mark lost to another process at that moment is made again."""
        with files.atomic(marks, durable=False) as fresh:
            fresh.write_bytes(b"".join(mark + b"\n" for mark in self._known))
        self._read_bytes = marks.stat().st_size

    def _note(self, mark: bytes) -> None:
        self._known[mark] = None
        while len(self._known) > MOST:
            self._known.popitem(last=False)


def _mark(identity: Identity) -> bytes:
    return hashlib.blake2b(repr(identity).encode(), digest_size=(MARK_BYTES - 1) // 2).hexdigest().encode()
