"""The trader's lane on real databases: trials in its plans become a knob in force, whatever is killed or repeated."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lotus.knobs.experiment import drawn_experiment
from lotus.knobs.rows import Observation
from lotus.manifest import LearningDefaults, Manifest
from lotus.modules.intents import Module
from lotus.timebase import DAY_MS, HOUR_MS, day_start_ms, next_day
from lotus.weave.review import ReviewAct
from lotus_assets.bodies import stage_context
from lotus_assets.stages.context import StageContext, StageResult
from lotus_assets.stages.modules import tr_knobs
from lotus_assets.stages.modules.knob_lane import EFFECT, KnobLane
from lotus_assets.stages.runner import run_stage
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_modules.handlers import SLOW
from lotus_modules.knobs import KnobChooser
from lotus_modules.priors.rollback import submit
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.knob_nights import read_lessons, read_records, read_registry
from lotus_store.ledger.beliefs.priors import in_force_at, swaps
from lotus_store.ledger.beliefs.reviews import ReviewRow, read_outcomes, review_rows, waiting_reviews
from lotus_store.ledger.day_commits import DayCommit, commit_day

FIRST = "2026-01-01"
KEY, OWNER = "execution:retry", "execution.retry"
NAMES = ("tr_trials", "tr_lessons", "tr_braids")


def trials(day: str, bps: float, n: int = 400) -> list[Observation]:
    """Plans that tried one knob: a higher one earns `bps` more where the volatility is high."""
    rng, out = np.random.default_rng(int(day.replace("-", ""))), []
    for i in range(n):
        at_ms = day_start_ms(day) + int(rng.integers(DAY_MS))
        trial = drawn_experiment(f"{day} {i}", at_ms, [KEY], 1.0, 1.06, 7)
        assert trial is not None
        bins = rng.integers(0, [5, 3, 5, 5, 5, 5, 5, 5, 5, 4, 5, 5])
        outcome = -3.0 + 2.0 * rng.standard_t(4) + bps * trial.arm * (bins[0] >= 3)
        text = "".join(map(str, bins))
        out.append(Observation(f"{day} {i}", OWNER, "BTC", 1, at_ms, text, trial.arm, 0.5, float(outcome), "venue"))
    return out


class World:
    """What a day shows, by day; nothing on a day that is not there."""

    def __init__(self) -> None:
        self.by_day: dict[str, list[Observation]] = {}

    def observed(self, _ctx: StageContext, day: str) -> Sequence[Observation]:
        return self.by_day.get(day, [])


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def lane(world: World) -> KnobLane:
    return replace(tr_knobs.LANE, observed=world.observed)


@pytest.fixture
def ctx(settings: Settings) -> Iterator[StageContext]:
    learning = LearningDefaults(knob_alpha=0.05, knob_draws=400)
    opened = Lotus.open(replace(settings, manifest=replace(Manifest(), learning=learning)))
    with stage_context(opened) as made:
        yield made
    opened.close()


def run(ctx: StageContext, lane: KnobLane, day: str) -> list[StageResult]:
    return [run_stage(ctx, stage, day) for stage in lane.stages()]


def close(ctx: StageContext, day: str) -> None:
    """The detectors' part of the night, after which the next day may begin."""
    commit_day(ctx.sig, DayCommit(ctx.branch, day, "active_priors", "x", 0, "x", {"notes": {"priors_ver": ""}}))


def told(databases: Databases) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that the trader keeps and said."""
    queries = {
        "lessons": "SELECT day, lesson_id, body FROM tr_lessons ORDER BY 1, 2",
        "records": "SELECT day, kind, name, body FROM tr_experiments ORDER BY 1, 2, 3",
        "history": "SELECT day, braid_id, ordinal, new_state FROM tr_braid_history ORDER BY 1, 2, 3",
        "priors": "SELECT priors_ver, day, parent_priors_ver FROM tr_priors ORDER BY 2",
        "in_force": "SELECT effective_from_ms, priors_ver, event_id FROM tr_priors_in_force ORDER BY 1",
        "outbox": "SELECT seq, event_id, intent, outcome FROM tr_outbox ORDER BY 1",
    }
    with databases.connect("tr") as c:
        return {name: c.execute(text).fetchall() for name, text in queries.items()}


@pytest.mark.process("sixteen nights of a lane, some of them forced")
def test_trials_become_a_knob_in_force_and_end_when_nobody_tries_any_more(
    ctx: StageContext, lane: KnobLane, world: World
) -> None:
    day, keys = FIRST, Keys(ctx.settings.keys_root)
    for number in range(13):
        world.by_day[day] = trials(day, 3.0)
        results = run(ctx, lane, day)
        assert [(r.stage, r.failed_checks) for r in results] == [(name, ()) for name in NAMES]
        held = told(ctx.databases)
        run(ctx, lane, day)
        if number >= 10:  # when there is something to say
            kept = ctx.settings.home / "learner_state" / "tr"
            assert len(list(kept.glob("branch=*/day=*/*.sums"))) == number + 1, "of each day"
            shutil.rmtree(kept)
            run(replace(ctx, force=True), lane, day)
        assert told(ctx.databases) == held, "computed again, it says the same and says it once"
        close(ctx, day)
        day = next_day(day)
    hot, calm = "4" + 11 * "1", "0" + 11 * "1"
    at_ms = day_start_ms(day) + 3 * HOUR_MS
    with ctx.databases.connect("tr") as tr:
        (braid,) = [b for b in read_registry(tr, "tr", "main") if b.in_force]
        chosen = {text: KnobChooser().choice(tr, "main", text, at_ms) for text in (hot, calm)}
        assert braid.lesson_id in {x.lesson_id for d in world.by_day for x in read_lessons(tr, "tr", "main", d)}
        effects = read_records(tr, "tr", "main", next_day(day, -1), EFFECT)
    assert (braid.detector_id, braid.scope, braid.grade) == (OWNER, "tr", "A")
    assert chosen[hot].moved == {KEY: braid.patch.knob(KEY)}
    assert 1.0 < braid.patch.knob(KEY) <= ctx.manifest.weave.phi_step
    assert chosen[calm].moved == {}
    assert effects[OWNER]["plans"] == 13 * 400
    with ctx.databases.connect("tr") as tr:
        lessons = tr.execute("SELECT count(*) FROM tr_outbox WHERE intent = 'LESSON_PUBLISHED'").fetchall()[0][0]
    assert lessons >= 1
    carry(ctx.databases, "main")
    for module in (Module.SIG, Module.DM):
        assert consume(ctx.databases, module, SLOW[module], keys, 0, "main") == {"applied": lessons}
    for _ in range(ctx.manifest.weave.dry_days):
        run(ctx, lane, day)
        close(ctx, day)
        day = next_day(day)
    with ctx.databases.connect("tr") as tr:
        assert in_force_at(tr, "main", day_start_ms(day) + 3 * HOUR_MS, "tr").braids == ()
        alerts = tr.execute("SELECT envelope FROM tr_outbox WHERE intent = 'WATCHDOG_ALERT'").fetchall()
    assert len(alerts) == 1
    assert '"kind":"dry"' in str(alerts[0][0])


@pytest.mark.process("a dozen nights of a lane, each ended four times")
def test_a_night_that_is_killed_between_commit_and_patch_is_finished_by_the_next_run(
    ctx: StageContext, lane: KnobLane, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lotus_assets.stages.modules.knob_lane as module

    day = FIRST
    for number in range(13):
        world.by_day[day] = trials(day, 3.0)
        for name in ("write_records", "write_registry", "propose", "hand_over") if number >= 9 else ():
            with monkeypatch.context() as patch:
                patch.setattr(module, name, _killed)
                with suppress(KeyboardInterrupt):
                    run(ctx, lane, day)
        run(ctx, lane, day)
        close(ctx, day)
        day = next_day(day)
    with ctx.databases.connect("tr") as tr:
        (braid,) = [b for b in read_registry(tr, "tr", "main") if b.in_force]
        found = in_force_at(tr, "main", day_start_ms(day) + 3 * HOUR_MS, "tr")
    assert found.braids == (braid.active(),)
    a_person_takes_it_back(ctx, lane, braid.braid_id, day, monkeypatch)


def a_person_takes_it_back(
    ctx: StageContext, lane: KnobLane, braid_id: str, day: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rejection is a row with its author's confidence; the next night ends the braid once, whatever is killed."""
    import lotus_assets.stages.modules.knob_lane as module

    act = ReviewAct("", "main", "", "reject", braid_id, "ann", "implausible")
    said = submit(ctx.databases, act, Keys(ctx.settings.keys_root), Module.TR, 0.8)
    assert submit(ctx.databases, act, Keys(ctx.settings.keys_root), Module.TR, 0.8) == said
    with ctx.databases.connect("tr") as tr:
        assert review_rows(tr, "main", module="tr") == (ReviewRow(said, 0.8),)
    for name in ("write_records", "write_registry", "propose", "hand_over"):
        with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
            patch.setattr(module, name, _killed)
            run(ctx, lane, day)
    run(ctx, lane, day)
    close(ctx, day)
    with ctx.databases.connect("tr") as tr:
        assert in_force_at(tr, "main", day_start_ms(next_day(day)) + 3 * HOUR_MS, "tr").braids == ()
        (done,) = read_outcomes(tr, "main", "tr")
        assert (done.act, done.accepted, done.text) == (said, True, "rejected by ann: implausible")
        assert waiting_reviews(tr, "main", next_day(day), "tr") == ()
        assert waiting_reviews(tr, "main", day, "tr") == (said,), "its night made again takes it up again"


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_without_trials_nothing_is_kept_or_said(ctx: StageContext, lane: KnobLane, databases: Databases) -> None:
    day = FIRST
    for _ in range(3):
        results = run(ctx, lane, day)
        assert [r.rows for r in results] == [0, 0, 0]
        close(ctx, day)
        day = next_day(day)
    assert all(rows == [] for rows in told(databases).values())
    with databases.connect("tr") as tr:
        assert swaps(tr, "main", "tr") == []
