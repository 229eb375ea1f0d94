"""What a home holds once a run is over, in a form that can be compared: every file, every hash, every row.

Left out of rows: clocks of the wall, retries and what is random by design (keys and signatures).
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from psycopg import sql
from small_world import settings_of

from lotus_store.databases import Connection, Databases
from lotus_store.lake import PART, Lake
from lotus_store.postgres.migrations import LOTUS_DATABASES
from lotus_store.tape.store import TapeStore

WALL_CLOCK = {
    "created_at", "updated_at", "committed_at", "dispatched_at", "received_at", "consumed_at", "taken_at", "done_at",
    "processed_at", "not_before", "replayed_at", "attempts", "arrival", "verify_key", "applied_at", "valid_from",
    "retired_at", "started_at", "finished_at", "cpu_s", "wall_s",
}  # fmt: skip
OWN_FOLDERS = ("pg", "dagster", "tape", "live")  # of the server, of Dagster; compared by other means
LIVE_TABLES = ("live_events", "live_log", "live_orders", "live_fills")
OWN_BOOKS = ("_herald", "_gap", "_replica")  # what a Herald counts and who was there: true of a run, not of its outcome
LIFE = ("start", "stop")  # entries of the log that name a process and its clock


def inspect_home(home: Path) -> dict[str, Any]:
    """Return lake hashes (recomputed from rows), sums, rows of tables, unfinished runs, doubles, files left over."""
    settings = settings_of(home)
    lake = Lake(settings.lake_root)
    parts = sorted(Path(settings.lake_root).rglob(PART))
    tables: dict[str, Any] = {}
    with Databases(settings) as databases:
        for name in LOTUS_DATABASES:
            with databases.owner(name) as connection:
                kept = [t for t in _tables(connection) if t not in LIVE_TABLES and not t.endswith(OWN_BOOKS)]
                tables |= {f"{name}.{t}": _digest(_rows(connection, t)) for t in kept}
        with databases.connect("sig") as connection:
            twice = _doubles(connection)
        with databases.connect("dagster") as connection:
            begun = connection.execute(
                "SELECT count(*) FROM runs WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')"
            ).fetchone()
    return {
        "lake": {str(p.relative_to(settings.lake_root)): _verified(lake, p) for p in parts},
        "documents": {str(p.relative_to(home)): _sha256(p) for p in sorted(home.rglob("document.json"))},
        "sums": {str(p.relative_to(home)): _sha256(p) for p in sorted(home.rglob("*.sums"))},
        "tables": tables,
        "files": _files(home),
        "debris": debris(home),
        "doubles": twice,
        "begun_runs": int(str(begun[0])) if begun else 0,
    }


def inspect_replay(home: Path, run_id: str) -> dict[str, Any]:
    """Return the rows of one run of the daemon, the lines of its tape, and files left over."""
    settings = settings_of(home)
    store = TapeStore(home, run_id)
    lines = hashlib.sha256()
    for meta in store.all_segments():
        lines.update(store.read_segment(meta))
    with Databases(settings) as databases, databases.owner("sig") as connection:
        tables = {t: _digest(_rows(connection, t, run_id)) for t in LIVE_TABLES}
    return {"tables": tables, "tape": lines.hexdigest(), "debris": debris(home)}


def debris(home: Path) -> list[str]:
    """Return files that only a process at work may have."""
    forms = ("*.tmp", "*.open", "*.salvage", ".world-*", "*.making", ".*.key.*")
    return sorted({str(p.relative_to(home)) for form in forms for p in home.rglob(form) if "pg/data" not in str(p)})


def _files(home: Path) -> list[str]:
    names = [p.relative_to(home) for p in home.rglob("*") if p.is_file()]
    return sorted(str(name) for name in names if name.parts[0] not in OWN_FOLDERS)


def _verified(lake: Lake, path: Path) -> str:
    words = dict(step.split("=", 1) for step in path.parts if "=" in step)
    name = next(path.parts[i - 1] for i, step in enumerate(path.parts) if step.startswith("branch="))
    return lake.verify(name, words["branch"], words["day"], words.get("symbol"))


def _tables(connection: Connection) -> list[str]:
    rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    return [str(row[0]) for row in rows]


def _rows(connection: Connection, table: str, run_id: str = "") -> list[str]:
    statement = sql.SQL("SELECT to_jsonb(t)::text FROM {} t").format(sql.Identifier(table))
    if run_id:
        statement += sql.SQL(" WHERE run_id = {}").format(sql.Literal(run_id))
    rows = [json.loads(str(row[0])) for row in connection.execute(statement)]
    return sorted(_plain(row) for row in rows if row.get("kind") not in LIFE)


def _plain(row: dict[str, Any]) -> str:
    kept = {name: value for name, value in row.items() if name not in WALL_CLOCK and name != "run_id"}
    if "envelope" in kept:
        kept["envelope"] = {name: value for name, value in json.loads(kept["envelope"]).items() if name != "sig"}
    return json.dumps(kept, sort_keys=True)


def _digest(rows: list[str]) -> list[Any]:
    return [len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()]


def _doubles(connection: Connection) -> int:
    """Messages that stand twice under one meaning, in outbox or inbox."""
    count = 0
    for table in ("sig_outbox", "sig_inbox"):
        keys = [row["dedupe_key"] for row in (json.loads(text) for text in _rows(connection, table))]
        count += len(keys) - len(set(keys))
    return count


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
