"""Compressed files that unpack to far more than they are."""

from pathlib import Path

import zstandard

ZEROS = bytes(1 << 20)


def bomb(path: Path, megabytes: int) -> int:
    """Write zstd of so many megabytes of zeros; return its size in bytes."""
    with path.open("wb") as raw, zstandard.ZstdCompressor().stream_writer(raw) as packed:
        for _ in range(megabytes):
            packed.write(ZEROS)
    return path.stat().st_size
