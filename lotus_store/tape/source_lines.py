"""Lines of a foreign file, plain or compressed (gzip, zstd, lz4 frame), told apart by their first bytes.

A truncated or damaged file is a `TapeError`, never a short read. What the lines mean is the importers' business.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, cast

import lz4.frame
import zstandard

from lotus.errors import TapeError

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_LZ4: Final = b"\x04\x22\x4d\x18"
_PIECE: Final = 1 << 20


def read_source_lines(path: Path) -> Iterator[bytes]:
    """Yield the non-empty lines of a file without their newline.

    Raises `TapeError` when the file is missing, truncated, or its compression is damaged.
    """
    try:
        rest = b""
        for piece in _pieces(path):
            *lines, rest = (rest + piece).split(b"\n")
            yield from (line for line in lines if line)
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


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as raw:
        magic = raw.read(4)
        raw.seek(0)
        if magic.startswith(_ZSTD):
            yield from _zstd_pieces(raw)
            return
        stream: IO[bytes] = raw
        if magic.startswith(_GZIP):
            stream = cast(IO[bytes], gzip.GzipFile(fileobj=raw))
        elif magic.startswith(_LZ4):
            stream = cast(IO[bytes], lz4.frame.LZ4FrameFile(raw))
        while piece := stream.read(_PIECE):
            yield piece


def _zstd_pieces(raw: io.BufferedReader) -> Iterator[bytes]:
    """Unpack one or several zstd frames; raises EOFError inside one."""
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    fresh = True
    while piece := raw.read(_PIECE):
        while piece:
            if unpacker.eof:
                unpacker = zstandard.ZstdDecompressor().decompressobj()
            fresh = False
            yield unpacker.decompress(piece)
            piece = unpacker.unused_data if unpacker.eof else b""
    if not fresh and not unpacker.eof:
        raise EOFError
