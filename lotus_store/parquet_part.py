"""What is read of one Parquet file: a digest of its end, the groups of rows that may matter, columns as arrays.

The end of a file has no checksum of its own: its digest tells whether it is still the same.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lotus.hashing import Utf8Column

Array = NDArray[Any]
_TRAILER = 8  # bytes: the footer's length and the closing mark


def footer_digest(path: str) -> str:
    """Return the hash of a Parquet file's end: its footer, the length of that, and the closing mark."""
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TRAILER))
        length = int.from_bytes(file.read(4), "little")
        file.seek(max(0, size - _TRAILER - length))
        return hashlib.blake2b(file.read(), digest_size=16).hexdigest()


def groups_within(part: Any, column: str, least: int, largest: int) -> list[int]:
    """Return the groups of rows of a part that may hold a value between two; one without statistics may."""
    at = part.schema_arrow.names.index(column)
    of_groups = [part.metadata.row_group(k).column(at).statistics for k in range(part.metadata.num_row_groups)]
    return [k for k, x in enumerate(of_groups) if not (x and x.has_min_max) or (x.min <= largest and x.max >= least)]


def inside(column: Any, least: int, largest: int) -> Any:
    """Return which values of a column of integers lie between two, both included, as an Arrow array of flags."""
    values = column.to_numpy()
    return pa.array((values >= least) & (values <= largest))


def to_numpy(column: Any) -> Array:
    """Return a column as an array: numbers and flags that may be written to, text as objects that share their words."""
    if not pa.types.is_string(column.type):
        return _numbers(column)
    encoded = column.dictionary_encode().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.string()).dictionary_encode()
    words = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)[:-1]
    taken: Array = words[np.from_dlpack(encoded.indices)] if len(words) else np.empty(0, dtype=object)
    return taken


def _numbers(column: Any) -> Array:
    """Return numbers or flags as an array that may be written to, as kernels are compiled for.

    Arrow's own way imports pandas, which takes longer than most reads.
    """
    if column.null_count or not len(column):
        out: Array = column.to_numpy()
        return out if out.flags.writeable else out.copy()
    is_flag = pa.types.is_boolean(column.type)
    chunks = (column.cast(pa.uint8()) if is_flag else column).chunks
    joined: Array = np.concatenate([np.from_dlpack(chunk) for chunk in chunks if len(chunk)])
    return joined.view(np.bool_) if is_flag else joined


def hashed(column: Any) -> Array | Utf8Column:
    """Return a column in a form that hashes as it did when it was written; text stays the bytes it is."""
    if not pa.types.is_string(column.type) or column.null_count:
        return to_numpy(column)
    lengths, data = [np.empty(0, np.uint32)], []
    for chunk in (c for c in column.chunks if len(c)):
        _, offsets, texts = chunk.buffers()
        ends = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
        lengths.append(np.diff(ends).astype(np.uint32))
        data.append(b"" if texts is None else texts[int(ends[0]) : int(ends[-1])].to_pybytes())
    return Utf8Column(np.concatenate(lengths), b"".join(data))
