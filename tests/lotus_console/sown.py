"""Rows for the tests of pages: lessons, braids, versions and windows, changed as a test wants them, else plain."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from lotus.columns import TableSpec
from lotus.learning.lesson import Lesson
from lotus.priors.types import IDENTITY, Literal, Patch, PriorsVersion, Rule, priors_0, priors_version
from lotus.timebase import day_start_ms, next_day
from lotus.weave.braid import Braid, Quality
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.priors import put_in_force, put_version
from lotus_store.ledger.bodies import to_body

DAY = "2026-01-05"
NIGHT_MS = day_start_ms(next_day(DAY))
SPREAD, VOL = 8, 0
PLAIN = {"text": "", "boolean": False, "jsonb": "{}", "json": "{}", "ARRAY": []}
LESSON = Lesson(
    lesson_id="1" * 32, branch="main", night=DAY, detector_id="micro_drift", horizon_s=30,
    rule=Rule.of(Literal(SPREAD, 3, 4)), sign=1, uplift_bps=2.0, se_bps=0.5, ci95=(1.0, 3.0), lcb_bps=0.7,
    claim_bps=1.5, net_mean_bps=1.2, net_low_bps=0.3, net_high_bps=2.1, sigma_y_bps=10.0, m_nats=6.0, t_stat=4.0,
    recent_t=1.0, critical=4.0, n_windows=4000, n_published=500, ess=400.0, n_days=20, n_blocks=40, n_eff_days=18.0,
    coverage=0.2, fill_share=1.0, trials=100_000, grade="B", state="IDENTIFIED",
)  # fmt: skip
BRAID = Braid(
    braid_id="b" * 32, branch="main", braid_type="micro", detector_id="micro_drift", horizon_s=30,
    rule=Rule.of(Literal(SPREAD, 3, 4)), sign=1, lesson_id="1" * 32, grade="B", claim_bps=2.0, lcb_bps=1.0,
    ci95=(1.0, 3.0), support=500, quality=Quality(1.0, 0.05, 0.1, 0.12), target=Patch(-0.1, 1.05),
    patch=Patch(-0.05, 1.02), delta_wanted=0.5, delta_realised=(0.2, 0.3, 0.4), state="active",
    reason="accepted lesson", effective_from_ms=NIGHT_MS, expires_at_ms=NIGHT_MS + 10 * 86_400_000, members_sample=(),
)  # fmt: skip


def put(connection: Connection, table: str, **given: Any) -> None:
    """Insert a row: what is given, plain values of their type elsewhere."""
    rows = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' AND "
        "table_name = %s AND is_generated = 'NEVER' AND is_identity = 'NO' AND column_default IS NULL "
        "AND is_nullable = 'NO'",
        [table],
    ).fetchall()
    values = {str(name): PLAIN.get(str(kind), 0) for name, kind in rows} | given
    text = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(sql.Placeholder() * len(values)),
    )  # fmt: skip
    connection.execute(text, list(values.values()))


def put_night(connection: Connection, day: str = DAY) -> None:
    """Commit the stages of a nightly run."""
    for stage in ("signal_events", "lessons", "braids", "active_priors"):
        put(connection, "day_commits", branch="main", day=day, stage=stage, notes='{"checks": []}')


def put_lesson(connection: Connection, k: int, **changes: Any) -> Lesson:
    """Keep a lesson of number k, changed as said."""
    lesson = replace(LESSON, lesson_id=f"{k:032x}", **changes)
    put(connection, "lessons", branch=lesson.branch, day=lesson.night, lesson_id=lesson.lesson_id, body=to_body(lesson))
    return lesson


def put_braid(connection: Connection, k: int, day: str = DAY, ordinal: int = 0, **changes: Any) -> Braid:
    """Add a row to the history of the braid of number k: the braid as it is then."""
    braid = replace(BRAID, braid_id=f"{k:032x}", **changes)
    row = {"branch": braid.branch, "day": day, "braid_id": braid.braid_id, "ordinal": ordinal}
    change = {"new_state": braid.state, "reason": braid.reason, "body": to_body(braid)}
    put(connection, "braid_history", old_state="proposed", **row, **change)
    return braid


def believed(connection: Connection, *braids: Braid, day: str = DAY) -> PriorsVersion:
    """Put a version in force after a day that holds some braids."""
    start = day_start_ms(next_day(day))
    version = priors_version("main", start, tuple(b.active() for b in braids if b.patch != IDENTITY))
    put_version(connection, version, day, priors_0("main"))
    put_in_force(connection, version, f"patch of {day}")
    return version


def put_window(connection: Connection, k: int, day: str = DAY, **changes: Any) -> str:
    """Add a published window of number k, half a minute after the one before; return its name."""
    connection.execute("SELECT signal_partitions(%s)", [day])
    row = {
        "branch": "main", "day": day, "event_id": f"{k:032x}", "detector_id": "micro_drift", "asset": "BTC",
        "window_start_ms": day_start_ms(day) + 30_000 * k, "window_end_ms": day_start_ms(day) + 30_000 * k + 5_000,
        "horizon_s": 30, "s": 0.5, "pi": 0.3, "published": True, "eligible": True,
    }  # fmt: skip
    put(connection, "signal_events", **(row | changes))
    return str(row["event_id"])


def put_outcome(connection: Connection, k: int, payoff_y: float, day: str = DAY) -> None:
    """Say what the window of number k paid."""
    row = {"branch": "main", "day": day, "event_id": f"{k:032x}", "payoff_y": payoff_y, "status": "ok"}
    put(connection, "signal_eval", **row)


def columns_of(spec: TableSpec, rows: int, **given: Any) -> dict[str, NDArray[Any]]:
    """Return columns of a table of the lake: what is given, zeros and empty texts elsewhere."""
    out = {}
    for column in spec.columns:
        dtype = spec.numpy_dtype(column.name)
        plain = "" if column.dtype == "text" else 0
        out[column.name] = np.asarray(np.full(rows, given.get(column.name, plain), object), dtype)
        if isinstance(given.get(column.name), list | np.ndarray):
            out[column.name] = np.asarray(given[column.name], object).astype(dtype)
    return out
