"""What audits and cards of a day found decides about the days after it, in batch and live: vetoes, and the floor."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from lotus.detectors.audits.sample import forward_returns
from lotus.detectors.audits.table import audit_table
from lotus.detectors.cards.card_table import DETECTOR_CARDS
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.signal_facts import facts_of, spec_of
from lotus.detectors.scoring.signal_spec import LEAKAGE, SIGNAL_EVENTS, STAGE
from lotus.detectors.settled import DetectorSet
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.builder import WindowBatch, build_windows
from lotus.detectors.windows.row_spec import F_SIGNAL, W_ASSET, W_END
from lotus.experts.fusion import default_experts
from lotus.experts.machine import AnnotationBatch
from lotus.manifest import Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.experts import expert_set
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import detector_audits, signal_events
from lotus_live.live import run_live
from lotus_live.pipeline.beliefs import LedgerBeliefs, read_tables
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_resources.lotus_resource import Lotus
from lotus_store.day_tables import tables_of_day
from lotus_store.facts.event import event_tables, explained
from lotus_store.ledger.beliefs.detector_sets import put_detector_set
from lotus_store.ledger.beliefs.priors import read_version

pytestmark = [pytest.mark.warm("taped"), pytest.mark.process("whole days through their stages")]

AT = 2
DETECTORS = shipped_detectors()
LEAKY = DETECTORS[AT].detector_id
BRED_NAME = "bred_0123456789ab"
BRED_TEXT = f"""
detector_id: {BRED_NAME}
family: {BRED_NAME}
version: 1
status: experimental
idea: A column of the windows.
horizon: 30s
band: 20s..160s
best_phase_deg: 270
signal: flow * 1.0
"""


def leaking(
    frames: FrameBatch, annotations: AnnotationBatch, manifest: Manifest, detectors: Sequence[DetectorSpec]
) -> WindowBatch:
    """Windows in which the signal of one detector is the return of the next half minute."""
    windows = build_windows(frames, annotations, manifest, detectors)
    end = windows.ints[:, W_END]
    ahead = forward_returns(frames, windows.ints[:, W_ASSET], end, end + 30_000)
    windows.floats[:, F_SIGNAL + AT] = np.clip(np.where(np.isfinite(ahead), ahead, 0.0) / 20.0, -1.0, 1.0)
    return windows


def run_day(ctx: StageContext, day: str) -> None:
    """Run all stages of a day."""
    for stage in (*TAPE_STAGES[:3], *LEARNING_STAGES):
        assert not run_stage(ctx, stage, day).failed_checks


def events_of(ctx: StageContext, day: str) -> Mapping[str, np.ndarray]:
    """Return the day's events and which are the leaking detector's, as column `leaky`."""
    events = ctx.lake.read("signal_events", ctx.branch, day, spec=SIGNAL_EVENTS)
    return {**events, "leaky": events["detector_id"] == LEAKY}


def beliefs_of(ctx: StageContext) -> LedgerBeliefs:
    """Return what a daemon that starts now believes."""
    spec = LaneSpec(ctx.manifest, ctx.manifest.universe, DETECTORS, ctx.branch)
    beliefs = LedgerBeliefs(spec)
    beliefs.by_day = read_tables(ctx.lake, beliefs)
    return beliefs


def test_a_leak_is_vetoed_from_the_next_day_on_until_an_audit_passes(
    ctx: StageContext, lotus: Lotus, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as leak:
        leak.setattr(detector_audits, "build_windows", leaking)
        run_day(ctx, days[0])
    first = events_of(ctx, days[0])
    assert tables_of_day(ctx.lake, ctx.branch, days[0]).leakage_veto == ()
    assert first["published"][first["leaky"]].any()

    pieces = [ctx.tape.folder / meta.day / meta.name for meta in ctx.tape.segments(days[1])]
    live = run_live(ctx.settings, pieces, run_id="day", databases=lotus.databases)
    ctx.sig.execute("UPDATE live_runs SET replayed = false")
    for stage in (*TAPE_STAGES[:3], expert_set.STAGE):
        run_stage(ctx, stage, days[1])
    result = run_stage(ctx, signal_events.STAGE, days[1])
    (parity,) = [check for check in result.checks if check.name == "live_parity"]
    assert parity.passed, parity.text
    assert parity.numbers["equal"] == len(live.events["s"]) > 0
    second, tables = events_of(ctx, days[1]), tables_of_day(ctx.lake, ctx.branch, days[1])
    assert tables.leakage_veto == tuple(d.detector_id == LEAKY for d in DETECTORS)
    assert all(0.0 < share < 1.0 for share in tables.adv_fragility)
    for events in (live.events, second):
        leaky = events["detector_id"] == LEAKY
        np.testing.assert_array_equal((events["veto"] & LEAKAGE) != 0, leaky)
        assert not events["published"][leaky].any()
        assert not events["pi"][leaky].any()
        assert events["published"][~leaky].any()
    assert_told(ctx, second, days[1])

    for stage in LEARNING_STAGES[2:]:
        assert not run_stage(ctx, stage, days[1]).failed_checks
    cards = ctx.lake.read("detector_cards", ctx.branch, days[1])["card"].tolist()
    assert ["| leakage |" in card for card in cards] == [name == LEAKY for name in sorted(tables.detector_ids)]
    assert not any(beliefs_of(ctx).tables(days[2]).leakage_veto)
    assert any(beliefs_of(ctx).tables(days[1]).leakage_veto)
    for stage in (*TAPE_STAGES[:3], *LEARNING_STAGES[:2]):
        assert not run_stage(ctx, stage, days[2]).failed_checks
    third = events_of(ctx, days[2])
    assert tables_of_day(ctx.lake, ctx.branch, days[2]).leakage_veto == (False,) * len(DETECTORS)
    assert not (third["veto"] & LEAKAGE).any()
    assert third["published"][third["leaky"]].any()


def test_stages_of_life_gate_the_day_after_live_as_in_batch(ctx: StageContext, lotus: Lotus, days: list[str]) -> None:
    run_day(ctx, days[0])
    assert tables_of_day(ctx.lake, ctx.branch, days[0]).stage_gate == ()
    assert beliefs_of(ctx).by_day[days[0]].is_final
    cards = ctx.lake.read(DETECTOR_CARDS.name, ctx.branch, days[0])
    gone, poor = AT, AT + 1
    cards["stage"][gone], cards["sq_score"][poor] = "deprecated", 0.1
    ctx.lake.write(DETECTOR_CARDS, ctx.branch, days[0], cards)
    gates = tuple({gone: "closed", poor: "floor"}.get(k, "") for k in range(len(DETECTORS)))
    assert beliefs_of(ctx).tables(days[1]).stage_gate == gates

    pieces = [ctx.tape.folder / meta.day / meta.name for meta in ctx.tape.segments(days[1])]
    live = run_live(ctx.settings, pieces, run_id="day", databases=lotus.databases)
    ctx.sig.execute("UPDATE live_runs SET replayed = false")
    for stage in (*TAPE_STAGES[:3], expert_set.STAGE):
        run_stage(ctx, stage, days[1])
    result = run_stage(ctx, signal_events.STAGE, days[1])
    assert not result.failed_checks
    (parity,) = [check for check in result.checks if check.name == "live_parity"]
    assert parity.numbers["equal"] == len(live.events["s"]) > 0
    events, tables = events_of(ctx, days[1]), tables_of_day(ctx.lake, ctx.branch, days[1])
    assert tables.stage_gate == gates
    own = [events["detector_id"] == DETECTORS[k].detector_id for k in (gone, poor)]
    np.testing.assert_array_equal((events["veto"] & STAGE) != 0, own[0])
    assert not events["published"][own[0]].any()
    assert set(events["pi"][own[1]]) == {0.0, ctx.manifest.score.epsilon}


def test_a_settled_detector_is_scored_from_its_day_on_live_as_in_batch_and_goes_again(
    ctx: StageContext, lotus: Lotus, days: list[str]
) -> None:
    sets = [DetectorSet(days[1], days[0], (BRED_TEXT,)), DetectorSet(days[2], days[1], ())]
    put_detector_set(ctx.sig, ctx.branch, sets[0])
    run_day(ctx, days[0])
    pieces = [ctx.tape.folder / meta.day / meta.name for meta in ctx.tape.segments(days[1])]
    live = run_live(ctx.settings, pieces, run_id="day", databases=lotus.databases)
    ctx.sig.execute("UPDATE live_runs SET replayed = false")
    run_day(ctx, days[1])
    put_detector_set(ctx.sig, ctx.branch, sets[1])
    run_day(ctx, days[2])
    assert [BRED_NAME in events_of(ctx, day)["detector_id"] for day in days[:3]] == [False, True, False]
    second = events_of(ctx, days[1])
    own = second["detector_id"] == BRED_NAME
    assert own.sum() == (second["detector_id"] == LEAKY).sum()
    assert (second["s"][own] != 0.0).any()
    assert set(second["pi"][own]) <= {0.0, ctx.manifest.score.epsilon}, "until its cards are good it is at the floor"
    assert set(second["source"]) == {"live"}, "every row has the bits of the daemon's log"
    assert len(second["s"]) == len(live.events["s"])
    cards = ctx.lake.read(DETECTOR_CARDS.name, ctx.branch, days[2])
    assert dict(zip(cards["detector_id"], cards["stage"], strict=True))[BRED_NAME] == "deprecated"
    name = str(second["event_id"][own & (second["s"] != 0.0)][0])
    found = explained(ctx.settings, lotus.databases, name).explanation
    assert found.exact
    assert found.is_floored


def assert_told(ctx: StageContext, events: Mapping[str, np.ndarray], day: str) -> None:
    """A vetoed event's tables are found by name, and its payload names the veto."""
    at = int(np.flatnonzero(events["leaky"] & (events["s"] != 0.0))[0])
    row = {name: events[name][at] for name in SIGNAL_EVENTS.names}
    tables: DayTables = event_tables(ctx.lake, row, day, ctx.manifest, DETECTORS, [])
    assert tables.tables_ver == row["tables_ver"]
    priors = read_version(ctx.sig, ctx.branch, str(row["priors_ver"]))
    facts = facts_of(row, spec_of(row, DETECTORS), ctx.manifest, priors, tables, default_experts().version)
    assert "leakage" in facts.vetoes


def test_a_day_too_short_to_audit_forgives_nobody(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as leak:
        leak.setattr(detector_audits, "build_windows", leaking)
        run_day(ctx, days[0])
    with monkeypatch.context() as short:
        short.setattr(detector_audits, "audit_day", lambda *_: audit_table([], [], DETECTORS))
        run_day(ctx, days[1])
    for stage in (*TAPE_STAGES[:3], *LEARNING_STAGES[:2]):
        run_stage(ctx, stage, days[2])
    assert tables_of_day(ctx.lake, ctx.branch, days[2]).leakage_veto[AT]
    assert beliefs_of(ctx).tables(days[2]).leakage_veto[AT]
