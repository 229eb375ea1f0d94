"""Learner state: one detector's day as raw arrays that are mapped, not read; derived, may be deleted.

`<home>/learner_state/branch=<b>/day=<d>/<detector>-<key>.<kind>`, `key` being the hash of everything the arrays were
made from. Layout: hash of all that follows (16 bytes), length of a JSON head (8 bytes), the head (facts, and name,
type, shape and offset of each array), the arrays. A file whose hash is another is not there: it is made again. With a
lake in a bucket each file is also put beside it, under `.learner_state/`, where a machine that lacks it gets it; the
first content under a key wins, another one is refused. What they mean is `lotus.learning.day_cube` (sums) and
`lotus.learning.packed_rows` (windows).
"""

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.json_text import read_json
from lotus.names import name_of_step, path_step
from lotus_store.blobs.opening import folder_of, open_blobs
from lotus_store.blobs.port import Blobs, create_same
from lotus_store.files import atomic, write_bytes
from lotus_store.verified import Verified, identity_of

Arrays = dict[str, NDArray[np.generic]]
Facts = dict[str, str | int | float]
SUMS, WITHOUT_PAPER, WINDOWS = "sums", "sums_ow", "windows"
_WORD, _DIGEST = 8, 16
_verified = Verified()


class LearnerState:
    """The state files of one branch; of `part`, those of another learner than the detectors' one."""

    def __init__(self, home: Path, branch: str, part: str = "", lake: str = "") -> None:
        """Open the folder of a branch, shared beside a lake in a bucket; nothing is created before the first write."""
        below = f"{part}/branch={path_step(branch)}".lstrip("/")
        self._root = home / "learner_state" / below
        is_shared = bool(lake) and folder_of(lake) is None
        self._shared = open_blobs(f"{lake.rstrip('/')}/.learner_state/{below}") if is_shared else None

    def write(
        self,
        day: str,
        detector_id: str,
        key: str,
        facts: Mapping[str, Any],
        arrays: Mapping[str, Any],
        kind: str = SUMS,
    ) -> None:
        """Write one kind of a detector and day atomically; the same kind under other keys goes."""
        entries, offset = [], 0
        for name, values in arrays.items():
            entries.append([name, values.dtype.str, list(values.shape), offset])
            offset += -(-values.nbytes // _WORD) * _WORD
        text = json.dumps({"facts": dict(facts), "arrays": entries, "bytes": offset}).encode()
        head = text + b" " * (-len(text) % _WORD)
        path = self._path(day, detector_id, key, kind)
        with atomic(path, durable=False) as temporary, temporary.open("wb") as file:
            digest = hashlib.blake2b(digest_size=_DIGEST)
            file.write(b"\0" * _DIGEST)
            for piece in _pieces(head, arrays):
                digest.update(piece)
                file.write(piece)
            file.seek(0)
            file.write(digest.digest())
        _verified.add(identity_of(path))
        for other in path.parent.glob(f"*.{kind}"):
            if other != path and _is_of(other.name, detector_id):
                other.unlink(missing_ok=True)
        if self._shared is not None:
            _share(self._shared, self._key(path), path, detector_id)

    def read(self, day: str, detector_id: str, key: str, kind: str = SUMS) -> tuple[Facts, Arrays] | None:
        """Return (facts, read-only arrays) of a detector and day, None where no whole and right file is under `key`."""
        path = self._path(day, detector_id, key, kind)
        if self._shared is not None and not path.exists():
            _fetch(self._shared, self._key(path), path)
        try:
            identity = identity_of(path)
            raw = np.asarray(np.memmap(path, dtype=np.uint8, mode="r"))
        except (FileNotFoundError, ValueError):
            return None
        if identity not in _verified:
            if not _is_whole(raw.data):
                return None
            _verified.add(identity)
        begin = _DIGEST + _WORD
        size = int.from_bytes(raw[_DIGEST:begin].tobytes(), "little")
        head, body = read_json(raw[begin : begin + size].tobytes()), raw[begin + size :]
        return head["facts"], {name: _view(body, *entry) for name, *entry in head["arrays"]}

    def keep(self, days: Collection[str]) -> None:
        """Remove what is kept of every other day."""
        for folder in self._root.glob("day=*"):
            if folder.name.removeprefix("day=") not in days:
                shutil.rmtree(folder, ignore_errors=True)
        if self._shared is not None:
            for key in self._shared.sizes(""):
                if key.partition("/")[0].removeprefix("day=") not in days:
                    self._shared.remove(key)

    def _key(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _path(self, day: str, detector_id: str, key: str, kind: str) -> Path:
        return self._root / f"day={path_step(day)}" / path_step(f"{detector_id}-{key}.{kind}")


def _share(shared: Blobs, key: str, path: Path, detector_id: str) -> None:
    """Put a file for other machines; the same kind under other keys goes."""
    create_same(shared, key, path.read_bytes())
    for other in shared.sizes(path.parent.name):
        if other != key and other.endswith(path.suffix) and _is_of(other.rpartition("/")[2], detector_id):
            shared.remove(other)


def _fetch(shared: Blobs, key: str, path: Path) -> None:
    """Get a file that another machine made, if there is a whole one; a damaged one goes, to be put again."""
    with suppress(FileNotFoundError):
        if _is_whole(memoryview(payload := shared.get(key))):
            write_bytes(path, payload)
        else:
            shared.remove(key)


def _is_whole(raw: memoryview) -> bool:
    return bytes(raw[:_DIGEST]) == hashlib.blake2b(raw[_DIGEST:], digest_size=_DIGEST).digest()


def _is_of(name: str, detector_id: str) -> bool:
    return name_of_step(name).rpartition(".")[0].rpartition("-")[0] == detector_id


def _pieces(head: bytes, arrays: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield what a file holds after its hash."""
    yield len(head).to_bytes(_WORD, "little") + head
    for values in arrays.values():
        yield np.ascontiguousarray(values).tobytes() + b"\0" * (-values.nbytes % _WORD)


def _view(body: NDArray[np.uint8], dtype: str, shape: list[int], offset: int) -> NDArray[np.generic]:
    count = int(np.prod(shape)) * np.dtype(dtype).itemsize
    values: NDArray[np.generic] = body[offset : offset + count].view(dtype).reshape(shape)
    return values
