"""Rows of old days go by each branch's own last learned day, and a day whose outside rows went is not learned again."""

from dataclasses import replace
from typing import Any

import numpy as np
import psycopg
import pytest
from cut_statements import cut_everywhere

from lotus.columns import TableSpec
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.errors import BeliefError, LedgerError
from lotus.outcomes.signal_eval import signal_eval_spec
from lotus.timebase import day_start_ms
from lotus_assets.retention.rows import RowsGone, let_rows_go
from lotus_assets.stages.context import Made, StageContext
from lotus_assets.stages.order import LEARNING_STAGES
from lotus_assets.stages.runner import inputs_hash_of, run_stage
from lotus_store.databases import Connection, Databases
from lotus_store.ledger import outside_rows, retention
from lotus_store.ledger.day_commits import DayCommit, commit_day
from lotus_store.ledger.signals import events

LEARNED, NOW_S = "2026-06-30", day_start_ms("2026-07-01") / 1e3
OLD, NEW = "2025-03-05", "2026-06-05"
NOTES: dict[str, Any] = {"notes": {}, "checks": []}
TABLES = {
    "sig": ("signal_events", "signal_eval", "signal_eval_horizons", "live_events", "live_log", "live_signals",
            "live_orders", "live_fills", "live_runs", *retention.DAILY, "forgotten_days"),
    "dm": ("dm_policy_trials",),
    "tr": ("tr_trigger_events",),
}  # fmt: skip


def scored(connection: Connection, branch: str, day: str, n: int = 3) -> None:
    """Write scored windows and outcomes of a day."""
    evals = signal_eval_spec((30,))
    events.write_events(connection, branch, day, rows(SIGNAL_EVENTS, branch, day, n))
    events.write_eval(connection, branch, day, rows(evals, branch, day, n), (30,))


def rows(spec: TableSpec, branch: str, day: str, n: int) -> dict[str, np.ndarray[Any, Any]]:
    """Return rows that say nothing, with names of their own."""
    made = {c.name: np.zeros(n, dtype=object if c.dtype == "text" else c.dtype) for c in spec.columns}
    made |= {c.name: np.full(n, "x", dtype=object) for c in spec.columns if c.dtype == "text"}
    return made | {
        "event_id": np.array([f"{branch}-{day}-{i}" for i in range(n)], dtype=object),
        "branch": np.full(n, branch, dtype=object),
    }


def logged(connection: Connection, run: str, day: str, replayed: bool = False, began: str = "2025-01-01") -> None:
    """Write a run of the daemon with one event of a day, its signal and its line of log."""
    at_ms = day_start_ms(day)
    put = connection.execute
    put("INSERT INTO live_runs VALUES (%s, 'main', 'tape', %s, %s)", [run, replayed, began])
    put("SELECT signal_partitions(%s)", [day])
    columns = [name for (name,) in put(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'live_events' AND column_name <> 'gate'"
        " AND column_name <> 'run_id' ORDER BY ordinal_position")]  # fmt: skip
    listed = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, columns))
    text = "INSERT INTO live_events (run_id, {c}) SELECT %s, {c} FROM signal_events WHERE day = %s LIMIT 1"
    scored(connection, "main", day)
    put(psycopg.sql.SQL(text).format(c=listed), [run, day])
    put("INSERT INTO live_signals SELECT run_id, event_id, 'v', 1, '{}' FROM live_events WHERE run_id = %s", [run])
    put("INSERT INTO live_log VALUES (%s, 1, %s, 'start', '{}')", [run, at_ms])
    put("INSERT INTO live_orders VALUES (%s, 'o', 'e', 'BTC', 1, 'open', '{}')", [run])
    put("INSERT INTO live_fills VALUES (%s, 'f', 'o', 'BTC', 1, '{}')", [run])


@pytest.fixture
def aged(databases: Databases) -> Databases:
    """A ledger with a branch that learned long, one that stands still and one that never learned."""
    with databases.owner("sig") as sig, databases.owner("dm") as dm, databases.owner("tr") as tr:
        for branch, day in (("main", LEARNED), ("still", OLD)):
            commit_day(sig, DayCommit(branch, day, "active_priors", "x", 1, "y"))
        for day in (OLD, "2025-06-01", NEW):
            scored(sig, "main", day)
        scored(sig, "still", "2025-06-02")
        scored(sig, "new", "2025-09-09")
        logged(sig, "long ago", OLD)
        logged(sig, "goes on", OLD)
        sig.execute("INSERT INTO live_log VALUES ('goes on', 2, %s, 'stop', '{}')", [day_start_ms(NEW)])
        logged(sig, "of today", OLD, replayed=True, began="2126-01-01")
        for day in (OLD, NEW):
            sig.execute("INSERT INTO stage_costs VALUES ('main', %s, 's', 1, 1)", [day])
            trial = ["main", "book", day_start_ms(day), day_start_ms(day)]
            dm.execute("INSERT INTO dm_policy_trials VALUES (%s, %s, %s, %s, '{}')", trial)
            plan = "INSERT INTO tr_plans VALUES (%s, 'main', '', '', 'book', 'BTC', '', 'done', %s, '{}', '{}', '{}')"
            tr.execute(plan, [day, day_start_ms(day)])
            tr.execute("INSERT INTO tr_trigger_events VALUES (%s, 1, 'armed', %s, '{}')", [day, day_start_ms(day)])
    return databases


def standing(databases: Databases) -> dict[str, list[Any]]:
    """Return every row of the tables that retention touches."""
    found = {}
    for database, tables in TABLES.items():
        with databases.owner(database) as c:
            for table in tables:
                text = psycopg.sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(psycopg.sql.Identifier(table))
                found[table] = c.execute(text).fetchall()
    return found


def go(databases: Databases, keep_days: int = 200, now_s: float = NOW_S) -> RowsGone:
    """Let go as the nightly run does."""
    return let_rows_go(databases, keep_days, now_s, "tape.live", "main")


def test_old_rows_go_and_what_a_branch_needs_stays(aged: Databases) -> None:
    whole = standing(aged)
    assert go(aged, 0) == RowsGone()
    assert go(aged, 5000) == RowsGone()
    assert standing(aged) == whole
    done = go(aged)
    assert {"signal_eval_2025_03", "signal_eval_horizons_2025_03", "signal_events_2025_03"} <= set(done.months)
    assert not [month for month in done.months if month.endswith(("2025_06", "2025_09", "2026_06"))]
    assert done.rows == {
        "live_fills": 1, "live_orders": 1, "live_signals": 1, "live_events": 1, "live_log": 1,
        "stage_costs": 1, "dm_policy_trials": 1, "tr_trigger_events": 1,
    }  # fmt: skip
    with aged.connect("sig") as sig:
        left = sig.execute("SELECT DISTINCT branch, day FROM signal_events ORDER BY 1, 2").fetchall()
        assert left == [("main", "2025-06-01"), ("main", NEW), ("new", "2025-09-09"), ("still", "2025-06-02")]
        runs = sig.execute("SELECT DISTINCT run_id FROM live_events ORDER BY 1").fetchall()
        assert runs == [("goes on",), ("of today",)]
        assert retention.forgotten_day(sig, "main") == "2025-12-12"
        assert retention.forgotten_day(sig, "still") == ""
        scored(sig, "main", OLD)  # a rerun of an old day has its month again
    assert not go(aged).rows


def test_a_clock_that_is_wrong_takes_no_more(aged: Databases) -> None:
    go(aged, now_s=NOW_S + 1e9)
    with aged.connect("sig") as sig:
        assert retention.forgotten_day(sig, "main") == "2025-12-12"  # by the last learned day
    whole = standing(aged)
    assert go(aged, now_s=0.0) == RowsGone()
    assert standing(aged) == whole


def test_a_reader_gets_its_data_and_the_month_waits(aged: Databases) -> None:
    with aged.connect("sig") as reader:
        reader.execute("DECLARE slow CURSOR FOR SELECT event_id FROM signal_events WHERE day = '2025-03-05' ORDER BY 1")
        first = reader.execute("FETCH 1 FROM slow").fetchall()
        done = go(aged)
        assert "signal_events_2025_03" in done.busy
        assert "signal_eval_2025_03" in done.months
        assert len(first + reader.execute("FETCH ALL FROM slow").fetchall()) == 3
    assert "signal_events_2025_03" in go(aged).months


@pytest.mark.kill("the purge is cut off before each of its statements")
def test_cut_off_before_any_statement_and_run_again_ends_the_same(aged: Databases, monkeypatch: Any) -> None:
    assert cut_everywhere(monkeypatch, lambda: go(aged)) > 20
    whole = standing(aged)
    assert go(aged) == RowsGone()
    assert standing(aged) == whole
    assert len(whole["live_events"]) == 2
    assert whole["forgotten_days"] == [("(main,2025-12-12)",)]


def test_a_day_whose_outside_rows_went_is_not_learned_again(ctx: StageContext, days: list[str]) -> None:
    retention.forget_until(ctx.sig, ctx.branch, days[1])
    stage = replace(
        LEARNING_STAGES[0], inputs=lambda ctx, day: {}, present=None, make=lambda ctx, day: Made(1, "a" * 32)
    )
    with pytest.raises(BeliefError, match=f"{stage.name}.{days[0]}. cannot be made again.*after it"):
        run_stage(ctx, stage, days[0])
    commit_day(ctx.sig, DayCommit(ctx.branch, days[0], stage.name, "b", 1, inputs_hash_of(ctx, stage, days[0]), NOTES))
    assert run_stage(ctx, stage, days[0]).reused  # what stands, stands
    assert run_stage(ctx, stage, days[1]).content_hash == "a" * 32
    with pytest.raises(LedgerError, match=f"rows of {ctx.branch} until {days[0]} are not there"):
        outside_rows.carry_outside(ctx.databases, ctx.databases, ctx.branch, "", days[0])
