"""The daemon's own log in the sig database: scored events, control records, orders and fills of a run; its commands.

A run is what the daemon does under one name. Every write may be repeated: rows are named by what they are. What a
replay of a recording wrote is never read back as the log of a day on which the daemon ran.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
from numpy.typing import NDArray

from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.errors import LedgerError
from lotus.timebase import DAY_MS, day_of, day_start_ms, next_day
from lotus_store.ledger.binary_copy import copy_rows, pick
from lotus_store.ledger.bodies import to_body
from lotus_store.postgres.queries import Connection, columns_of_copy, query

SWAP_DETECTORS = "swap_detectors"  # the command that gives a daemon its trials
_ARROW = {"text": pa.string(), "?": pa.bool_(), "f8": pa.float64()}  # whole numbers of any width are read as int64
PAGE_ACT = "page: "


@dataclass(frozen=True, slots=True)
class Run:
    """A run: its name, the branch it scores on, the tape it records, and whether it replays a recording."""

    run_id: str
    branch: str
    tape: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of a run's log: running number, event time, kind (swap, start, stop, gap, alert, ...) and body."""

    seq: int
    time_ms: int
    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order of a run as it now stands; `event_id` is the window it probes."""

    order_id: str
    event_id: str
    asset: str
    time_ms: int
    state: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FillRow:
    """A fill of an order."""

    fill_id: str
    order_id: str
    asset: str
    time_ms: int
    body: Mapping[str, Any]


def begin_run(connection: Connection, run: Run) -> None:
    """Name a run before its first row; raises `LedgerError` when the name is taken by a run of another kind."""
    connection.execute(query("sig", "put_run"), [run.run_id, run.branch, run.tape, run.replayed])
    row = connection.execute(query("sig", "read_run"), [run.run_id]).fetchone()
    stored = Run(*row) if row else run
    if (stored.branch, stored.replayed) != (run.branch, run.replayed):
        kind = "replayed a recording" if stored.replayed else "took the venue's messages"
        cause = "give this run another name (--run-id)"
        raise LedgerError(f"run {run.run_id} {kind} on branch {stored.branch}", "one kind and branch per run", cause)


def append_events(connection: Connection, run_id: str, events: Mapping[str, NDArray[Any]]) -> int:
    """Append scored windows (columns of signal_events) to a run; rows already there stay. Return how many were new."""
    n = len(events["event_id"])
    starts, place = np.unique(events["window_end_ms"] // DAY_MS, return_inverse=True)
    days = np.array([day_of(day * DAY_MS) for day in starts.tolist()], dtype=object)[place]
    columns = dict(events) | {"run_id": np.full(n, run_id, dtype=object), "day": days}
    connection.execute(query("sig", "stage_live_events"))
    copy_rows(
        connection,
        query("sig", "copy_live_events"),
        pick(columns, columns_of_copy("sig", "copy_live_events"), "live_events"),
    )
    return connection.execute(query("sig", "merge_live_events")).rowcount


def append_log(connection: Connection, run_id: str, entries: Sequence[LogEntry]) -> None:
    """Append entries to a run's log; entries already there stay."""
    with connection.cursor() as cursor:
        rows = [[run_id, e.seq, e.time_ms, e.kind, to_body(e.body)] for e in entries]
        cursor.executemany(query("sig", "put_log"), rows)


def read_log(connection: Connection, run_id: str) -> list[LogEntry]:
    """Return a run's log in order."""
    return [LogEntry(*row) for row in connection.execute(query("sig", "read_log"), [run_id])]


def put_orders(connection: Connection, run_id: str, orders: Sequence[OrderRow]) -> None:
    """Write orders as they now stand."""
    with connection.cursor() as cursor:
        rows = [[run_id, o.order_id, o.event_id, o.asset, o.time_ms, o.state, to_body(o.body)] for o in orders]
        cursor.executemany(query("sig", "put_order"), rows)


def put_fills(connection: Connection, run_id: str, fills: Sequence[FillRow]) -> None:
    """Append fills; fills already there stay."""
    with connection.cursor() as cursor:
        rows = [[run_id, f.fill_id, f.order_id, f.asset, f.time_ms, to_body(f.body)] for f in fills]
        cursor.executemany(query("sig", "put_fill"), rows)


def read_orders(connection: Connection, run_id: str) -> list[OrderRow]:
    """Return a run's orders, oldest first."""
    return [OrderRow(*row) for row in connection.execute(query("sig", "read_orders"), [run_id])]


def read_fills(connection: Connection, run_id: str) -> list[FillRow]:
    """Return a run's fills, oldest first."""
    return [FillRow(*row) for row in connection.execute(query("sig", "read_fills"), [run_id])]


def live_runs(connection: Connection, branch: str, day: str) -> list[str]:
    """Return the runs that logged events of a branch and day."""
    return [str(row[0]) for row in connection.execute(query("sig", "live_runs"), [branch, day])]


def read_live_events(connection: Connection, branch: str, day: str) -> list[dict[str, Any]]:
    """Return the logged events of a branch and day, first logging run first, in arrival order."""
    cursor = connection.execute(query("sig", "read_live_events"), [branch, day])
    names = [c.name for c in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def daemon_log_version(connection: Connection, branch: str, day: str) -> str:
    """Return what the daemon logged of a branch and day as one word, "" when it did not run (replays do not count).

    Rows are written once, so the names of the rows decide what they hold.
    """
    row = connection.execute(query("sig", "daemon_log_names"), _of_day(branch, day)).fetchone()
    count, names = row if row else (0, "0")
    return f"{count} {names}" if count else ""


def read_daemon_log(connection: Connection, branch: str, day: str) -> dict[str, NDArray[Any]]:
    """Return columns of SIGNAL_EVENTS as the daemon logged them on a branch and day, in key order.

    Runs that replayed a recording are left out; of a window that several runs emitted, the first run's row stands.
    """
    text = io.BytesIO()
    with connection.cursor() as cursor, cursor.copy(query("sig", "copy_daemon_log"), _of_day(branch, day)) as copy:
        for block in copy:
            text.write(block)
    text.seek(0)
    types = {c.name: _ARROW.get(c.dtype, pa.int64()) for c in SIGNAL_EVENTS.columns}
    convert = pc.ConvertOptions(
        column_types=types, include_columns=list(types), true_values=["t"], false_values=["f"], null_values=["NaN"]
    )
    table = pc.read_csv(text, convert_options=convert)
    return {c.name: _column(table[c.name], SIGNAL_EVENTS.numpy_dtype(c.name)) for c in SIGNAL_EVENTS.columns}


def command(connection: Connection, name: str, body: Mapping[str, Any] | None = None) -> int:
    """Leave a command (`SWAP_DETECTORS`) for the daemon; return its number."""
    row = connection.execute(query("sig", "put_command"), [name, to_body(body or {})]).fetchone()
    return int(str(row[0])) if row else 0


def record_act(connection: Connection, name: str, body: Mapping[str, Any]) -> None:
    """Write down what a person did through a page; no daemon takes it."""
    connection.execute(query("sig", "put_act"), [f"{PAGE_ACT}{name}", to_body(body)])


def take_commands(connection: Connection) -> list[tuple[int, str, dict[str, Any]]]:
    """Take every waiting command once, oldest first: (number, command, body)."""
    return list(connection.execute(query("sig", "take_commands")))


def finish_command(connection: Connection, number: int, result: Mapping[str, Any]) -> None:
    """Write how a command ended."""
    connection.execute(query("sig", "finish_command"), [to_body(result), number])


def command_result(connection: Connection, number: int) -> dict[str, Any] | None:
    """Return what a daemon answered to a command, None while it has not."""
    row = connection.execute(query("sig", "read_command_result"), [number]).fetchone()
    return None if row is None else dict(row[0] or {})


def _of_day(branch: str, day: str) -> list[object]:
    """Windows belong to the day in which they start; a row's `day` is that of the window's end."""
    start_ms = day_start_ms(day)
    return [branch, [day, next_day(day)], start_ms, start_ms + DAY_MS - 1]


def _column(values: pa.ChunkedArray, dtype: np.dtype[Any]) -> NDArray[Any]:
    plain: NDArray[Any] = values.combine_chunks().to_numpy(zero_copy_only=False)
    return plain.view(np.uint64) if dtype == np.uint64 else plain.astype(dtype)
