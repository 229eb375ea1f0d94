"""Mirrors of signal_events and signal_eval in the sig database, replaced whole per branch and day.

The lake holds the rows of record; the mirror is what SQL readers, `explain` and the console use. NaN stays NaN.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.errors import LedgerError
from lotus.outcomes.signal_eval import horizon_columns
from lotus_store.ledger.binary_copy import copy_rows, pick
from lotus_store.postgres.queries import Connection, columns_of_copy, query

Columns = Mapping[str, NDArray[Any]]


def write_events(connection: Connection, branch: str, day: str, events: Columns) -> int:
    """Replace the mirror of signal_events of one branch and day; return the number of rows.

    Raises `SchemaError` for missing columns, `LedgerError` for rows of another branch.
    """
    strangers = sorted({str(b) for b in np.unique(events["branch"].astype(str))} - {branch})
    if strangers:
        raise LedgerError(f"events of branch {strangers[0]!r} were given", f"only {branch!r}")
    connection.execute(query("sig", "make_partitions"), [day])
    connection.execute(query("sig", "forget_day"), ["signal_events", branch, day])
    return _copy(connection, "copy_events", dict(events) | {"day": _same(day, len(events["branch"]))})


def write_eval(connection: Connection, branch: str, day: str, rows: Columns, horizons_s: Sequence[int]) -> int:
    """Replace the mirror of signal_eval of one maturity day, with one row per event and horizon beside it."""
    connection.execute(query("sig", "make_partitions"), [day])
    for table in ("signal_eval", "signal_eval_horizons"):
        connection.execute(query("sig", "forget_day"), [table, branch, day])
    n = len(rows["event_id"])
    head: dict[str, NDArray[Any]] = {"branch": _same(branch, n), "day": _same(day, n)}
    written = _copy(connection, "copy_eval", dict(rows) | head)
    of_event = {
        name: np.tile(values, len(horizons_s)) for name, values in (head | {"event_id": rows["event_id"]}).items()
    }
    at = {"horizon_s": np.repeat(np.array(horizons_s, dtype=np.int32), n)}
    columns = zip(*([c.name for c in horizon_columns(h)] for h in horizons_s), strict=True)
    values = {names[0].rsplit("_", 1)[0]: np.concatenate([rows[name] for name in names]) for names in columns}
    _copy(connection, "copy_eval_horizons", of_event | at | values)
    return written


def read_event(connection: Connection, event_id: str) -> dict[str, Any]:
    """Return one event of the mirror with its day; raises `LedgerError` when there is none of that name."""
    return _row(connection, "read_event", event_id)


def read_eval(connection: Connection, event_id: str) -> dict[str, Any] | None:
    """Return the outcome of one event with its horizons (a list of dicts), or None before it has matured."""
    rows = _rows(connection, "read_eval", event_id)
    return rows[0] | {"horizons": _rows(connection, "read_eval_horizons", event_id)} if rows else None


def event_days(connection: Connection, branch: str) -> list[str]:
    """Return the days of a branch that have mirrored events."""
    return [str(r[0]) for r in connection.execute(query("sig", "event_days"), [branch])]


def _row(connection: Connection, name: str, event_id: str) -> dict[str, Any]:
    rows = _rows(connection, name, event_id)
    if not rows:
        raise LedgerError(
            f"there is no event {event_id!r}",
            "an event_id of the ledger, or a fill, order, plan or decision",
            "another home, a silent window (s = 0) or one that retention.rows_days let go: those the lake keeps",
        )
    return rows[0]


def _rows(connection: Connection, name: str, key: str) -> list[dict[str, Any]]:
    cursor = connection.execute(query("sig", name), [key])
    names = [c.name for c in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _copy(connection: Connection, name: str, columns: Columns) -> int:
    return copy_rows(connection, query("sig", name), pick(columns, columns_of_copy("sig", name), name))


def _same(text: str, rows: int) -> NDArray[Any]:
    return np.full(rows, text, dtype=object)
