"""A segment is read as far as its index says, and salvage gives every whole line."""

import resource
from pathlib import Path

import pytest

from lotus.errors import TapeError
from lotus_store.tape.segment import MAX_BYTES, SegmentMeta, pack, read_lines, salvage, sha256

from .bombs import bomb


def peak_mb() -> float:
    """Return the most memory that this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def closed(folder: Path, lines: bytes, stored: bytes, raw_bytes: int | None = None) -> tuple[Path, SegmentMeta]:
    """Write a segment file; return it with an index that knows its hashes, and `raw_bytes` of lines."""
    path = folder / "000000-0000.zst"
    path.write_bytes(stored)
    size = len(lines) if raw_bytes is None else raw_bytes
    sums = sha256(lines), sha256(stored)
    return path, SegmentMeta("t", "2026-01-01", path.name, 0, 0, 1, 1, 1, size, len(stored), *sums, 0, 0)


def test_a_segment_is_read_as_far_as_its_index_says(tmp_path: Path) -> None:
    lines = b"1 {}\n" * 100
    assert read_lines(*closed(tmp_path, lines, pack(lines))) == lines
    bomb(tmp_path / "bomb", 2_000)
    before = peak_mb()
    for raw_bytes in (500, MAX_BYTES + 1):
        with pytest.raises(TapeError, match=r"unpacks to other lines|changed or replaced"):
            read_lines(*closed(tmp_path, lines, (tmp_path / "bomb").read_bytes(), raw_bytes))
    assert peak_mb() - before < 100


def test_salvage_still_gives_every_whole_line() -> None:
    lines = b"".join(b"%d {}\n" % k for k in range(50_000))
    saved = salvage(pack(lines)[:-20])
    assert lines.startswith(saved.lines)
    assert salvage(pack(lines)).lines == lines
