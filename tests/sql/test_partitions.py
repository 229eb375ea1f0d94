"""Partitions by month: made ahead by whoever writes, by many at once, and found again through indexes.

Of `sql/sig/schema.sql` through `lotus_store.databases`.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import psycopg
import pytest

from lotus.columns import TableSpec
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.outcomes.signal_eval import signal_eval_spec
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.signals import events

PARENTS = ("signal_events", "signal_eval", "signal_eval_horizons")
HORIZONS = (30,)


def parts(connection: Connection, parent: str) -> dict[str, str]:
    rows = connection.execute(
        "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = %s::regclass ORDER BY 1",
        [parent],
    )
    return {str(a): str(b) for a, b in rows}


def day_of_rows(spec: TableSpec, day: str, n: int) -> dict[str, np.ndarray[Any, Any]]:
    made = {c.name: np.zeros(n, dtype=object if c.dtype == "text" else c.dtype) for c in spec.columns}
    made |= {c.name: np.full(n, "x", dtype=object) for c in spec.columns if c.dtype == "text"}
    return made | {"event_id": np.array([f"{day}-{i}" for i in range(n)], dtype=object)}


def write(connection: Connection, branch: str, day: str, n: int = 20) -> None:
    rows = day_of_rows(SIGNAL_EVENTS, day, n) | {"branch": np.full(n, branch, dtype=object)}
    events.write_events(connection, branch, day, rows)
    events.write_eval(connection, branch, day, day_of_rows(signal_eval_spec(HORIZONS), day, n), HORIZONS)


def test_the_month_and_the_next_are_made_before_a_day_is_written(databases: Databases) -> None:
    with databases.connect("sig") as c:
        for _ in range(2):
            write(c, "main", "2027-12-31")
        for parent in PARENTS:
            found = parts(c, parent)
            assert found[f"{parent}_2027_12"] == "FOR VALUES FROM ('2027-12') TO ('2028-01')"
            assert found[f"{parent}_2028_01"] == "FOR VALUES FROM ('2028-01') TO ('2028-02')"
            text = f"SELECT count(*) FROM {parent} WHERE tableoid = '{parent}_2027_12'::regclass"
            rows = c.execute(text).fetchone()  # type: ignore[call-overload]
            assert rows == (20,)
        write(c, "main", "2027-12-31", 0)
        assert c.execute("SELECT count(*) FROM signal_eval").fetchone() == (0,)
        c.rollback()


def test_a_day_without_its_partition_is_refused_whole(databases: Databases) -> None:
    with databases.connect("sig") as c, pytest.raises(psycopg.errors.CheckViolation, match="no partition"):
        c.execute("INSERT INTO signal_eval SELECT 'main', '2199-01-01', 'e', 'd', 'a', 0, 0, 30, 0, 0, 0, 'x', 'ok'")
    with databases.connect("sig") as c, pytest.raises(psycopg.errors.DatetimeFieldOverflow):
        c.execute("SELECT signal_partitions('2025-13-01')")


def test_writers_of_new_months_at_once(databases: Databases) -> None:
    """Eight writers, each whole days of its own branch across the same new months, all in one go."""

    def one(k: int) -> int:
        done = 0
        for month in range(1, 7):
            with databases.connect("sig") as c:
                c.execute("SET LOCAL lock_timeout = '20s'")
                write(c, f"b{k}", f"2040-{month:02d}-0{k + 1}")
                done += 1
        return done

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(8))) == [6] * 8
    with databases.connect("sig") as c:
        for parent in PARENTS:
            assert c.execute(f"SELECT count(*) FROM {parent}").fetchone() == (8 * 6 * 20,)  # type: ignore[call-overload]
            assert {f"{parent}_2040_0{m}" for m in range(1, 8)} <= set(parts(c, parent))


def test_a_reader_does_not_stop_a_writer_of_a_new_month(databases: Databases) -> None:
    with databases.connect("sig") as reader, databases.connect("sig") as writer:
        reader.execute("SELECT count(*) FROM signal_events").fetchall()
        reader.execute("SELECT count(*) FROM signal_eval").fetchall()
        writer.execute("SET LOCAL lock_timeout = '5s'")
        write(writer, "main", "2041-05-05")
        writer.commit()
        assert reader.execute("SELECT count(*) FROM signal_events").fetchone() == (20,)


def test_an_event_is_found_through_an_index_of_each_partition(databases: Databases) -> None:
    with databases.owner("sig") as c:
        for month in range(1, 5):
            write(c, "main", f"2042-0{month}-10", 400)
        c.execute("ANALYZE signal_events")
        plan = "\n".join(
            str(r[0]) for r in c.execute("EXPLAIN SELECT * FROM signal_events WHERE event_id = '2042-02-10-7'")
        )
        assert "Index" in plan
        assert "Seq Scan on signal_events_2042_02 " not in plan
        assert events.read_event(c, "2042-02-10-7")["day"] == "2042-02-10"
        pruned = "\n".join(
            str(r[0]) for r in c.execute("EXPLAIN DELETE FROM signal_events WHERE branch = 'b' AND day = '2042-02-10'")
        )
        assert "signal_events_2042_02" in pruned
        assert "signal_events_2042_03" not in pruned
        c.rollback()
