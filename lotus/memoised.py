"""Values that follow from the package alone and take long to make, memoised as files beside the compiled kernels.

A file is named by the hash of all that its value follows from: the sources of a package and of everything below it (as
kernels are), their data files (specs, weights, grammars) and the numbers that the caller adds. One that is absent,
damaged or another's is ignored and made again. Plain structures and arrays only, never code. In the literature:
memoisation in a content-addressed store. No cadence, no spec and no formula belongs here.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, get_origin

import msgspec
import numpy as np

from lotus.hashing import DIGEST_BYTES, natural_id
from lotus.jit import cache_folder, folders_below

T = TypeVar("T")
SUFFIX: Final = ".msgpack"


def memoised(kind: type[T], package: str, name: str, key: tuple[str | int | float, ...], make: Callable[[], T]) -> T:
    """Return the value of `make()`, read from the package's cache folder when an earlier process left it there.

    `kind`: a dataclass or a tuple of dataclasses, whose arrays are numeric; `key`: what the value follows from beside
    the package's files. A folder that cannot be written costs the time of making, no error.
    """
    identity = natural_id(name, *key, _data_hash(package))
    file = cache_folder(package) / f"{name}-{identity}{SUFFIX}"
    found = _read(file, identity)
    if found is not None:
        with suppress(msgspec.DecodeError):
            return msgspec.msgpack.decode(found, type=kind, dec_hook=_revived)
    value = make()
    _write(file, identity, msgspec.msgpack.encode(value, enc_hook=_plain))
    return value


@cache
def _data_hash(package: str) -> str:
    """Return the hash of every file that is no source, in the package and those below it."""
    parts: list[str | bytes] = []
    for folder in folders_below(package):
        files = (p for p in folder.rglob("*") if p.suffix not in (".py", ".pyc") and p.is_file())
        for file in sorted(files):
            parts += [f"{folder.name}/{file.relative_to(folder).as_posix()}", file.read_bytes()]
    return natural_id(*parts)


def _read(file: Path, identity: str) -> bytes | None:
    """Return the body of a file whose seal is that of its body and identity, None for any other."""
    try:
        whole = file.read_bytes()
    except OSError:
        return None
    seal, body = whole[:DIGEST_BYTES], whole[DIGEST_BYTES:]
    return body if seal == _seal(identity, body) else None


def _write(file: Path, identity: str, body: bytes) -> None:
    """Write a file in one step: whoever reads it sees all of it or none."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, half = tempfile.mkstemp(dir=file.parent, prefix=f"{file.stem}-", suffix=".half")
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(_seal(identity, body) + body)
            Path(half).replace(file)
        except OSError:
            Path(half).unlink(missing_ok=True)


def _seal(identity: str, body: bytes) -> bytes:
    return hashlib.blake2b(identity.encode() + body, digest_size=DIGEST_BYTES).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return value.dtype.str, value.shape, value.tobytes()
    raise NotImplementedError(f"{type(value).__name__} is no plain value")


def _revived(kind: Any, plain: Any) -> Any:
    """Return an array from what `_plain` made of it, writable and aligned; other plain values as they are."""
    if get_origin(kind) is not np.ndarray:
        return plain
    dtype, shape, data = plain
    return np.frombuffer(data, dtype).reshape(shape).copy()
