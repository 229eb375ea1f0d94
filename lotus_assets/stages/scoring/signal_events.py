"""signal_events[day]: every whole window of the day scored by every detector under the beliefs in force.

The scorer's state is warmed by the windows of the two hours before midnight; tables are frozen from days before; priors
are looked up by window end. The day refuses to run while the beliefs that the day before taught are not in force. For a
day on which the daemon ran, its log is imported: see `lotus.detectors.daemon_log`. Vetoes at once of the tape hold.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lotus.curation.at_once import barred
from lotus.curation.in_force import acted
from lotus.detectors.curators import curated
from lotus.detectors.daemon_log import as_emitted, under_logged_tables, without_trials
from lotus.detectors.daily.make import EMERGENCE_DAYS, day_tables
from lotus.detectors.daily.segment_set import SegmentSet
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.registry import specs_ver
from lotus.detectors.scoring.scorer import Scorer, of_day
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS, VETOES
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.stage_gate import at_floor, gated
from lotus.detectors.windows.builder import WindowBuilder, build_windows
from lotus.errors import BeliefError
from lotus.experts.machine import AnnotationBatch
from lotus.hashing import natural_id
from lotus.microtape.frames.batch import FrameBatch
from lotus.priors.segment_context import has_segments
from lotus.priors.types import PriorsVersion
from lotus.timebase import day_start_ms, next_day
from lotus_assets.stages.chain import content_of, day_before, version_of
from lotus_assets.stages.context import Cell, CheckOutcome, Made, Plot, Stage, StageContext, TextTable
from lotus_assets.stages.day_frames import warmed_frames
from lotus_assets.stages.experts.expert_set import day_annotations, experts_of
from lotus_assets.stages.history import (
    acts_of_day,
    audited_before,
    detectors_of,
    digests_before,
    gates_before,
    retired,
    vetoes_at_once,
)
from lotus_assets.stages.lake_tables import TablePart, joint_hash, present_of
from lotus_assets.stages.schema_check import schema_check
from lotus_assets.stages.scoring.live_parity import NO_DAEMON, parity_check
from lotus_assets.stages.shared_columns import hand_on
from lotus_assets.stages.tape.look_ahead import look_ahead_check
from lotus_store.databases import Connection
from lotus_store.day_tables import served_tables, write_day_tables
from lotus_store.ledger.beliefs.priors import in_force_on, is_handed_over
from lotus_store.ledger.beliefs.segments import segments_on
from lotus_store.ledger.signals.events import write_events
from lotus_store.ledger.signals.live_log import daemon_log_version, read_daemon_log

Columns = dict[str, NDArray[np.generic]]
PARTS = [TablePart(SIGNAL_EVENTS)]
_NAMES = {"event_id", "branch", "spec_version", "window_start_ms", "horizon_s", "tables_ver", "source"}
_DECIDED = tuple(name for name in SIGNAL_EVENTS.names if name not in _NAMES)  # by frames: what the others follow from


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """Frames, the experts of the day and what they say, the beliefs it runs on, the history behind its tables.

    Raises `BeliefError` when the beliefs of the day are not in force, naming what to materialise.
    """
    priors = priors_of_day(ctx, day)
    _, history = digests_before(ctx, day, detectors_of(ctx, day), EMERGENCE_DAYS)
    audits = audited_before(ctx, day, detectors_of(ctx, day))
    gates = gates_before(ctx, day, detectors_of(ctx, day))
    acts, lists = acts_of_day(ctx, day), vetoes_at_once(ctx, day)
    return {
        "microtape_frames": content_of(ctx, ctx.tape_branch, day, "microtape_frames"),
        "expert_set": content_of(ctx, ctx.branch, day, "expert_set"),
        "priors": natural_id(*(word for p in priors for word in (p.effective_from_ms, p.priors_ver))),
        "specs": specs_ver(detectors_of(ctx, day)),
        "gates": " ".join(f"{name}={gate}" for name, gate in sorted(gates.items()) if gate),
        "curators": natural_id(*(repr(item) for item in sorted(audits.items()))),
        **({"acts": natural_id(*(act.act_id for act in acts))} if acts else {}),
        **({"vetoes at once": natural_id(repr(lists))} if lists else {}),
        **({"segments": made.set_ver} if (made := segments_of_day(ctx, day)) else {}),
        "daemon_log": daemon_log_version(ctx.sig, ctx.branch, day),
        **history,
    }


def make(ctx: StageContext, day: str) -> Made:
    """Score the day, take over what the daemon emitted, write events and tables, check them."""
    tables, history_days = tables_made(ctx, day)
    frames = warmed_frames(ctx, day)
    annotations = day_annotations(ctx, day, frames)
    priors = priors_of_day(ctx, day)
    whole = _score(ctx, frames, annotations, tables, priors)
    lists = vetoes_at_once(ctx, day)

    def ours(scored: Columns) -> Columns:
        return barred(of_day(scored, day_start_ms(day)), lists, ctx.branch, day)

    def under(other: DayTables) -> Columns:
        return ours(_score(ctx, frames, annotations, other, priors))

    events, parity = _emitted(ctx, day, ours(whole), under)
    write_day_tables(ctx.lake, ctx.branch, tables)
    written = ctx.lake.write(SIGNAL_EVENTS, ctx.branch, day, events)

    cut = _Cut(ctx, frames, annotations, tables, priors)
    others = _tables_named(ctx, day, {*events["tables_ver"].tolist()} - {tables.tables_ver})
    floored = at_floor(events, [tables, *others])

    def ledger(connection: Connection) -> None:
        fires = events["s"] != 0.0  # the ledger mirrors signals; the lake holds every window
        write_events(connection, ctx.branch, day, {name: values[fires] for name, values in events.items()})

    highest_floor = max(ctx.manifest.weave.trust_floor, ctx.manifest.weave.experiment_floor)
    checks = (
        schema_check(SIGNAL_EVENTS, events),
        overlap_check(events, ctx.manifest.score.epsilon, highest_floor, floored),
        look_ahead_check(STAGE.name, day, ctx.manifest.score.seed, len(frames), whole, cut.scored),
        parity,
    )
    notes: dict[str, Cell] = {
        "tables_ver": tables.tables_ver,
        "experts_ver": experts_of(ctx, day).version,
        "priors_ver": " ".join(dict.fromkeys(events["priors_ver"].tolist())),
        "published": int(events["published"].sum()),
        "windows_braided": int(np.count_nonzero(events["fired"])),
        "history_days": history_days,
        "emitted_live": int((events["source"] == "live").sum()),
    }
    joined = joint_hash(PARTS, [written.content_hash])
    hand_on(ctx, SIGNAL_EVENTS, day, joined, events)
    return Made(
        rows=written.rows,
        content_hash=joined,
        checks=checks,
        notes=notes,
        table=_per_detector(events),
        plot=_plot(day, events),
        ledger=ledger,
    )


def tables_made(ctx: StageContext, day: str) -> tuple[DayTables, int]:
    """Return the tables of a day as its history, audits, cards and acts make them, and the days of its history."""
    detectors = detectors_of(ctx, day)
    history, _ = digests_before(ctx, day, detectors, EMERGENCE_DAYS)
    gates = gates_before(ctx, day, detectors)
    tables = day_tables(day, history, ctx.manifest, ctx.manifest.universe, detectors, retired(gates))
    tables = gated(curated(tables, audited_before(ctx, day, detectors), detectors), gates)
    tables = acted(tables, acts_of_day(ctx, day))
    made = segments_of_day(ctx, day)
    return (tables if made is None else replace(tables, segments=made.of(tables.assets))), len(history)


def segments_of_day(ctx: StageContext, day: str) -> SegmentSet | None:
    """Return the list of segments in force on a day; None where segments are no context, or before there is one."""
    return segments_on(ctx.sig, ctx.branch, day) if has_segments(ctx.manifest) else None


def priors_of_day(ctx: StageContext, day: str) -> list[PriorsVersion]:
    """Return the versions that the windows of `day` and of its warm-up look up, in order of their swaps.

    Raises `BeliefError` when the day before is not committed, or what it taught is not in force.
    """
    before = day_before(ctx, day)
    if before is not None:
        taught = version_of(ctx, before)
        if not is_handed_over(ctx.sig, ctx.branch, taught):
            raise BeliefError(
                f"priors_in_force[{next_day(before)}] lacks {taught}, which {before} taught",
                f"the PRIOR_PATCH of active_priors[{before}] applied before signal_events[{day}] runs",
                f"the Herald has not delivered it; materialise active_priors[{before}] again",
            )
    by_time = {v.effective_from_ms: v for d in (next_day(day, -1), day) for v in in_force_on(ctx.sig, ctx.branch, d)}
    return [by_time[moment] for moment in sorted(by_time)]


def overlap_check(
    events: Mapping[str, NDArray[np.generic]],
    epsilon: float,
    trust_floor: float,
    floored: NDArray[np.bool_] | None = None,
) -> CheckOutcome:
    """Eligible windows have a propensity in [epsilon, 1 - epsilon]; the others have none and are not published.

    It is the one that the logged score, threshold, temperature and gate give, or a floor between that and one half; of
    a window that is `floored` (bool [n], by its detector's stage of life) it is a floor.
    """
    pi, eligible = events["pi"].astype(np.float64), events["eligible"].astype(np.bool_)
    slack = 1e-12
    outside = int(np.count_nonzero(eligible & ((pi < epsilon - slack) | (pi > 1.0 - epsilon + slack))))
    leaked = int(np.count_nonzero(~eligible & ((pi != 0.0) | events["published"].astype(np.bool_))))
    is_floored = np.zeros(len(pi), np.bool_) if floored is None else floored
    unlike = int(np.count_nonzero(eligible & ~_as_logged(events, pi, 2.0 * max(epsilon, trust_floor), is_floored)))
    share = float(np.mean(eligible)) if len(pi) else 0.0
    published = float(np.mean(events["published"][eligible].astype(np.bool_))) if eligible.any() else 0.0
    numbers = {
        "eligible_share": share,
        "published_share_of_eligible": published,
        "outside": outside,
        "leaked": leaked,
        "unlike": unlike,
        "mean_overlap_weight": float(np.mean(pi * (1.0 - pi))) if len(pi) else 0.0,
    }
    wrong = outside + leaked + unlike
    text = f"{share:.1%} of the windows have overlap, {published:.1%} of those were published; {wrong} wrong"
    return CheckOutcome("overlap", wrong == 0, text, numbers)


def _as_logged(
    events: Mapping[str, NDArray[np.generic]], pi: NDArray[np.float64], floor: float, floored: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tell where the logged numbers give the propensity, free or held between a floor of at most `floor` and 1/2."""
    ln_sigma, tau, temperature, gate = (
        events[name].astype(np.float64) for name in ("ln_sigma_tilde", "tau_pub", "temperature", "gate")
    )
    is_step = temperature <= 0.0
    z = np.where(floored, -np.inf, (ln_sigma - np.log(tau)) / np.where(is_step, 1.0, temperature) + gate)
    free = 1.0 / (1.0 + np.exp(-z))
    held = (np.minimum(pi, 1.0 - pi) <= floor) & ((pi < 0.5) == (z < 0.0)) & (np.abs(pi - 0.5) <= np.abs(free - 0.5))
    return np.asarray(is_step | held | (np.abs(pi - free) <= 1e-9), dtype=np.bool_)


def _score(
    ctx: StageContext, frames: FrameBatch, annotations: AnnotationBatch, tables: DayTables, priors: list[PriorsVersion]
) -> Columns:
    """Return the events of all windows, in scoring order."""
    windows = build_windows(frames, annotations, ctx.manifest, detectors_of(ctx, tables.day))
    return _scorer(ctx, windows.detectors, tables, priors).feed_all(windows)


def _scorer(
    ctx: StageContext, detectors: tuple[DetectorSpec, ...], tables: DayTables, priors: list[PriorsVersion]
) -> Scorer:
    return Scorer(
        manifest=ctx.manifest,
        universe=ctx.manifest.universe,
        detectors=detectors,
        tables=tables,
        priors=priors,
        branch=ctx.branch,
    )


class _Cut:
    """The day scored up to a frame by who has seen no later one, and goes on from there to the next cut."""

    def __init__(
        self,
        ctx: StageContext,
        frames: FrameBatch,
        annotations: AnnotationBatch,
        tables: DayTables,
        priors: list[PriorsVersion],
    ) -> None:
        self._frames, self._annotations = frames, annotations
        detectors = detectors_of(ctx, tables.day)
        self._builder = WindowBuilder(ctx.manifest, len(frames.universe), detectors)
        self._scorer = _scorer(ctx, detectors, tables, priors)
        self._rows = 0

    def scored(self, rows: int) -> Columns:
        """Return `_DECIDED` of the events that the first `rows` frames give beyond those of the call before."""
        new = slice(self._rows, rows)
        values = self._annotations.values[new]
        windows = self._builder.feed_all(self._frames.ints[new], self._frames.floats[new], values)
        self._rows = rows
        return self._scorer.feed_all(windows, wanted=_DECIDED)


def _emitted(
    ctx: StageContext, day: str, events: Columns, under: Callable[[DayTables], Columns]
) -> tuple[Columns, CheckOutcome]:
    """Return the events as the daemon emitted them where it ran, and the check of its log.

    The daemon's tables are the newest that were committed when its lane was born, so rows are compared under those.
    """
    if not daemon_log_version(ctx.sig, ctx.branch, day):
        return events, NO_DAEMON
    settled = [d.detector_id for d in detectors_of(ctx, day)]
    log, trials = without_trials(read_daemon_log(ctx.sig, ctx.branch, day), settled)
    wanted = set(log["tables_ver"].tolist()) - set(events["tables_ver"].tolist())
    others = [under(tables) for tables in _tables_named(ctx, day, wanted)] if len(events["event_id"]) else []
    emitted = as_emitted(under_logged_tables(events, others, log), log, trials)
    return emitted.events, parity_check(emitted)


def _tables_named(ctx: StageContext, day: str, wanted: Set[str]) -> list[DayTables]:
    """Return the tables of earlier days, or those without history, that carry one of the wanted names."""
    if not wanted:
        return []
    acts, detectors = acts_of_day(ctx, day), detectors_of(ctx, day)
    names = tuple(spec.detector_id for spec in detectors)
    named: dict[str, DayTables] = {}
    for tables in served_tables(ctx.lake, ctx.branch, day, ctx.manifest, detectors, acts):
        if tables.tables_ver in wanted and tables.detector_ids == names:
            named.setdefault(tables.tables_ver, tables)
        if named.keys() == wanted:
            break
    return [replace(named[version], day=day) for version in sorted(named)]


def _per_detector(events: Columns) -> TextTable:
    rows = []
    for detector in sorted(set(events["detector_id"].tolist())):
        own_rows = events["detector_id"] == detector
        eligible = own_rows & events["eligible"].astype(np.bool_)
        share = float(np.mean(events["published"][eligible].astype(np.bool_))) if eligible.any() else 0.0
        rows.append(
            (detector, int(own_rows.sum()), int(eligible.sum()), share, int((events["fired"][own_rows] != 0).sum()))
        )
    veto = events["veto"].astype(np.int64)
    rows += [(f"veto: {name}", int(np.count_nonzero(veto & bit)), 0, 0.0, 0) for bit, name in VETOES.items()]
    return TextTable(("detector", "windows", "eligible", "published share", "with braids"), rows)


def _plot(day: str, events: Columns) -> Plot:
    """Published windows per hour of the day, per detector."""
    hour = (events["window_end_ms"].astype(np.int64) - day_start_ms(day)) // 3_600_000
    series = {}
    for detector in sorted(set(events["detector_id"].tolist())):
        own_rows = (events["detector_id"] == detector) & events["published"].astype(np.bool_)
        series[detector] = np.bincount(np.clip(hour[own_rows], 0, 23), minlength=24).astype(np.float64).tolist()
    return Plot(f"published windows per hour, {day}", series)


STAGE = Stage("signal_events", inputs, make, present_of(PARTS))
