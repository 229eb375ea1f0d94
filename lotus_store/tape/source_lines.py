"""Lines of a foreign file, plain or compressed (gzip, zstd, lz4 frame), told apart by their first bytes.

A truncated or damaged file is a `TapeError`, never a short read; so is one that unpacks to far more than its size (a
decompression bomb). Memory is bounded by the longest line allowed. What lines mean is the importers' business.
"""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, cast

import lz4.frame
import zstandard

from lotus.errors import TapeError
from lotus.microtape.wire.frame import MAX_LINE_BYTES

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_LZ4: Final = b"\x04\x22\x4d\x18"
_PIECE: Final = 1 << 20
_PACKED_PIECE: Final = 1 << 11  # bytes given to zstd at once: a block of 3 bytes may unpack to 128 kB
_MAX_RATIO: Final = 500  # unpacked to stored bytes; a tape of nothing but even pongs has 74
_FREE_BYTES: Final = 64 * 2**20  # a small file may unpack to this much, whatever its ratio
_CUT: Final = b"\x00"  # no JSON, so that a line that was cut can never be taken for a whole one


def read_source_lines(path: Path, passed: Callable[[int], object] = lambda _: None) -> Iterator[bytes]:
    """Yield the non-empty lines of a file without their newline; `passed` is called with the number of stored bytes
    read.

    A line beyond `MAX_LINE_BYTES` is cut there and ends in a zero byte, so that the decoder puts it aside. Raises
    `TapeError` when the file is missing, truncated, its compression is damaged, or it unpacks to more than 64 MB and
    500 times its size.
    """
    try:
        rest = b""
        for piece in _pieces(path, passed):
            first, *lines = piece.split(b"\n")
            rest = _bounded(rest + first)
            if lines:
                yield from (line for line in (rest, *lines[:-1]) if line)
                rest = lines[-1]
        if rest:
            yield rest
    except FileNotFoundError as error:
        raise TapeError(f"no file {path}", "a recording or archive file") from error
    except EOFError as error:
        raise TapeError(
            f"{path} ends in the middle of its compressed stream", "a whole file", "a broken download"
        ) from error
    except (zlib.error, gzip.BadGzipFile, zstandard.ZstdError, RuntimeError) as error:
        raise TapeError(f"{path} cannot be unpacked ({error})", "an undamaged file", "a broken download") from error


def _bounded(line: bytes) -> bytes:
    return line if len(line) <= MAX_LINE_BYTES else line[: MAX_LINE_BYTES - len(_CUT)] + _CUT


def _pieces(path: Path, passed: Callable[[int], object]) -> Iterator[bytes]:
    """Yield the unpacked bytes of a file in pieces; raises `TapeError` for a decompression bomb."""
    stored, unpacked = path.stat().st_size, 0
    for piece in _unpacked(path, passed):
        unpacked += len(piece)
        if unpacked > max(_FREE_BYTES, _MAX_RATIO * stored):
            raise TapeError(
                f"{path} has {stored} bytes and unpacks to more than {unpacked}",
                f"at most {_MAX_RATIO} times its size",
                "a decompression bomb",
            )
        for start in range(0, len(piece), _PIECE):
            yield piece[start : start + _PIECE]


def _unpacked(path: Path, passed: Callable[[int], object]) -> Iterator[bytes]:
    with path.open("rb") as raw:
        magic = raw.read(4)
        raw.seek(0)
        if magic.startswith(_ZSTD):
            yield from _zstd_pieces(raw, passed)
            return
        stream: IO[bytes] = raw
        if magic.startswith(_GZIP):
            stream = cast(IO[bytes], gzip.GzipFile(fileobj=raw))
        elif magic.startswith(_LZ4):
            stream = cast(IO[bytes], lz4.frame.LZ4FrameFile(raw))
        while piece := stream.read(_PIECE):
            passed(raw.tell())
            yield piece


def _zstd_pieces(raw: io.BufferedReader, passed: Callable[[int], object]) -> Iterator[bytes]:
    """Unpack one or several zstd frames; raises EOFError inside one."""
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    fresh = True
    while piece := raw.read(_PACKED_PIECE):
        passed(raw.tell())
        while piece:
            if unpacker.eof:
                unpacker = zstandard.ZstdDecompressor().decompressobj()
            fresh = False
            yield unpacker.decompress(piece)
            piece = unpacker.unused_data if unpacker.eof else b""
    if not fresh and not unpacker.eof:
        raise EOFError
