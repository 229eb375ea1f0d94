"""The large home of `benchmarks/console.py`: rows of every large table, which are not what any market did.

The ledger is filled by the database, lessons, braids and versions as their values; the lake has scored windows of every
day and lesson atoms. Day tables and a tape are lacking, so a window is not explained there.
"""

import dataclasses
import json
import random
from typing import Any, Final

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from lotus.columns import TableSpec
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.learning.axes import axes
from lotus.learning.cube import LESSON_ATOMS
from lotus.learning.lesson import Lesson
from lotus.outcomes.signal_eval import signal_eval_spec
from lotus.priors.types import ActiveBraid, Literal, Patch, Rule, priors_0, priors_version
from lotus.timebase import day_start_ms, next_day
from lotus.weave.braid import Braid, Quality
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.priors import put_in_force, put_version
from lotus_store.ledger.bodies import to_body

FIRST, NIGHTS, HISTORY, BELIEVED = "2026-01-01", 60, 5, 50
DETECTORS: Final = ("basis_shock", "compressed_range", "imbalance_persistence", "micro_drift", "sweep_stall_reversal")
ASSETS: Final = ("BTC", "ETH", "SOL")
DEFAULTS: Final = {
    "text": "''",
    "jsonb": "'{}'",
    "boolean": "false",
    "timestamp with time zone": "now()",
    "ARRAY": "'{}'",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Size:
    """How much the home holds, and how it is asked."""

    lessons: int = 100_000
    windows: int = 1_000_000
    braids: int = 10_000
    clients: int = 20
    seconds: float = 30.0


def make_home(settings: Settings, size: Size) -> None:
    """Fill the databases and the lake of a home that is new; one that holds a night already stays as it is."""
    with Databases(settings) as databases:
        with databases.connect("sig") as connection:
            if connection.execute("SELECT FROM day_commits LIMIT 1").fetchone() is not None:
                return
        with databases.owner("sig") as connection:
            connection.execute("SET synchronous_commit = off")
            _nights(connection)
            _lessons(connection, size.lessons)
            versions = _believed(connection, _braids(connection, size.braids))
            _windows(connection, size.windows, versions)
            connection.commit()
            connection.autocommit = True
            connection.execute("VACUUM ANALYZE")
    for k, day in enumerate(_days()):
        _in_lake(Lake(settings.lake_root), settings, day, size.windows // NIGHTS, versions[k])


def filled(connection: psycopg.Connection[Any], table: str, many: int, given: dict[str, str]) -> None:
    """Insert `many` rows: columns as `given` says (SQL over g, the row's number), others any value of their type."""
    rows = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s "
        "AND is_generated = 'NEVER' AND is_identity = 'NO' ORDER BY ordinal_position",
        [table],
    ).fetchall()
    values = [sql.SQL(given.get(name, DEFAULTS.get(kind, "g % 7"))) for name, kind in rows]
    text = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM generate_series(1, {}) g").format(
        sql.Identifier(table),
        sql.SQL(", ").join(sql.Identifier(name) for name, _ in rows),
        sql.SQL(", ").join(values),
        sql.Literal(many),
    )
    connection.execute(text)


def _nights(connection: psycopg.Connection[Any]) -> None:
    day = f"to_char('{FIRST}'::date + (g % {NIGHTS})::integer, 'YYYY-MM-DD')"
    check = json.dumps({"checks": [{"name": "live_parity", "passed": True, "unseen": False, "text": "equal"}] * 4})
    for stage in ("lessons", "braids", "active_priors", "signal_events", "dm_knowledge", "raw_tape"):
        filled(
            connection,
            "day_commits",
            NIGHTS,
            {"branch": "'main'", "day": day, "stage": f"'{stage}'", "notes": f"'{check}'"},
        )
    for name in DETECTORS:
        for kind in ("audit", "detector"):
            given = {"branch": "'main'", "day": day, "kind": f"'{kind}'", "name": f"'{name}'"}
            filled(connection, "experiments", NIGHTS, given)
    signal_days = connection.execute(
        "SELECT signal_partitions(%s), signal_partitions(%s)", [FIRST, next_day(FIRST, 59)]
    )
    signal_days.fetchall()
    filled(
        connection,
        "tape_segments",
        96 * NIGHTS,
        {"tape": "'live'", "path": "'p' || g", "day": day, "counts": "'{}'", "gaps": "'[]'", "state": "'closed'"},
    )


def _rule(rng: random.Random) -> Rule:
    features = rng.sample(range(12), 2)
    return Rule.of(*(Literal(feature, low := rng.randrange(3), low + 1) for feature in sorted(features)))


def _lesson(rng: random.Random, day: str, k: int) -> Lesson:
    uplift, is_accepted = rng.gauss(0.0, 3.0), rng.random() < 0.02
    return Lesson(
        lesson_id=f"{k:032x}",
        branch="main",
        night=day,
        detector_id=rng.choice(DETECTORS),
        horizon_s=30,
        rule=_rule(rng),
        sign=1 if uplift > 0 else -1,
        uplift_bps=uplift,
        se_bps=1.0,
        ci95=(uplift - 2.0, uplift + 2.0),
        lcb_bps=uplift - 1.0,
        claim_bps=uplift,
        net_mean_bps=uplift,
        net_low_bps=uplift - 1.0,
        net_high_bps=uplift + 1.0,
        sigma_y_bps=10.0,
        m_nats=rng.gauss(0.0, 2.0),
        t_stat=2.0,
        recent_t=1.0,
        critical=4.0,
        n_windows=4000,
        n_published=500,
        ess=400.0,
        n_days=20,
        n_blocks=40,
        n_eff_days=18.0,
        coverage=0.2,
        fill_share=1.0,
        trials=100_000,
        grade="B" if is_accepted else "none",
        state="IDENTIFIED" if is_accepted else "REFUSED",
        reason="" if is_accepted else "evidence -1.10 nats in lane S does not exceed 4.00",
    )


def _days() -> list[str]:
    days = [FIRST]
    while len(days) < NIGHTS:
        days.append(next_day(days[-1]))
    return days


def _lessons(connection: psycopg.Connection[Any], many: int) -> None:
    rng, days = random.Random(7), _days()
    with connection.cursor().copy("COPY lessons (branch, day, lesson_id, body) FROM STDIN") as copy:
        for k in range(many):
            lesson = _lesson(rng, days[k * NIGHTS // many], k)
            copy.write_row(("main", lesson.night, lesson.lesson_id, to_body(lesson)))


def _braids(connection: psycopg.Connection[Any], many: int) -> list[ActiveBraid]:
    """Write braids with their past, one of twenty of them active; return some that act."""
    acting = list[ActiveBraid]()
    rng, days, start = random.Random(8), _days(), day_start_ms(FIRST)
    columns = "branch, day, braid_id, old_state, new_state, reason, priors_before, priors_after, body"
    with connection.cursor().copy(f"COPY braid_history ({columns}) FROM STDIN") as copy:
        for k in range(many):
            born = rng.randrange(NIGHTS - HISTORY)
            braid = Braid(
                braid_id=f"{k:032x}",
                branch="main",
                braid_type="micro",
                detector_id=rng.choice(DETECTORS),
                horizon_s=30,
                rule=_rule(rng),
                sign=1,
                lesson_id=f"{k:032x}",
                grade="B",
                claim_bps=2.0,
                lcb_bps=1.0,
                ci95=(1.0, 3.0),
                support=500,
                quality=Quality(1.0, 0.05, 0.1, 0.12),
                target=Patch(-0.1, 1.05),
                patch=Patch(-0.05, 1.02),
                delta_wanted=0.5,
                delta_realised=(0.2, 0.3, 0.4),
                state="active",
                reason="accepted lesson",
                effective_from_ms=start + born * 86_400_000,
                expires_at_ms=start + (born + 30) * 86_400_000,
                members_sample=("e",),
            )
            body = to_body(braid)
            if k % 20 == 0 and len(acting) < BELIEVED:
                acting.append(braid.active())
            states = ("proposed", "active", "active", "sunset", "archived" if k % 20 else "active")
            for j, state in enumerate(states):
                before = states[j - 1] if j else "proposed"
                copy.write_row(("main", days[born + j], braid.braid_id, before, state, "a reason", "a", "b", body))
    return acting


def _believed(connection: psycopg.Connection[Any], acting: list[ActiveBraid]) -> list[str]:
    """Put a version in force after every night; return the one that each day ran on."""
    parent, names = priors_0("main"), list[str]()
    for day in _days():
        names.append(parent.priors_ver)
        version = priors_version("main", day_start_ms(next_day(day)), tuple(acting))
        put_version(connection, version, day, parent)
        put_in_force(connection, version, f"patch of {day}")
        parent = version
    return names


def _windows(connection: psycopg.Connection[Any], many: int, versions: list[str]) -> None:
    day = f"to_char('{FIRST}'::date + (g * {NIGHTS}::bigint / {many + 1})::integer, 'YYYY-MM-DD')"
    detector = "(ARRAY['" + "', '".join(DETECTORS) + f"'])[1 + g % {len(DETECTORS)}]"
    ended = f"{day_start_ms(FIRST)} + g * {NIGHTS * 86_400_000}::bigint / {many + 1}"
    common = {
        "branch": "'main'",
        "day": day,
        "event_id": "lpad(to_hex(g), 32, '0')",
        "detector_id": detector,
        "asset": "(ARRAY['BTC', 'ETH', 'SOL'])[1 + g % 3]",
        "window_end_ms": ended,
        "horizon_s": "30",
        "published": "g % 100 = 0",
        "eligible": "true",
        "fired": f"CASE WHEN g > {many // NIGHTS} THEN g % 8 ELSE 0 END",
        "priors_ver": f"('{{{','.join(versions)}}}'::text[])[1 + (g * {NIGHTS}::bigint / {many + 1})::integer]",
    }
    filled(connection, "signal_events", many, common)
    filled(connection, "signal_eval", many, common | {"payoff_p": "sin(g)", "status": "'whole'", "hit": "g % 2"})
    filled(connection, "live_events", many // 10, common | {"run_id": "'run'"})


def _in_lake(lake: Lake, settings: Settings, day: str, windows: int, version: str) -> None:
    """Write a day's windows, outcomes and lesson atoms."""
    rng, place = np.random.default_rng(day_start_ms(day)), np.arange(windows)
    detectors = np.array(DETECTORS, object)
    ends = day_start_ms(day) + place * 86_400_000 // max(1, windows)
    common = {
        "event_id": np.array([f"{day}-{k:023d}" for k in range(windows)], object),
        "detector_id": detectors[place % len(DETECTORS)],
        "asset": np.array(ASSETS, object)[place % 3],
        "window_end_ms": ends,
        "maturity_ms": ends + 30_000,
        "horizon_s": np.full(windows, 30),
        "published": place % 100 == 0,
        "eligible": np.ones(windows, np.bool_),
        "priors_ver": np.full(windows, version, object),
        "status": np.full(windows, "ok", object),
    }
    for spec in (SIGNAL_EVENTS, signal_eval_spec(settings.manifest.outcomes.horizons_s)):
        lake.write(spec, "main", day, _columns(spec, windows, common, rng))
    subset = int(np.flatnonzero((axes().subsets == [-1, 3, 5]).all(axis=1))[0])  # depth_slope and oi
    cells = np.arange(len(DETECTORS) * 4 * 25)
    atoms = {
        "detector_id": detectors[cells // 100],
        "day": np.full(len(cells), day, object),
        "block": cells // 25 % 4,
        "triple": np.full(len(cells), subset),
        "cell": cells % 5 + cells // 5 % 5 * 5,
    }
    lake.write(LESSON_ATOMS, "main", day, _columns(LESSON_ATOMS, len(cells), atoms, rng))


def _columns(
    spec: TableSpec, rows: int, given: dict[str, NDArray[Any]], rng: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """Return the columns of a table: those given, others any value of their type."""
    out = {}
    for column in spec.columns:
        dtype = spec.numpy_dtype(column.name)
        made = np.full(rows, "", object) if column.dtype == "text" else rng.random(rows)
        out[column.name] = given.get(column.name, made).astype(dtype)
    return out
