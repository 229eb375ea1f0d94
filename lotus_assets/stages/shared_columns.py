"""Columns of a day's tables that several stages read: decoded once, or taken over from the stage that made them.

A few tables are kept, under the content hash of their day; one of more than `MOST_ROWS` is read anew each time, so that
memory does not grow with the universe. Whoever takes columns does not write into them.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lotus.columns import TableSpec
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.lake_tables import Columns, LakeTable
from lotus_resources.recent_values import RecentKind
from lotus_store.ledger.day_commits import DayCommit

MOST_ROWS = 500_000
_TABLES = RecentKind("columns", 4)


def read_shared(ctx: StageContext, name: str, commit: DayCommit, columns: Sequence[str]) -> LakeTable:
    """Return columns of table `name` of a committed day; raises what the lake raises."""
    if commit.rows > MOST_ROWS:
        return ctx.lake.read(name, commit.branch, commit.day, columns=columns)
    held: LakeTable = ctx.recent.get(_TABLES, (name, commit.branch, commit.day, commit.content_hash), dict)
    missing = [column for column in columns if column not in held]
    if missing:
        held.update(ctx.lake.read(name, commit.branch, commit.day, columns=missing))
    return {column: held[column] for column in columns}


def hand_on(ctx: StageContext, spec: TableSpec, day: str, content_hash: str, table: Columns) -> None:
    """Keep a table that was just written for the stages after; `content_hash`: of the stage that wrote it."""
    if len(table[spec.names[0]]) <= MOST_ROWS:
        ctx.recent.put(_TABLES, (spec.name, ctx.branch, day, content_hash), as_read(spec, table))


def as_read(spec: TableSpec, table: Columns) -> LakeTable:
    """Return a table in the order and types in which the lake gives it back."""
    return {name: np.asarray(table[name]).astype(spec.numpy_dtype(name), copy=False) for name in spec.names}


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
