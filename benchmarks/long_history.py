"""`python -m benchmarks.long_history`: does a learning day cost more the more days lie behind it?

A small world is learned in a temporary home; then its first day is copied back in time, as rows of the module databases
and of Dagster's, as files of the lake and of the tape, until 30, 300 and 3,000 days lie behind. At each size the same
last day is learned again from nothing: CPU seconds and statements sent, and what Dagster needs to record it. The search
window is full from 90 days on, so growth is read from 300 to 3,000.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import numpy as np
import psycopg
from psycopg import sql

from benchmarks.learning_day import lane_of, learned_home
from benchmarks.material import sessions
from lotus.columns import Column, TableSpec
from lotus.simulation.spec import WorldSpec
from lotus.timebase import DAY_MS
from lotus_assets.backfill import backfill
from lotus_assets.bodies import stage_context
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.day_tables import tables_of_day, write_day_tables
from lotus_store.lake import Lake

SIZES = (30, 300, 3_000)
READ_BACK = 90  # days of the search window: what is read of rows themselves
MODULES = ("sig", "dm", "tr")
UNLIKE = ("signal_events", "signal_eval", "live_")  # mirrors of the lake, which no stage reads back
DAGSTER = ("event_logs", "asset_check_executions")


@dataclass(frozen=True, slots=True)
class Size:
    """A learning day with so many days behind it."""

    days: int
    cpu_s: float
    statements: int
    dagster_cpu_s: float
    slowest: dict[str, float]


def days_before(day: str, first: int, last: int) -> list[str]:
    """Return the days that lie `first` to `last` days (not included) before a day."""
    at = date.fromisoformat(day)
    return [(at - timedelta(days=k)).isoformat() for k in range(first, last)]


def fill(settings: Settings, day: str, more: Sequence[str]) -> None:
    """Copy what a home holds of a learned day to the days `more` before it."""
    with Databases(settings).open() as databases:
        for name in MODULES:
            with databases.connect(name, autocommit=True) as connection:
                _copy_rows(connection, settings.branch, day, more)
                _copy_rows(connection, f"tape.{settings.tape}", day, more)
                connection.execute("ANALYZE")
        with databases.connect("dagster", autocommit=True) as connection:
            for table in DAGSTER:
                _copy_records(connection, table, day, more)
            connection.execute("ANALYZE")
    near = [other for other in more if other >= days_before(day, READ_BACK, READ_BACK + 1)[0]]
    _link(Path(settings.lake_root).glob(f"*/branch=*/day={day}"), day, more)
    _link([settings.tape_root / settings.tape / day], day, more)
    lake = Lake(settings.lake_root)
    for path in Path(settings.lake_root).glob(f"*/branch={settings.branch}/day={day}/part.parquet"):
        for other in near:
            _shift(lake, path.parts[-4], settings.branch, day, other)
    tables = tables_of_day(lake, settings.branch, day)
    for other in near:
        write_day_tables(lake, settings.branch, replace(tables, day=other))


def measured(settings: Settings, day: str, behind: int) -> Size:
    """Learn the day again, and record it again."""
    sent = 0
    execute = psycopg.Cursor.execute

    def counted(cursor: Any, *given: Any, **named: Any) -> Any:
        nonlocal sent
        sent += 1
        return execute(cursor, *given, **named)

    lotus = Lotus.open(settings)
    try:
        with stage_context(lotus, force=True) as ctx, patch.object(psycopg.Cursor, "execute", counted):
            for _ in range(2):  # makes what is kept of earlier days, and reads it for the first time
                lane_of(ctx, day)
            sent = 0
            results, _ = lane_of(ctx, day)
    finally:
        lotus.close()
    cpu = time.process_time()
    backfill(settings, day, day)
    recorded = time.process_time() - cpu
    slowest = sorted(results, key=lambda r: -r.cpu_s)[:6]
    return Size(behind, sum(r.cpu_s for r in results), sent, recorded, {r.stage: round(r.cpu_s, 3) for r in slowest})


def _copy_rows(connection: Any, branch: str, day: str, more: Sequence[str]) -> None:
    """Copy the rows of a branch and day in every table that has both, with a version and time of their own."""
    for table, columns in _tables(connection).items():
        if not {"branch", "day"} <= set(columns) or table.startswith(UNLIKE):
            continue
        own: sql.Composable = sql.SQL("'{}'::jsonb")
        if "content_hash" in columns:
            own = sql.SQL("jsonb_build_object('content_hash', md5(d.day || x.content_hash))")
        if "effective_from_ms" in columns:
            own = sql.SQL(
                "jsonb_build_object('priors_ver', d.day || x.priors_ver, 'effective_from_ms',"
                " x.effective_from_ms - {} * (x.day::date - d.day::date)::bigint)"
            ).format(DAY_MS)
        only = sql.SQL("AND x.branch = {}").format(branch)
        _insert(connection, (table, columns), own, ("day", day), more, only)


def _copy_records(connection: Any, table: str, day: str, more: Sequence[str]) -> None:
    own = sql.SQL("jsonb_build_object('id', nextval(pg_get_serial_sequence({}, 'id')))").format(table)
    _insert(connection, (table, _tables(connection)[table]), own, ("partition", day), more, sql.SQL(""))


def _tables(connection: Any) -> dict[str, list[str]]:
    """Return the columns of every table that are not made by the server."""
    rows = connection.execute(
        "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) FROM information_schema.columns"
        " WHERE table_schema = 'public' AND is_generated = 'NEVER'"
        " AND table_name IN (SELECT tablename FROM pg_tables WHERE schemaname = 'public') GROUP BY 1 ORDER BY 1"
    )
    return {str(name): list(columns) for name, columns in rows}


def _insert(
    connection: Any,
    into: tuple[str, Sequence[str]],
    own: sql.Composable,
    at: tuple[str, str],
    more: Sequence[str],
    only: sql.Composable,
) -> None:
    (table, columns), (column, day) = into, at
    statement = sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {copied} FROM {table} x CROSS JOIN unnest({more}::text[]) d (day),"
        " LATERAL jsonb_populate_record(x, jsonb_build_object({column}, d.day) || {own}) r"
        " WHERE x.{name} = {day} {only} ON CONFLICT DO NOTHING"
    ).format(
        table=sql.Identifier(table), columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        copied=sql.SQL(", ").join(sql.Identifier("r", name) for name in columns), more=list(more), column=column,
        own=own, name=sql.Identifier(column), day=day, only=only,
    )  # fmt: skip
    connection.execute(statement)


def _shift(lake: Lake, name: str, branch: str, day: str, other: str) -> None:
    """Write a table of a day as that of another day, its times moved with it."""
    rows, away = lake.read(name, branch, day), (date.fromisoformat(other) - date.fromisoformat(day)).days * DAY_MS
    for column, values in rows.items():
        if column.endswith(("_ms", "_ns")):
            rows[column] = values + away * (10**6 if column.endswith("_ns") else 1)
        elif column == "day":
            rows[column] = np.full(len(values), other, dtype=object)
    columns = [Column(n, "text" if v.dtype.kind == "O" else _dtype(v), "", "", True) for n, v in rows.items()]
    lake.write(TableSpec(name, (), tuple(columns)), branch, other, rows)


def _dtype(values: np.ndarray) -> str:
    return "?" if values.dtype.kind == "b" else values.dtype.str[1:]


def _link(folders: Any, day: str, more: Sequence[str]) -> None:
    for folder in list(folders):
        for other in more:
            shutil.copytree(folder, folder.with_name(folder.name.replace(day, other)), copy_function=os.link)


@click.command()
@click.option("--sizes", default=",".join(map(str, SIZES)), show_default=True, help="Days behind, rising.")
@click.option("--json", "as_json", is_flag=True, help="Plain values.")
def main(sizes: str, as_json: bool) -> None:
    """Measure a learning day with a growing past."""
    spec = WorldSpec("demo", 7, 3, sessions=sessions(40, 8, 14))
    first, last, done, rows = spec.day(0), spec.day(2), 1, []
    with learned_home(spec) as settings:
        backfill(settings, last, last)
        for size in map(int, sizes.split(",")):
            fill(settings, first, days_before(first, done, size))
            done = size
            rows.append(measured(settings, last, size))
            if not as_json:
                click.echo(f"{rows[-1]}")
    growth = [round(b.cpu_s / a.cpu_s, 3) for a, b in pairwise(rows)]
    if as_json:
        json.dump({"sizes": [{k: getattr(r, k) for k in Size.__slots__} for r in rows], "growth": growth}, sys.stdout)
    else:
        click.echo(f"growth of CPU from size to size: {growth}")


if __name__ == "__main__":
    main()
