"""Columns of a day's tables that several stages read: decoded once, or taken over from the stage that made them.

A few tables are kept, under the content hash of their day; one of more than `MOST_ROWS` is read anew each time, so that
memory does not grow with the universe. Whoever takes columns does not write into them.
"""

from collections.abc import Sequence

import numpy as np

from lotus.columns import TableSpec
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.lake_tables import Columns, LakeTable
from lotus_resources.recent_values import RecentKind
from lotus_store.ledger.day_commits import DayCommit

MOST_ROWS = 500_000
_TABLES = RecentKind("columns", 4)


def read_shared(
    ctx: StageContext, name: str, commit: DayCommit, columns: Sequence[str], spec: TableSpec | None = None
) -> LakeTable:
    """Return columns of table `name` of a committed day, those that came later to its `spec` as zeros.

    Raises what the lake raises.
    """
    if commit.rows > MOST_ROWS:
        return ctx.lake.read(name, commit.branch, commit.day, columns=columns, spec=spec)
    held: LakeTable = ctx.recent.get(_TABLES, (name, commit.branch, commit.day, commit.content_hash), dict)
    missing = [column for column in columns if column not in held]
    if missing:
        held.update(ctx.lake.read(name, commit.branch, commit.day, columns=missing, spec=spec))
    return {column: held[column] for column in columns}


def hand_on(ctx: StageContext, spec: TableSpec, day: str, content_hash: str, table: Columns) -> None:
    """Keep a table that was just written for the stages after; `content_hash`: of the stage that wrote it."""
    if len(table[spec.names[0]]) <= MOST_ROWS:
        ctx.recent.put(_TABLES, (spec.name, ctx.branch, day, content_hash), as_read(spec, table))


def as_read(spec: TableSpec, table: Columns) -> LakeTable:
    """Return a table in the order and types in which the lake gives it back."""
    return {name: np.asarray(table[name]).astype(spec.numpy_dtype(name), copy=False) for name in spec.names}
