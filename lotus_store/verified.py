"""Which files were hashed already: a file is hashed again only when it is another one by then.

A file's identity is device, inode, size and times of change, which every write through the file system changes. With a
file of marks, what one process has hashed another believes. What is hashed, and against what, is the caller's.
(Literature: content verification with cached validators.)
"""

import hashlib
import os
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from threading import Lock

from lotus_store import files

Identity = tuple[str, int, int, int, int, int]
MOST = 100_000  # files remembered, 20 MB
MARK_BYTES = 33  # of one file: 32 hexadecimal characters and the end of a line


def identity_of(path: str | os.PathLike[str]) -> Identity:
    """Return the identity of a file as it is now; raises `OSError` when there is none."""
    status = os.stat(path)  # noqa: PTH116 -- also of paths given as text
    return (os.fspath(path), status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Verified:
    """The identities whose content was found right, the latest `MOST` of them; threads may share it.

    Identities are shared with other processes through the file `marks`, where there is one; what cannot be read or
    written there is hashed again.
    """

    def __init__(self, marks: Path | None = None) -> None:
        self._marks = marks
        self._read_bytes = 0
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
                with suppress(OSError), self._marks.open("ab", buffering=0) as file:
                    file.write(mark + b"\n")

    def _catch_up(self) -> None:
        """Take over what other processes have noted since the last look."""
        if self._marks is None:
            return
        with suppress(OSError), self._marks.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < self._read_bytes:  # it was made anew
                self._read_bytes = 0
            file.seek(self._read_bytes)
            new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read_bytes += len(whole)
            for mark in whole.splitlines():
                self._note(mark)
            if self._read_bytes > 2 * MOST * MARK_BYTES:
                self._shorten(self._marks)

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
