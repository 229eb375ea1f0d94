"""The end of a Parquet file, which has no checksum of its own: a digest of it tells whether it is still the same."""

import hashlib
import os
from pathlib import Path

_TRAILER = 8  # bytes: the footer's length and the closing mark


def footer_digest(path: str) -> str:
    """Return the hash of a Parquet file's end: its footer, the length of that, and the closing mark."""
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TRAILER))
        length = int.from_bytes(file.read(4), "little")
        file.seek(max(0, size - _TRAILER - length))
        return hashlib.blake2b(file.read(), digest_size=16).hexdigest()
