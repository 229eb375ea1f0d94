"""The port through which whole objects are stored: by name, each by one put, so a reader never meets a part of one.

Adapters are `folder` and `bucket`; `opening` chooses. Nothing is streamed: an exception inside an output stream of a
bucket would leave a visible part. What an object means does not belong here.
"""

import hashlib
from typing import Protocol

from lotus.errors import LakeError

Payload = bytes | memoryview


class BlobError(LakeError):
    """A place of whole objects refuses, cannot be reached, or holds another object under that name."""


class Blobs(Protocol):
    """Objects below one place; a key is a relative path with `/` between its steps."""

    base: str  # the place as it stands before a key in messages

    def put(self, key: str, payload: Payload) -> None:
        """Store a whole object; one of that name is replaced. Raises `BlobError`."""

    def create(self, key: str, payload: Payload) -> bool:
        """Store a whole object unless one has that name; tell whether it was stored. Raises `BlobError`."""

    def get(self, key: str) -> bytes:
        """Return an object; raises `FileNotFoundError` where none has that name, `BlobError`."""

    def tail(self, key: str, most: int) -> bytes:
        """Return at most the last `most` bytes of an object; raises as `get`."""

    def has(self, key: str) -> bool:
        """Tell whether an object has that name; raises `BlobError`."""

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the size in bytes of every object below a step, by key; empty where nothing is. Raises `BlobError`."""

    def newest_s(self, prefix: str) -> float:
        """Return when the newest object below a step was put, seconds UTC; 0 where nothing is. Raises `BlobError`."""

    def remove(self, key: str) -> None:
        """Remove an object; one that is not there is no error. Raises `BlobError`."""


def create_same(blobs: Blobs, key: str, payload: Payload) -> bool:
    """Store an object that only one content can have, the first wins; tell whether it was stored by this call.

    Raises `BlobError` when another content already has that name, naming both: it stays as it is.
    """
    if blobs.create(key, payload):
        return True
    held = blobs.get(key)
    if held == payload:
        return False
    raise BlobError(
        f"{blobs.base}/{key} holds {len(held)} bytes of sha256 {_short(held)}",
        f"the {len(payload)} bytes of sha256 {_short(payload)} of this writer",
        "two writers made different content under one name; what was first stays, nothing of this writer was stored",
    )


def _short(payload: Payload) -> str:
    return hashlib.sha256(payload).hexdigest()[:16]
