"""Content hashes and natural-key identities (128 bits, 32 hexadecimal characters).

A content hash is taken over canonical column buffers, never over file bytes; wall time never enters one.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DIGEST_BYTES = 16


def natural_id(*parts: str | int | float | bytes) -> str:
    """Return the identity of a natural key; parts are typed and length-prefixed, so ("ab","c") != ("a","bc").

    >>> natural_id("main", "imbalance", 1) == natural_id("main", "imbalance", 1)
    True
    >>> natural_id("ab", "c") == natural_id("a", "bc")
    False
    """
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        raw = part if isinstance(part, bytes) else repr(part).encode()
        digest.update(f"{type(part).__name__}:{len(raw)}:".encode())
        digest.update(raw)
    return digest.hexdigest()


def key64(*parts: str | int | float | bytes) -> int:
    """Return the first 64 bits of `natural_id` as an unsigned integer, for counter-based random keys."""
    return int(natural_id(*parts)[:16], 16)


@dataclass(frozen=True, slots=True)
class Utf8Column:
    """A column of text as stored: the bytes of each text, one after the other, and their lengths."""

    lengths: NDArray[np.uint32]
    data: bytes

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.lengths)


def content_hash(columns: Mapping[str, NDArray[np.generic] | Sequence[str] | Utf8Column]) -> str:
    """Hash columns in the order given; rows must already stand in key order.

    Numeric columns are hashed as little-endian buffers with every NaN made the same NaN; text as UTF-8 with lengths.

    >>> content_hash({"a": ["x", "yz"]}) == content_hash({"a": Utf8Column(np.array([1, 2], np.uint32), b"xyz")})
    True
    """
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for name, values in columns.items():
        dtype, buffer = _canonical(values)
        digest.update(f"{name}:{dtype}:{len(values)}:".encode())
        digest.update(buffer)
    return digest.hexdigest()


def round_learned(values: NDArray[np.float64], digits: int = 9) -> NDArray[np.float64]:
    """Round to `digits` significant digits: the form in which learned numbers are compared, stored and hashed.

    >>> float(round_learned(np.array([1.23456789012345]))[0])
    1.23456789
    """
    out = np.asarray(values, dtype=np.float64)
    flat = [float(f"{x:.{digits - 1}e}") for x in out.ravel()]
    return np.array(flat, dtype=np.float64).reshape(out.shape)


def _canonical(
    values: NDArray[np.generic] | Sequence[str] | Utf8Column,
) -> tuple[str, bytes | memoryview]:
    """Return the name of the type and the bytes to hash; numbers in their own memory where it is as it is hashed."""
    if isinstance(values, Utf8Column):
        return "text", values.lengths.astype("<u4", copy=False).tobytes() + values.data
    array = np.asarray(values)
    if array.dtype.kind in "OUST":
        texts = [str(x).encode() for x in array.ravel()]
        lengths = np.array([len(t) for t in texts], dtype="<u4").tobytes()
        return "text", lengths + b"".join(texts)
    if array.dtype.kind == "f" and (is_null := np.isnan(array)).any():
        array = np.where(is_null, array.dtype.type(np.nan), array)
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    return little.dtype.str.lstrip("<|="), little.reshape(-1).view(np.uint8).data
