"""The night's acts: decided once, in force two days later, waited for, put off when late, none without a cause."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.curation.curator_value import CURATOR_VALUE, kpis
from lotus.curation.feed_health import FEED_HEALTH
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.signal_spec import ACTS, COMPLIANCE, SIGNAL_EVENTS
from lotus.errors import BeliefError
from lotus.governance import explorer
from lotus.governance.exploration_day import EXPLORATION_PLAN
from lotus.monitoring.drift_table import DRIFT_REPORT
from lotus.timebase import next_day
from lotus_assets.backfill import backfill
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.governance import governance_acts
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import signal_events
from lotus_store.day_tables import tables_of_day
from lotus_store.ledger.beliefs.acts import acts_of_night, acts_on
from lotus_store.ledger.day_commits import committed_days
from lotus_store.ledger.signals.live_log import Run, append_events, begin_run
from lotus_store.settings.sections import CurationSettings, GovernanceSettings

from ..stage_runs import run

pytestmark = [pytest.mark.warm("first_day"), pytest.mark.process("whole days through their stages")]
BEFORE = LEARNING_STAGES[: LEARNING_STAGES.index(governance_acts.STAGE)]


def forbidding(ctx: StageContext, *targets: str) -> StageContext:
    """The context under a rule of compliance."""
    return replace(ctx, settings=replace(ctx.settings, curation=CurationSettings(forbidden=targets)))


def logged_first_day(ctx: StageContext, day: str) -> None:
    """Log the events of a day as a daemon would have."""
    events = ctx.lake.read("signal_events", ctx.branch, day, spec=SIGNAL_EVENTS)
    begin_run(ctx.sig, Run("run", ctx.branch, ctx.settings.tape, False))
    with ctx.sig.transaction():
        append_events(ctx.sig, "run", events | {"source": np.full(len(events["s"]), "live", dtype=object)})


def test_an_honest_night_acts_on_nothing_and_changes_nothing(ctx: StageContext, days: list[str]) -> None:
    commit = run_stage(ctx, governance_acts.STAGE, days[0])
    assert (commit.rows, commit.notes["acts"]) == (0, 0)
    assert [check.name for check in commit.checks if check.passed] == ["schema", "lawful"]
    assert ctx.lake.read(FEED_HEALTH.name, ctx.branch, days[0])["asset"].size > 50
    by_rule = replace(ctx, settings=replace(ctx.settings, curation=CurationSettings(False, ("@BTC",))))
    assert run_stage(by_rule, governance_acts.STAGE, days[0]).notes["acts"] == 1


def test_what_is_forbidden_is_silent_from_the_second_day_on(ctx: StageContext, days: list[str]) -> None:
    name = shipped_detectors()[0].detector_id
    under = forbidding(ctx, f"{name}@BTC", "@nosuch")
    first = run(under, (*TAPE_STAGES, *LEARNING_STAGES), days)
    acts = acts_on(ctx.sig, ctx.branch, days[2])
    assert [(act.actor, act.target, act.day) for act in acts] == [("curator:compliance", f"{name}@BTC", days[0])]
    assert not acts_on(ctx.sig, ctx.branch, days[1])
    for day in days:
        events = ctx.lake.read("signal_events", ctx.branch, day, spec=SIGNAL_EVENTS)
        barred = (events["detector_id"] == name) & (events["asset"] == "BTC") & (day == days[2])
        np.testing.assert_array_equal(events["veto"] & ACTS, np.where(barred, COMPLIANCE, 0))
        assert not events["published"][barred].any()
    (row,) = kpis([ctx.lake.read(CURATOR_VALUE.name, ctx.branch, day) for day in days])
    assert (row.actor, row.nudged) == ("curator:compliance", 0)
    assert row.vetoed == row.alone > 0
    assert row.regret_bps is not None
    assert tables_of_day(ctx.lake, ctx.branch, days[2]).curator_veto[0][0] == COMPLIANCE
    again = run(replace(under, force=True), LEARNING_STAGES, days)
    assert again == {key: first[key] for key in again}
    assert len(acts_of_night(ctx.sig, ctx.branch, days[0])) == 1
    result = run_stage(under, governance_acts.STAGE, days[0])
    (lawful,) = [check for check in result.checks if check.name == "lawful"]
    assert not lawful.passed
    assert "curation.forbidden names '@nosuch'" in lawful.text
    freed = run_stage(ctx, governance_acts.STAGE, days[0])
    assert (freed.notes["acts"], acts_on(ctx.sig, ctx.branch, days[2])) == (0, []), "decided again, it is lifted"


def test_a_day_waits_for_the_acts_of_the_day_before(ctx: StageContext, days: list[str]) -> None:
    """The night of the second day was killed between its beliefs and its acts."""
    run(ctx, (*TAPE_STAGES, *BEFORE), days[1:2])
    run(ctx, TAPE_STAGES, days[2:])
    run_stage(ctx, LEARNING_STAGES[0], days[2])
    with pytest.raises(BeliefError, match=rf"governance_acts\[{days[1]}\] is not committed"):
        run_stage(ctx, signal_events.STAGE, days[2])
    run_stage(ctx, governance_acts.STAGE, days[1])
    assert not run_stage(ctx, signal_events.STAGE, days[2]).failed_checks


def test_a_late_night_acts_from_the_first_free_day_on(ctx: StageContext, days: list[str]) -> None:
    under = forbidding(ctx, "@BTC")
    logged_first_day(ctx, days[0])
    shift = "UPDATE live_events SET window_end_ms = window_end_ms + 5 * 86400000::bigint"
    ctx.sig.execute(shift)
    result = run_stage(under, governance_acts.STAGE, days[0])
    (act,) = acts_of_night(ctx.sig, ctx.branch, days[0])
    assert result.notes["in_force_on"] == act.from_day > next_day(days[0], 4)


def test_an_alarm_of_the_monitors_costs_the_readers_of_its_series_the_nudge(ctx: StageContext, days: list[str]) -> None:
    rows = ctx.lake.read(DRIFT_REPORT.name, ctx.branch, days[0])
    rows["is_named"] = (rows["family"] == "data") & (rows["series"] == "imb_5")
    assert rows["is_named"].any()
    ctx.lake.write(DRIFT_REPORT, ctx.branch, days[0], rows)
    run_stage(replace(ctx, force=True), governance_acts.STAGE, days[0])
    (act,) = acts_on(ctx.sig, ctx.branch, next_day(days[0], 2))
    wanted = ("curator:data", "nudge", "imbalance_persistence", -0.15, "alarm on imb_5")
    assert (act.actor, act.kind, act.target, act.value, act.reason) == wanted


def test_dagster_runs_the_acts_of_every_day(ctx: StageContext, days: list[str]) -> None:
    summary = backfill(ctx.settings, days[0], days[1])
    assert [summary.notes(day, "governance_acts")["acts"] for day in days[:2]] == [0, 0]
    assert committed_days(ctx.sig, ctx.branch, "governance_acts") == days[:2]


def test_the_explorer_says_floors_that_the_second_day_is_drawn_at(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer, "MIN_DAYS", 1)
    monkeypatch.setattr(explorer, "budget_of", lambda gross, hbar: 1e9)
    off = run_stage(ctx, governance_acts.STAGE, days[0])
    on = replace(ctx, settings=replace(ctx.settings, governance=GovernanceSettings(True)))
    first = run_stage(on, governance_acts.STAGE, days[0])
    assert off.content_hash != first.content_hash
    rows = ctx.lake.read(EXPLORATION_PLAN.name, ctx.branch, days[0])
    assert rows["windows"].sum() > 0.0
    assert set(rows["epsilon"]) <= {0.02, 0.03}
    assert run_stage(replace(on, force=True), governance_acts.STAGE, days[0]).content_hash == first.content_hash
    acts = [act for act in acts_on(ctx.sig, ctx.branch, next_day(days[0], 2)) if act.actor == "explorer"]
    assert len(acts) == first.notes["acts"] == int((rows["epsilon"] > 0.02).sum())
    assert run_stage(replace(ctx, force=True), governance_acts.STAGE, days[0]).notes["acts"] == 0
