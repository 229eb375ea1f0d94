"""One segment of tape: a zstd file of lines `<recv_ns> <raw frame>` and the small index file beside it.

Here are reading with verification, and salvage of a segment whose writer died. Writing is `writer`, folders `store`.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from lotus.errors import TapeError
from lotus_store.files import write_bytes
from lotus_store.sealed import seal_json, unseal_json

SUFFIX: Final = ".zst"
OPEN_SUFFIX: Final = ".zst.open"
INDEX_SUFFIX: Final = ".zst.json"
LEVEL: Final = 3
SILENCE_NS: Final = 10_000_000_000  # receive-stamp silence of the whole tape worth counting
MAX_BYTES: Final = 4 * 2**30  # unpacked lines of one segment that are read; the writer closes them at 64 MB
_PIECE: Final = 1 << 20
_PACKED_PIECE: Final = 1 << 11  # bytes given to zstd at once: a block of 3 bytes may unpack to 128 kB


class SegmentMeta(msgspec.Struct, frozen=True):
    """Index of one closed segment: place, line numbers, stamps, sizes, hashes and silences of the whole stream.

    `content_sha256` is over the uncompressed lines (the identity), `file_sha256` over the stored bytes.
    """

    tape: str
    day: str
    name: str
    number: int
    first_seq: int
    lines: int
    first_recv_ns: int
    last_recv_ns: int
    raw_bytes: int
    stored_bytes: int
    content_sha256: str
    file_sha256: str
    silences: int
    max_silence_ms: int

    @property
    def path(self) -> str:
        """Path relative to the tape's folder."""
        return f"{self.day}/{self.name}"


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What a dead writer's segment still held: whole lines, and the bytes after the last one that were given up."""

    lines: bytes
    lost_bytes: int
    complete: bool


def sha256(payload: bytes | bytearray) -> str:
    """Return the hexadecimal SHA-256."""
    return hashlib.sha256(payload).hexdigest()


def index_path(segment: Path) -> Path:
    """Return the index file of a segment file."""
    return segment.with_name(segment.name.removesuffix(SUFFIX) + INDEX_SUFFIX)


def read_index(segment: Path) -> SegmentMeta:
    """Return the index of a segment; raises `TapeError` when it is missing or damaged."""
    path = index_path(segment)
    try:
        meta = unseal_json(path.read_bytes(), SegmentMeta)
    except FileNotFoundError as error:
        raise TapeError(f"segment {segment} has no index file", str(path), "copied without it") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        cause = "damage; take both files from a backup, or remove both and import or record these lines again"
        raise TapeError(f"{path} is not a segment index ({error})", "JSON as written by lotus", cause) from error
    if meta.name != segment.name:
        raise TapeError(f"{path} is the index of {meta.name[:40]!r}", segment.name, "a file renamed or changed by hand")
    return meta


def write_index(segment: Path, meta: SegmentMeta) -> None:
    """Write the index of a segment durably."""
    write_bytes(index_path(segment), seal_json(meta, indent=1))


def read_lines(segment: Path, meta: SegmentMeta) -> bytes:
    """Return the uncompressed lines of a closed segment, verified against its index (raises: see `read_buffer`)."""
    return bytes(read_buffer(segment, meta))


def read_buffer(segment: Path, meta: SegmentMeta) -> bytearray:
    """Return the uncompressed lines of a closed segment, verified against its index, in memory of the caller's own.

    Raises `TapeError` when the file is missing, truncated, or not the one the index was written for. Never takes more
    memory than the sizes that the index names, and of those no more than `MAX_BYTES`.
    """
    try:
        size = segment.stat().st_size
        if size < meta.stored_bytes:
            raise TapeError(
                f"segment {segment} is truncated: {size} bytes", f"{meta.stored_bytes} bytes", "a broken copy"
            )
        if size > meta.stored_bytes or max(size, meta.raw_bytes) > MAX_BYTES:
            raise TapeError(
                f"segment {segment} has {size} bytes, its lines {meta.raw_bytes}",
                f"{meta.stored_bytes} bytes, and lines of at most {MAX_BYTES}",
                "the file was changed or replaced",
            )
        stored = segment.read_bytes()
    except FileNotFoundError as error:
        raise TapeError(f"segment {segment} is missing", "the file its index names", "deleted by hand") from error
    if sha256(stored) != meta.file_sha256:
        raise TapeError(
            f"segment {segment} has sha256 {sha256(stored)}",
            meta.file_sha256,
            "damage; take it from a backup, or remove its day of the tape and import it again: lotus import",
        )
    try:
        lines = _read_at_most(stored, meta.raw_bytes)
    except zstandard.ZstdError as error:
        raise TapeError(f"segment {segment} cannot be unpacked ({error})", "one zstd frame") from error
    if sha256(lines) != meta.content_sha256:
        raise TapeError(f"segment {segment} unpacks to other lines", meta.content_sha256, "a changed index file")
    return lines


def _read_at_most(stored: bytes, most: int) -> bytearray:
    """Unpack one frame; one that holds more than `most` bytes gives one byte more and is read no further."""
    lines, size = bytearray(most + 1), 0
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(stored)) as unpacked, memoryview(lines) as room:
        while size <= most and (more := unpacked.readinto(room[size : size + _PIECE])):
            size += more
    del lines[size:]
    return lines


def salvage(stored: bytes) -> Salvaged:
    """Return every whole line that a truncated or torn zstd frame still yields, up to `MAX_BYTES`; never raises."""
    whole, unpacker = _unpack(stored, len(stored))
    if unpacker is None:
        text = _unpack(stored, _last_good_piece(stored))[0]
    else:
        text = whole
    cut = text.rfind(b"\n") + 1
    return Salvaged(text[:cut], len(text) - cut, unpacker is not None and unpacker.eof and cut == len(text))


def _unpack(stored: bytes, stop: int) -> tuple[bytes, "zstandard.ZstdDecompressionObj | None"]:
    """Unpack `stored[:stop]` piece by piece; the second value is None when a piece is torn."""
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    parts, size = [], 0
    try:
        for start in range(0, stop, _PACKED_PIECE):
            parts.append(unpacker.decompress(stored[start : min(start + _PACKED_PIECE, stop)]))
            size += len(parts[-1])
            if size > MAX_BYTES:
                break
    except zstandard.ZstdError:
        return b"".join(parts), None
    return b"".join(parts), unpacker


def _last_good_piece(stored: bytes) -> int:
    """Return the longest prefix that unpacks without an error (bisection: errors are monotone in the prefix)."""
    low, high = 0, len(stored)
    while low < high:
        middle = (low + high + 1) // 2
        if _unpack(stored, middle)[1] is None:
            high = middle - 1
        else:
            low = middle
    return low


def pack(lines: bytes) -> bytes:
    """Return lines as one zstd frame; equal lines give equal bytes with the same library."""
    return zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(lines)


def line_stamp(line: bytes) -> int:
    """Return the receive stamp of a line (0 when it has none)."""
    stamp = line.split(b" ", 1)[0]
    return int(stamp) if stamp.isdigit() and len(stamp) <= 19 else 0
