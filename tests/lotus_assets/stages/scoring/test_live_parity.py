"""The daemon's log of a day: equal rows are live, missing ones had no chance, others teach nothing, replays none."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dagster as dg
import numpy as np
import pytest
from numpy.typing import NDArray

from lotus.curation.act import CurationAct
from lotus.curation.asymmetry import weight_acts
from lotus.curation.at_once import VetoAtOnce, VetoList, barred
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.signal_spec import LIVE_DIFFERS, NOT_EMITTED, PERSON, SIGNAL_EVENTS
from lotus.errors import LedgerError
from lotus.priors.types import priors_0
from lotus.timebase import next_day
from lotus_assets.backfill import backfill
from lotus_assets.stages.chain import version_of
from lotus_assets.stages.context import CheckOutcome, StageContext, StageResult
from lotus_assets.stages.learning import active_priors
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import signal_events
from lotus_assets.stages.scoring.live_parity import NO_DAEMON
from lotus_live.live import run_live
from lotus_resources.lotus_resource import Lotus
from lotus_resources.provision import instance, provision
from lotus_store.day_tables import tables_after, tables_of_day
from lotus_store.facts.event import explained
from lotus_store.ledger.beliefs.acts import put_acts
from lotus_store.ledger.beliefs.priors import read_version
from lotus_store.ledger.signals.live_log import Run, append_events, begin_run, daemon_log_version, read_daemon_log
from lotus_store.tape.listed_vetoes import write_veto_lists

pytestmark = [pytest.mark.warm("first_day"), pytest.mark.process("whole days through their stages")]

Columns = dict[str, NDArray[Any]]
WEIGHTS = (1.0, 0.25, 0.0, 0.75, 0.5)


@pytest.fixture
def first(ctx: StageContext, days: list[str]) -> Columns:
    """Events of the first day, committed without a daemon."""
    return events_of(ctx, days[0])


def events_of(ctx: StageContext, day: str) -> Columns:
    """Return the day's events from the lake."""
    return ctx.lake.read("signal_events", ctx.branch, day, spec=SIGNAL_EVENTS)


def log_of(
    ctx: StageContext, events: Columns, rows: Sequence[int] | NDArray[Any], run: str = "run", **kind: Any
) -> None:
    """Log rows of `events` as a run of the daemon would."""
    begin_run(ctx.sig, Run(run, ctx.branch, ctx.settings.tape, kind.get("replayed", False)))
    logged = {name: values[rows] for name, values in events.items()}
    with ctx.sig.transaction():
        append_events(ctx.sig, run, logged | {"source": np.full(len(rows), "live", dtype=object)})


def score(ctx: StageContext, day: str) -> tuple[StageResult, CheckOutcome, Columns]:
    """Score a day; return the result, its comparison with the log and the events."""
    result = run_stage(ctx, signal_events.STAGE, day)
    assert not result.failed_checks
    (parity,) = [check for check in result.checks if check.name == "live_parity"]
    return result, parity, events_of(ctx, day)


def test_without_a_log_nothing_is_compared(ctx: StageContext, first: Columns, days: list[str]) -> None:
    _, parity, _ = score(ctx, days[0])
    assert parity == NO_DAEMON
    assert set(first["source"]) == {"batch"}
    assert daemon_log_version(ctx.sig, ctx.branch, days[0]) == ""


def test_an_equal_log_makes_the_rows_live_and_changes_nothing_else(
    ctx: StageContext, first: Columns, days: list[str]
) -> None:
    log_of(ctx, first, np.arange(len(first["s"])))
    result, parity, events = score(ctx, days[0])
    assert parity.passed
    assert parity.numbers["equal"] == len(first["s"]) > 0
    assert set(events["source"]) == {"live"}
    for name in set(SIGNAL_EVENTS.names) - {"source"}:
        np.testing.assert_array_equal(events[name], first[name])
    again, _, _ = score(ctx, days[0])
    forced, _, _ = score(replace(ctx, force=True), days[0])
    assert result.inputs_hash == again.inputs_hash
    assert result.content_hash == again.content_hash == forced.content_hash


def test_the_log_comes_back_as_it_was_written(ctx: StageContext, first: Columns, days: list[str]) -> None:
    log_of(ctx, first, np.arange(len(first["s"])))
    log = read_daemon_log(ctx.sig, ctx.branch, days[0])
    for name in set(SIGNAL_EVENTS.names) - {"source"}:
        assert log[name].dtype == first[name].dtype
        np.testing.assert_array_equal(log[name], first[name])


def test_windows_never_emitted_had_no_chance(ctx: StageContext, first: Columns, days: list[str]) -> None:
    missing = np.flatnonzero(first["published"])[::2]
    log_of(ctx, first, np.setdiff1d(np.arange(len(first["s"])), missing))
    _, parity, events = score(ctx, days[0])
    assert parity.passed
    assert parity.numbers["not_emitted"] == len(missing) > 0
    assert set(np.flatnonzero(events["source"] == "batch")) == set(missing)
    assert np.all(events["veto"][missing] & NOT_EMITTED != 0)
    assert not events["published"][missing].any()
    assert not events["eligible"][missing].any()
    assert not events["pi"][missing].any()


def test_a_row_that_differs_is_the_daemons_and_teaches_nothing(
    ctx: StageContext, first: Columns, days: list[str]
) -> None:
    scores = ctx.lake.read("payoff_scores", ctx.branch, days[0], columns=("event_id",))
    row = int(np.flatnonzero(np.isin(first["event_id"], scores["event_id"]) & first["published"])[3])
    event = first["event_id"][row]
    doctored = {name: values.copy() for name, values in first.items()}
    doctored["spread_bps"][row] = 77.0
    doctored["close_recv_ns"][row] = 5
    log_of(ctx, doctored, np.arange(len(first["s"])))
    result, parity, events = score(ctx, days[0])
    assert not parity.passed
    assert parity.numbers["different"] == 1
    assert f"close_recv_ns of event {event}: 5 in the log" in parity.text
    assert (events["spread_bps"][row], events["pi"][row], events["eligible"][row]) == (77.0, 0.0, False)
    assert events["veto"][row] & LIVE_DIFFERS
    for stage in LEARNING_STAGES[1:]:
        assert not run_stage(ctx, stage, days[0]).failed_checks
    for name in ("signal_eval", "payoff_scores"):
        kept = ctx.lake.read(name, ctx.branch, days[0], columns=("event_id",))["event_id"]
        assert event not in set(kept)
    left = ctx.lake.read("payoff_scores", ctx.branch, days[0], columns=("event_id",))["event_id"]
    assert set(left) == set(scores["event_id"]) - {event}
    assert score(replace(ctx, force=True), days[0])[0].content_hash == result.content_hash


def test_a_row_that_only_the_log_has_is_kept_and_teaches_nothing(
    ctx: StageContext, first: Columns, days: list[str]
) -> None:
    stranger = {name: values[:1].copy() for name, values in first.items()}
    stranger["asset"][0], stranger["event_id"][0] = "GONE", "0" * 32
    log_of(ctx, first, np.arange(len(first["s"])))
    log_of(ctx, stranger, [0])
    _, parity, events = score(ctx, days[0])
    assert not parity.passed
    assert parity.numbers["only_in_the_log"] == 1
    assert "GONE" in set(events["asset"])
    for stage in LEARNING_STAGES[1:]:
        assert not run_stage(ctx, stage, days[0]).failed_checks


def test_of_two_runs_the_first_row_stands(ctx: StageContext, first: Columns, days: list[str]) -> None:
    log_of(ctx, first, np.arange(len(first["s"])), "z")
    log_of(ctx, {**first, "spread_bps": first["spread_bps"] + 1.0}, np.arange(9), "a")
    assert score(ctx, days[0])[1].passed


def test_a_replay_is_not_the_daemon(ctx: StageContext, first: Columns, days: list[str]) -> None:
    before = score(ctx, days[0])[0].inputs_hash
    log_of(ctx, {**first, "spread_bps": first["spread_bps"] + 1.0}, np.arange(9), "replay", replayed=True)
    result, parity, _ = score(ctx, days[0])
    assert result.inputs_hash == before
    assert parity == NO_DAEMON
    with pytest.raises(LedgerError, match="replayed a recording"):
        begin_run(ctx.sig, Run("replay", ctx.branch, "tiny", False))


def test_what_the_daemon_emits_is_what_is_recomputed_under_its_tables(
    ctx: StageContext, lotus: Lotus, first: Columns, days: list[str]
) -> None:
    """The daemon had the tables of the day before with what that day's audits found, the recomputed day newer ones."""
    pieces = [ctx.tape.folder / meta.day / meta.name for meta in ctx.tape.segments(days[1])]
    live = run_live(ctx.settings, pieces, run_id="day", databases=lotus.databases)
    for stage in (*TAPE_STAGES, LEARNING_STAGES[0]):
        run_stage(ctx, stage, days[1])
    _, parity, batch = score(ctx, days[1])
    assert parity == NO_DAEMON
    ctx.sig.execute("UPDATE live_runs SET replayed = false")
    _, parity, events = score(ctx, days[1])
    assert parity.passed, parity.text
    assert parity.numbers["equal"] == len(live.events["s"]) > 0
    assert set(events["source"]) == {"live"}
    told = tables_after(ctx.lake, ctx.branch, tables_of_day(ctx.lake, ctx.branch, days[0]), shipped_detectors())
    assert set(events["tables_ver"]) == {told.tables_ver} != set(batch["tables_ver"])
    assert told.tables_ver not in first["tables_ver"]


def test_acts_in_force_reach_the_daemon_and_what_is_recomputed_alike(
    ctx: StageContext, lotus: Lotus, first: Columns, days: list[str]
) -> None:
    """A veto, a nudge and fitted weights: the daemon's rows are those of the batch, the event bus says who acted."""
    vetoed, nudged = (d.detector_id for d in shipped_detectors()[:2])
    words = next_day(days[1], -2), "ann", "veto", f"{vetoed}@BTC", 0.0, "why", "", days[1], next_day(days[1])
    veto = CurationAct("", ctx.branch, *words).named()
    nudge = replace(veto, kind="nudge", target=nudged, value=0.05).named()
    weights = weight_acts(ctx.branch, veto.day, days[1], WEIGHTS, "why", [], [])
    put_acts(ctx.sig, [veto, nudge, *weights])
    pieces = [ctx.tape.folder / meta.day / meta.name for meta in ctx.tape.segments(days[1])]
    live = run_live(ctx.settings, pieces, run_id="day", databases=lotus.databases)
    for stage in (*TAPE_STAGES, LEARNING_STAGES[0]):
        run_stage(ctx, stage, days[1])
    _, _, batch = score(ctx, days[1])
    ctx.sig.execute("UPDATE live_runs SET replayed = false")
    _, parity, events = score(ctx, days[1])
    assert parity.passed, parity.text
    assert parity.numbers["equal"] == len(live.events["s"]) > 0
    for rows in (events, batch):
        barred = (rows["detector_id"] == vetoed) & (rows["asset"] == "BTC")
        np.testing.assert_array_equal(rows["veto"] & PERSON != 0, barred)
        assert not rows["published"][barred].any()
        assert rows["published"][~barred].any()
    assert tables_of_day(ctx.lake, ctx.branch, days[1]).asymmetry_weights == WEIGHTS
    counts = dict(ctx.sig.execute("SELECT schema_ver, count(*) FROM live_signals GROUP BY schema_ver").fetchall())
    assert counts["ms-1.1"] == counts["det-alpha-1.0"] > 0
    assert "ms-1.0" not in counts
    bus = ctx.sig.execute("SELECT payload FROM live_signals WHERE schema_ver = 'sigbus-1.1.0'").fetchall()
    records = [json.loads(str(payload)) for (payload,) in bus]
    assert {record["detector_id"] for record in records} == {nudged}
    assert all({"actor": "ann", "log": 0.05} in record["curation"]["nudges"] for record in records)
    for stage in LEARNING_STAGES[2:]:
        assert not run_stage(ctx, stage, days[1]).failed_checks
    row = next(e for e, d, s in zip(events["event_id"], events["detector_id"], events["s"], strict=True)
               if d == nudged and s != 0.0)  # fmt: skip
    assert explained(ctx.settings, lotus.databases, str(row)).explanation.exact
    paper = ctx.lake.read("signal_eval", ctx.branch, days[1], columns=("event_id", "payoff_p", "status"))
    fired = set(events["event_id"][barred & (events["s"] != 0.0)])
    own_rows = np.isin(paper["event_id"].astype(str), sorted(fired)) & (paper["status"] == "ok")
    assert np.isfinite(paper["payoff_p"][own_rows]).all(), "P goes on where only an act vetoes"
    assert own_rows.any()


def test_dagster_is_told_and_the_night_goes_on(
    ctx: StageContext, lotus: Lotus, first: Columns, days: list[str]
) -> None:
    log_of(ctx, {**first, "spread_bps": first["spread_bps"] + 1.0}, np.arange(9))
    summary = backfill(ctx.settings, days[0], days[0])
    assert summary.notes(days[0], "signal_events")["emitted_live"] == 9
    key = dg.AssetCheckKey(dg.AssetKey("signal_events"), "live_parity")
    with instance(provision(lotus.settings, lotus.databases)) as opened:
        (record,) = opened.event_log_storage.get_latest_asset_check_execution_by_key([key]).values()
    assert record.status.value == "FAILED"


def test_a_night_that_ends_late_is_in_force_from_the_first_window_that_nobody_scored(
    ctx: StageContext, first: Columns, days: list[str]
) -> None:
    """The daemon scored under the version before until it went away; then the night of the first day ended."""
    for stage in (*TAPE_STAGES, *LEARNING_STAGES[: LEARNING_STAGES.index(signal_events.STAGE)]):
        run_stage(ctx, stage, days[1])
    _, _, events = score(ctx, days[1])
    before, late = priors_0(ctx.branch).priors_ver, version_of(ctx, days[0])
    ends, is_late = events["window_end_ms"], events["priors_ver"] == late
    assert is_late.any()
    scored = ends <= np.sort(np.unique(ends[is_late]))[np.unique(ends[is_late]).size // 2]
    logged = {name: values.copy() for name, values in events.items()}
    logged["priors_ver"][is_late] = before
    log_of(ctx, logged, np.flatnonzero(scored))
    _, parity, _ = score(ctx, days[1])
    assert not parity.passed, "the ledger says another version than the daemon scored under"
    active_priors.finish(ctx, days[0])
    result, parity, settled = score(ctx, days[1])
    assert parity.passed
    assert (parity.numbers["equal"], parity.numbers["not_emitted"]) == (scored.sum(), (~scored).sum())
    assert set(settled["priors_ver"][scored]) == {before}
    (now,) = set(settled["priors_ver"][~scored])
    version = read_version(ctx.sig, ctx.branch, now)
    assert version.effective_from_ms == ends[scored].max() + ctx.manifest.kernel.window_ms
    assert version.braids == read_version(ctx.sig, ctx.branch, late).braids
    active_priors.finish(ctx, days[0])
    assert score(ctx, days[1])[0].inputs_hash == result.inputs_hash
    for stage in LEARNING_STAGES:
        assert not run_stage(ctx, stage, days[1]).failed_checks, "the next night follows it"


def test_batch_obeys_the_vetoes_at_once_of_the_tape(ctx: StageContext, first: Columns, days: list[str]) -> None:
    """A daemon that obeyed the record and the batch agree; without the list every barred row differs."""
    cut = int(np.sort(first["close_recv_ns"])[len(first["s"]) // 2])
    lists = [VetoList(cut, 0, (VetoAtOnce("a" * 32, ctx.branch, "@BTC", next_day(days[0])),))]
    plain = run_stage(ctx, signal_events.STAGE, days[0])
    wanted = barred(first, lists, ctx.branch, days[0])
    hit = wanted["veto"] & PERSON != 0
    assert first["published"][hit].any()
    write_veto_lists(ctx.lake, ctx.tape_branch, days[0], lists)
    result, _, events = score(ctx, days[0])
    assert result.inputs_hash != plain.inputs_hash
    for name in SIGNAL_EVENTS.names:
        np.testing.assert_array_equal(events[name], wanted[name])
    log_of(ctx, wanted, np.arange(len(first["s"])))
    _, parity, _ = score(ctx, days[0])
    assert parity.numbers["equal"] == len(first["s"])
    write_veto_lists(ctx.lake, ctx.tape_branch, days[0], [])
    undone = run_stage(ctx, signal_events.STAGE, days[0])
    (parity,) = [check for check in undone.checks if check.name == "live_parity"]
    assert parity.numbers["different"] == int(hit.sum()), "a daemon that barred what its tape does not say is flagged"
