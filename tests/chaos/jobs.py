"""What the children do: a backfill, a replay by the daemon, and the inspection of a home afterwards.

Each wraps the functions it passes through, so that a mark says in which step a kill hit; nothing else is changed.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import small_world
from acts import barred_of, say
from children import Marks
from small_world import DAYS, settings_of

import lotus.weave.night as weave_module
import lotus_assets.backfill as backfill_module
import lotus_assets.days_ahead as reading_ahead_module
import lotus_assets.learning_lane as lane_module
import lotus_assets.stages.learning.braids as braids_module
import lotus_assets.stages.tape.reading as reading_module
import lotus_assets.tape_assets as tape_module
import lotus_live.live as live_module
import lotus_live.reports.event_log as event_log_module
import lotus_store.databases as databases_module
import lotus_store.files as files_module
import lotus_store.tape.writer as writer_module
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.priors.types import IDENTITY, Literal, Patch, Rule
from lotus.weave.braid import Braid, Quality
from lotus.weave.night import BraidEvent
from lotus.weave.trust import begin
from lotus_assets.stages.context import Made, Stage, StageContext, StageResult
from lotus_assets.stages.learning.day_sums import StoredSource
from lotus_assets.stages.runner import run_stage
from lotus_live.daemon import Daemon
from lotus_live.line_taker import LineTaker
from lotus_live.parity import events_hash
from lotus_live.reports.event_log import EventLog
from lotus_resources.provision import provision
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.braids import write_night
from lotus_venues.replay_server import ReplayPlan


def run_backfill(
    home: Path, marks: Marks, first: str = DAYS[0], last: str = DAYS[-1], reader: bool = False
) -> dict[str, Any]:
    """Run the backfill of some days, with `reader` as if they were large: a process of its own reads their tape."""
    _mark_store(marks)
    if reader:
        reading_ahead_module.OWN_BYTES = 0
        _before(reading_ahead_module._Reading, "begins", marks, "a stage of the reader")
    _before(backfill_module, "provision", marks, "Dagster's tables")
    _before(backfill_module, "build_definitions", marks, "between stages")
    _before(StoredSource, "_sums", marks, "lessons: sums of a day")
    _before(weave_module, "watch_over", marks, "braids: watchdog")
    _before(braids_module, "write_trust", marks, "braids: trust rows")
    for module in (reading_module, lane_module, tape_module):
        vars(module)["run_stage"] = lambda ctx, stage, day: _marked_stage(marks, ctx, stage, day)
    summary = backfill_module.backfill(settings_of(home), first, last)
    marks.mark("leaving")
    return {"hashes": summary.hashes, "priors_ver": summary.priors_ver}


def run_to_a_level(home: Path, marks: Marks) -> None:
    """Make a home whose last night will change a level: a board with a planted braid, trusted beyond what it shows.

    It is put on the board after the first day with level 3 and days that pay as often as not, so every later night
    takes a level; the last day runs on its gate.
    """
    run_backfill(home, marks, last=DAYS[0])
    settings = settings_of(home)
    trust = replace(begin(50.0, DAYS[0]), level=3, recent=(900.0, -900.0) * 10, changed_on=DAYS[0])
    own = Braid(
        braid_id="planted", branch=settings.branch, braid_type="micro", detector_id="imbalance_persistence",
        horizon_s=30, rule=Rule.of(Literal(0, 0, 3)), sign=1, lesson_id="planted", grade="B", claim_bps=5.0,
        lcb_bps=2.0, ci95=(1.0, 9.0), support=100, quality=Quality(0.5, 0.0, 0.1, 0.1), target=Patch(-0.06, 1.03),
        patch=IDENTITY, delta_wanted=0.2, delta_realised=(0.0, 0.0, 0.0), state="proposed", reason="planted",
        effective_from_ms=0, expires_at_ms=2**52, members_sample=(), trust=trust,
    )  # fmt: skip
    with Databases(settings) as databases, databases.connect("sig") as connection:
        event = BraidEvent("planted", "none", "proposed", "planted", "", "")
        write_night(connection, settings.branch, DAYS[0], [own], [event])
    run_backfill(home, marks, first=DAYS[1], last=DAYS[-2])


def levels_of(home: Path) -> dict[str, Any]:
    """Return levels of the planted braid, night by night, and how many events of the last day were scored on a gate."""
    settings = settings_of(home)
    with Databases(settings) as databases, databases.connect("sig") as connection:
        rows = connection.execute("SELECT level FROM braid_trust WHERE braid_id = 'planted' ORDER BY day").fetchall()
    events = Lake(settings.lake_root).read("signal_events", settings.branch, DAYS[-1])
    return {"levels": [int(str(row[0])) for row in rows], "gated": int(np.count_nonzero(events["gate"]))}


def acted_of(home: Path) -> dict[str, Any]:
    """Return what acts did day by day, and the hash of the last day as batch scored it."""
    settings = settings_of(home)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        found = barred_of(Lake(settings.lake_root), sig)
    events = Lake(settings.lake_root).read("signal_events", settings.branch, DAYS[-1], spec=SIGNAL_EVENTS)
    return {"acted": found, "hash": events_hash(events)}


def open_home(home: Path) -> None:
    """Make the databases of a home and Dagster's tables, as the first command in it does."""
    settings = settings_of(home)
    with Databases(settings) as databases:
        provision(settings, databases.open())


def run_replay(home: Path, marks: Marks, recording: list[Path], speed: float, run_id: str) -> dict[str, Any]:
    """Run the daemon on a recording; return the hash of its events and its paper result."""
    _mark_store(marks)
    _before(live_module, "warm_up", marks, "warm up")
    _before(LineTaker, "restore", marks, "rebuild from tape")
    _before(Daemon, "run", marks, "replay")
    _before(Daemon, "close", marks, "closing")
    _around(EventLog, "_write", marks, "ledger write", "replay")
    _around(event_log_module, "write_mark", marks, "mark file", "replay")
    _before(writer_module, "publish", marks, "closing a segment")
    result = live_module.run_live(settings_of(home), recording, plan=ReplayPlan(speed=speed), run_id=run_id)
    marks.mark("leaving")
    kept = {name: result.status[name] for name in ("windows", "events", "published", "frames", "gaps", "paper")}
    return {"hash": result.events_hash, "status": kept, "rebuilt": result.status["rebuilt"]}


def _mark_store(marks: Marks) -> None:
    _before(databases_module, "embedded", marks, "starting the server")
    _before(databases_module, "migrate", marks, "migrations")
    _before(files_module, "make_folder", marks, "writing a file")


def _marked_stage(marks: Marks, ctx: StageContext, stage: Stage, day: str) -> StageResult:
    def make(ctx: StageContext, day: str) -> Made:
        marks.mark(f"{stage.name}: make")
        made = stage.make(ctx, day)
        marks.mark(f"{stage.name}: commit")
        return made

    def finish(ctx: StageContext, day: str) -> None:
        marks.mark(f"{stage.name}: hand over")
        if stage.finish is not None:
            stage.finish(ctx, day)

    marked = replace(stage, make=make, finish=finish if stage.finish is not None else None)
    marks.mark(f"{stage.name}: look")
    if small_world.IS_ACTED and stage.name == "signal_events":
        say(ctx.sig)
    result = run_stage(ctx, marked, day)
    marks.mark("between stages")
    return result


def _before(owner: Any, name: str, marks: Marks, label: str) -> None:
    _wrap(owner, name, lambda: marks.mark(label), lambda: None)


def _around(owner: Any, name: str, marks: Marks, label: str, after: str) -> None:
    _wrap(owner, name, lambda: marks.mark(label), lambda: marks.mark(after))


def _wrap(owner: Any, name: str, before: Callable[[], None], after: Callable[[], None]) -> None:
    wrapped = getattr(owner, name)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        before()
        try:
            return wrapped(*args, **kwargs)
        finally:
            after()

    setattr(owner, name, wrapper)
