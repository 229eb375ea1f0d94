"""Which files this process has hashed already: a file is hashed again only when it is another one by then.

A file's identity is device, inode, size and times of change, which every write through the file system changes. What is
hashed, and against what, is the caller's. (Literature: content verification with cached validators.)
"""

import os
from collections import OrderedDict
from threading import Lock

Identity = tuple[str, int, int, int, int, int]
MOST = 100_000  # files remembered, 20 MB


def identity_of(path: str | os.PathLike[str]) -> Identity:
    """Return the identity of a file as it is now; raises `OSError` when there is none."""
    status = os.stat(path)  # noqa: PTH116 -- also of paths given as text
    return (os.fspath(path), status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Verified:
    """The identities whose content was found right, the latest `MOST` of them; threads may share it."""

    def __init__(self) -> None:
        self._known: OrderedDict[Identity, None] = OrderedDict()
        self._gate = Lock()

    def __contains__(self, identity: Identity) -> bool:
        """Tell whether a file of this identity was right."""
        with self._gate:
            return identity in self._known

    def add(self, identity: Identity) -> None:
        """Remember that it was."""
        with self._gate:
            self._known[identity] = None
            while len(self._known) > MOST:
                self._known.popitem(last=False)
