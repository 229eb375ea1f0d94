"""Parity: the same tape run live (over a real loopback websocket) and in batch must give the same content hashes.

This is the product's first promise made checkable. Nothing here repairs or tolerates a difference; it names the first.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import scored_detectors, shipped_detectors
from lotus.detectors.scoring.scored import Columns
from lotus.detectors.scoring.scorer import in_key_order
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.errors import TapeError
from lotus.experts.machine import AnnotationBatch
from lotus.hashing import content_hash, natural_id
from lotus.manifest import Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.wire.reasons import DecodeReport, LineKind
from lotus.priors.types import PriorsVersion, priors_0
from lotus.progress.steps import Steps, untold
from lotus_live.feed.clocks import Arrival, ReplayClock
from lotus_live.feed.feed import Feed, FeedPolicy
from lotus_live.feed.tape_file import TapeFile
from lotus_live.pipeline.batch import score_tape
from lotus_live.pipeline.collector import DayCollector
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.lines import Beliefs, FixedBeliefs, Pipeline
from lotus_venues.hyperliquid.info import http_base
from lotus_venues.replay_server import ReplayPlan, ReplayServer

QUIET = FeedPolicy(renew_stale=False, watch_s=0.2)
TOLD_EVERY = 5_000  # lines
SOURCE = "source"  # the one column that says which way a row was made


@dataclass(frozen=True, slots=True)
class DayHashes:
    """Content hashes of one day's tables, and their numbers of rows."""

    day: str
    frames: str
    annotations: str
    events: str
    n_frames: int
    n_events: int
    n_gaps: int


@dataclass(frozen=True, slots=True)
class ParityReport:
    """Result of a comparison; `difference` names the first day and table that differ. Counts are the batch's."""

    parity: bool
    hash_live: str
    hash_batch: str
    frames: int
    windows: int
    events: int
    published: int
    gaps: int
    lines: int
    received: int
    late: int
    duplicates: int
    quarantined: int
    reasons: dict[str, int]
    assets: tuple[str, ...]
    inferred: tuple[str, ...]
    days: tuple[str, ...]
    reconnects: int
    strangers: int
    difference: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def verify_parity(
    path: Path | Sequence[Path],
    manifest: Manifest | None = None,
    *,
    branch: str = "main",
    beliefs: Beliefs | None = None,
    plan: ReplayPlan | None = None,
    progress: Steps = untold,
) -> ParityReport:
    """Run recordings live and in batch and compare; genesis priors and neutral tables unless `beliefs` are given.

    Raises `TapeError` for a file that cannot be read or holds no market data.
    """
    progress("looking for coins", 0)
    tape = TapeFile((path,) if isinstance(path, Path) else tuple(path))
    manifest = manifest or Manifest()
    spec = LaneSpec(manifest, tape.universe, scored_detectors(manifest), branch)
    given = beliefs or neutral_beliefs(spec)
    batch = score_tape(_counted(tape, progress), spec, given)
    if not batch:
        raise TapeError(f"{tape.paths[0]} holds no lines", "lines of tape", "an empty file")
    hashes = [_hashes(d.day, d.frames, d.annotations, d.events) for d in batch]
    total = sum(d.report.lines for d in batch)
    hear = partial(progress, "lines taken live", total=total)
    run = uvloop.run(run_live_once(tape, spec, given, plan or ReplayPlan(), hear))
    progress("comparing hashes", 0)
    return _report(tape, hashes, run, [d.report for d in batch], [d.events for d in batch])


def _counted(tape: TapeFile, progress: Steps) -> Iterator[Arrival]:
    """Yield the lines of a tape and tell of them, then that their days are scored."""
    for number, line in enumerate(tape.arrivals()):
        if number % TOLD_EVERY == 0:
            progress("lines read for batch", number)
        yield line
    progress("scoring in batch", 0)


def neutral_beliefs(spec: LaneSpec, versions: Sequence[PriorsVersion] = ()) -> FixedBeliefs:
    """Return tables without history and the given versions (the genesis version when none)."""
    tables = day_tables("1970-01-01", [], spec.manifest, spec.universe, spec.detectors)
    return FixedBeliefs(tables, tuple(versions) or (priors_0(spec.branch),))


@dataclass(frozen=True, slots=True)
class LiveRun:
    """What came out of a live run over the websocket."""

    hashes: list[DayHashes]
    received: int
    reconnects: int
    strangers: int


async def run_live_once(
    tape: TapeFile, spec: LaneSpec, beliefs: Beliefs, plan: ReplayPlan, hear: Callable[[int], object] = lambda _: None
) -> LiveRun:
    """Serve a recording over a loopback websocket, take it with the daemon's feed and pipeline; return its hashes.

    `hear` takes how many lines are taken.
    """
    days: dict[str, DayCollector] = {}
    pipeline = Pipeline(spec, beliefs, lambda day: days.setdefault(day, DayCollector(beliefs.experts(day))))
    clock = ReplayClock(tape.arrivals())
    taken = 0

    def take(line: Arrival) -> None:
        nonlocal taken
        taken += 1
        if taken % TOLD_EVERY == 0:
            hear(taken)
        step = pipeline.feed(line.recv_ns, line.seq, line.raw)
        if step.scored and pipeline.today is not None:
            days[pipeline.today.day].scored.extend(step.scored)

    frames = ((line.recv_ns, line.raw) for line in tape.arrivals())
    async with ReplayServer(spec.universe, frames, plan) as server:
        feed = Feed(
            url=server.url,
            rest_url=http_base(server.url),
            universe=spec.universe,
            clock=clock,
            on_line=take,
            policy=QUIET,
        )
        await feed.run()
    pipeline.settle()
    hashes = []
    for lane in pipeline.days:
        rows = days[lane.day]
        frames_of_day = rows.frames(spec.universe, spec.manifest.kernel.cadence_ms)
        hashes.append(_hashes(lane.day, frames_of_day, rows.annotations(), rows.events()))
    return LiveRun(hashes, feed.counts.frames, feed.counts.connects - 1, clock.strangers)


def _hashes(day: str, frames: FrameBatch, annotations: AnnotationBatch, events: Columns) -> DayHashes:
    n_events = len(events["event_id"])
    tables = frames.content_hash(), annotations.content_hash(), events_hash(events)
    return DayHashes(day, *tables, len(frames), n_events, len(frames.gaps))


def events_hash(events: Columns) -> str:
    """Return the content hash of events in key order, without the column that says which way they were made."""
    ordered = in_key_order(events) if len(events["event_id"]) else events
    left_out = {SOURCE, *SIGNAL_EVENTS.silent(events)}
    return content_hash({name: values for name, values in ordered.items() if name not in left_out})


def _difference(live: list[DayHashes], batch: list[DayHashes]) -> str:
    if [d.day for d in live] != [d.day for d in batch]:
        return f"days {[d.day for d in live]} live, {[d.day for d in batch]} in batch"
    for ours, theirs in zip(live, batch, strict=True):
        for name in ("frames", "annotations", "events"):
            if getattr(ours, name) != getattr(theirs, name):
                return f"{name} of {ours.day}"
    return ""


def _report(
    tape: TapeFile, batch: list[DayHashes], run: LiveRun, reports: list[DecodeReport], events: list[Columns]
) -> ParityReport:
    difference = _difference(run.hashes, batch)
    reasons: dict[str, int] = {}
    for report in reports:
        for name, count in report.reasons.items():
            reasons[name] = reasons.get(name, 0) + count
    per_asset = [counts for report in reports for counts in report.assets.values()]
    quarantine = LineKind.QUARANTINE.name.lower()
    first = shipped_detectors()[0].detector_id
    return ParityReport(
        parity=not difference,
        hash_live=_joint(run.hashes),
        hash_batch=_joint(batch),
        frames=sum(d.n_frames for d in batch),
        windows=sum(int((e["detector_id"] == first).sum()) for e in events),
        events=sum(d.n_events for d in batch),
        published=sum(int(e["published"].sum()) for e in events),
        gaps=sum(d.n_gaps for d in batch),
        lines=sum(r.lines for r in reports),
        received=run.received,
        late=sum(c.late_prints + c.late_quotes for c in per_asset),
        duplicates=sum(r.duplicates for r in reports),
        quarantined=sum(r.kinds.get(quarantine, 0) for r in reports),
        reasons=reasons,
        assets=tuple(a.name for a in tape.universe),
        inferred=tuple(a.name for a in tape.units if a.inferred),
        days=tuple(d.day for d in batch),
        reconnects=run.reconnects,
        strangers=run.strangers,
        difference=difference,
    )


def _joint(days: Sequence[DayHashes]) -> str:
    return natural_id(*(text for d in days for text in (d.day, d.frames, d.annotations, d.events)))
