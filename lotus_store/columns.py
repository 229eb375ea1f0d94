"""Columns of tables as the lake gives them: joined one after the other, and looked up by name."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Columns = Mapping[str, NDArray[Any]]


def concatenated(tables: Sequence[Columns]) -> dict[str, NDArray[Any]]:
    """Return tables one after the other (at least one)."""
    return {name: np.concatenate([np.asarray(t[name]) for t in tables]) for name in tables[0]}


def places_of(asked: NDArray[np.generic], names: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return where each of `asked` stands in `names` (unique texts), -1 where it does not.

    >>> places_of(np.array(["b", "z"], object), np.array(["a", "b"], object)).tolist()
    [1, -1]
    """
    found = pc.index_in(pa.array(asked, pa.string()), value_set=pa.array(names, pa.string()))
    return np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def coded(texts: NDArray[np.generic]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the different texts of a column, as they first come, and the place of each row's among them.

    >>> coded(np.array(["b", "a", "b"], object))[0], coded(np.array(["b", "a", "b"], object))[1].tolist()
    (['b', 'a'], [0, 1, 0])
    """
    encoded = pa.array(texts, pa.string()).dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)
