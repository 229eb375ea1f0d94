"""A small file that is written over in place: the status of a process, many times a second, on a full disk too.

The room is taken once, when the file is made; after that a write needs no new block (a file system that copies on
write is the exception). A reader that meets a half-written text learns so from its sum. In the literature: heartbeat
file, seqlock.
"""

import errno
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lotus.json_text import read_json
from lotus_store.files import make_folder

SIZE = 4096
SUM = "sum"
_TRIES = 3


def write_slate(path: Path, body: Mapping[str, Any]) -> None:
    """Write `body` (JSON-able, one level of `SUM` excepted) over the file's content. Raises `OSError`."""
    text = json.dumps(dict(body))
    text = json.dumps({**body, SUM: zlib.crc32(text.encode())})
    raw = text.encode().ljust(SIZE)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        make_folder(path.parent)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if os.pwrite(handle, raw, 0) != len(raw):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        if os.fstat(handle).st_size > len(raw):
            os.ftruncate(handle, len(raw))
    finally:
        os.close(handle)


def read_slate(path: Path) -> dict[str, Any] | None:
    """Return the file's content; None where it is not there or cannot be read."""
    for _ in range(_TRIES):
        try:
            slate = read_json(path.read_text())
        except (OSError, ValueError):
            slate = None
        if isinstance(slate, dict) and _is_whole(slate):
            slate.pop(SUM, None)
            return slate
        if not path.exists():
            break
    return None


def _is_whole(slate: dict[str, Any]) -> bool:
    if SUM not in slate:
        return True
    body = {key: value for key, value in slate.items() if key != SUM}
    return bool(slate[SUM] == zlib.crc32(json.dumps(body).encode()))
