"""A change on the tape: days scored again as they were and under it, with the same draw keys; every probe filled.

Both sides read the same frames. Tables are those of the day's batch; under a change that makes them they are made again
from the history as it was, and those of another specification from the days simulated before it (grade C: it was never
drawn). The day before the first is simulated too, for its windows that mature on the first.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.counterfactual.change import WhatIfChange, manifest_under, tables_under, versions_under
from lotus.counterfactual.simulated import SimulatedDay, simulated_day
from lotus.detectors.daily.history import EVENT_COLUMNS, DayHistory, digest_day
from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.tables import CURATED, TERMS, DayTables
from lotus.detectors.scoring.scorer import Scorer, of_day
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.builder import WindowBatch, build_windows
from lotus.experts.fusion import ExpertSet
from lotus.experts.machine import AnnotationBatch, annotate
from lotus.microtape.frames.batch import FrameBatch
from lotus.priors.types import PriorsVersion
from lotus.progress.steps import Steps
from lotus.timebase import day_start_ms, next_day
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.day_frames import warmed_frames
from lotus_assets.stages.experts.expert_set import day_annotations, experts_of
from lotus_assets.stages.history import detectors_of, detectors_of_branch
from lotus_assets.stages.scoring.outcome_tape import first_end_ms
from lotus_assets.stages.scoring.signal_eval import matured_rows
from lotus_assets.stages.scoring.signal_events import priors_of_day, tables_made
from lotus_assets.what_if.question import WhatIfQuestion
from lotus_store.columns import concatenated, places_of
from lotus_store.day_tables import tables_of_day
from lotus_store.ledger.day_commits import read_commit

Table = Mapping[str, NDArray[Any]]
_KEPT = ("event_id", "detector_id", "asset", "window_start_ms", "window_end_ms", "close_recv_ns", "horizon_s", "s",
         "spread_bps", "x_funding", "published", "veto", "pi")  # fmt: skip


class TapeSide:
    """One side of a simulation: scores day after day, and keeps what matures on the next."""

    def __init__(self, ctx: StageContext, question: WhatIfQuestion | None) -> None:
        """Begin with no day; `question` None: the side as it was."""
        self._change: WhatIfChange | None = None if question is None else question.change
        self._other = None if question is None else question.other_priors
        self._spec = None if question is None else question.spec
        manifest = ctx.manifest if self._change is None else manifest_under(self._change, ctx.manifest)
        self.ctx = replace(ctx, manifest=manifest)
        self._every = _with_spec(detectors_of_branch(self.ctx), self._spec)
        self._late: Table | None = None
        self._history: list[DayHistory] = []

    def windows(self, frames: FrameBatch, day: str) -> WindowBatch:
        """Return the windows of a day, as this side's experts and detectors see its frames."""
        detectors = _with_spec(detectors_of(self.ctx, day), self._spec)
        return build_windows(frames, self._annotations(frames, day), self.ctx.manifest, detectors)

    @property
    def has_own_windows(self) -> bool:
        """Whether windows differ from those of the side as it was."""
        return self._change is not None and bool(self._change.experts or self._spec)

    def day(self, day: str, windows: WindowBatch) -> Table:
        """Return pi, published and payoff of every window that matures on the day, by event_id."""
        tables, versions = self._tables(day), self._versions(day)
        scorer = Scorer(
            self.ctx.manifest, self.ctx.manifest.universe, windows.detectors, tables, versions, self.ctx.branch
        )
        events = of_day(scorer.feed_all(windows), day_start_ms(day))
        own = {name: events[name] for name in _KEPT}
        both = own if self._late is None else concatenated([self._late, own])
        due = both["window_end_ms"].astype(np.int64) >= first_end_ms(self.ctx.manifest, day)
        due &= both["window_end_ms"].astype(np.int64) < first_end_ms(self.ctx.manifest, next_day(day))
        matured = {name: values[due] for name, values in both.items()}
        asked = matured | {"published": matured["pi"].astype(np.float64) > 0.0}
        rows = matured_rows(self.ctx, day, asked)
        late = own["window_end_ms"].astype(np.int64) >= first_end_ms(self.ctx.manifest, next_day(day))
        self._late = {name: values[late] for name, values in own.items()}
        if self._spec is not None:
            read = {name: events[name] for name in EVENT_COLUMNS}
            universe = self.ctx.manifest.universe
            self._history.append(digest_day(day, read, rows, self.ctx.manifest, universe, self._every))
        at = places_of(rows["event_id"], matured["event_id"])
        return {
            "event_id": rows["event_id"],
            "detector_id": rows["detector_id"],
            "pi": matured["pi"].astype(np.float64)[at],
            "published": matured["published"].astype(np.bool_)[at],
            "payoff": rows["payoff_y"].astype(np.float64),
        }

    def _annotations(self, frames: FrameBatch, day: str) -> AnnotationBatch:
        if self._change is None or not self._change.experts:
            return day_annotations(self.ctx, day, frames)
        masked = _masked(experts_of(self.ctx, day), self._change.experts)
        return annotate(frames, masked, self.ctx.manifest.kernel.window_ms)

    def _versions(self, day: str) -> list[PriorsVersion]:
        versions = priors_of_day(self.ctx, day)
        return versions if self._change is None else versions_under(self._change, versions, self._other)

    def _tables(self, day: str) -> DayTables:
        if self._change is None:
            return tables_of_day(self.ctx.lake, self.ctx.branch, day)
        if self._change.makes_tables and self._spec is None:
            return tables_under(self._change, tables_made(self.ctx, day)[0])
        tables = tables_under(self._change, tables_of_day(self.ctx.lake, self.ctx.branch, day))
        if self._spec is None:
            return tables
        made = day_tables(day, self._history, self.ctx.manifest, self.ctx.manifest.universe, self._every)
        return _spliced(tables, made, self._spec.detector_id)


def tape_days(
    ctx: StageContext, question: WhatIfQuestion, progress: Steps
) -> list[SimulatedDay]:  # fmt: skip
    """Return both sides of each day; raises what a tape or a lake without the days raises."""
    before, after = TapeSide(ctx, None), TapeSide(ctx, question)
    days = [commit.day for commit in question.days]
    lead = next_day(days[0], -1)
    first = [lead] if read_commit(ctx.sig, ctx.branch, lead, "signal_events") is not None else []
    out = []
    for k, day in enumerate([*first, *days]):
        progress("days of tape", k, len(first) + len(days), day)
        frames = warmed_frames(ctx, day)
        windows = before.windows(frames, day)
        sides = (
            before.day(day, windows),
            after.day(day, after.windows(frames, day) if after.has_own_windows else windows),
        )
        if day in days:
            out.append(simulated_day(day, *sides))
    return out


def _with_spec(detectors: tuple[DetectorSpec, ...], spec: DetectorSpec | None) -> tuple[DetectorSpec, ...]:
    if spec is None:
        return detectors
    others = [d for d in detectors if d.detector_id != spec.detector_id]
    return tuple(sorted([*others, spec], key=lambda d: d.detector_id))


def _masked(experts: ExpertSet, left_out: tuple[str, ...]) -> ExpertSet:
    """Return a set in which some experts speak with weight and vote 0."""
    voices = {n: replace(v, status="off") if n in left_out else v for n, v in experts.fusion.voices.items()}
    return replace(experts, fusion=replace(experts.fusion, voices=voices))


def _spliced(tables: DayTables, made: DayTables, detector_id: str) -> DayTables:
    """Return the tables with one row of `made` in them, all others as they were."""
    of, at = ({name: d for d, name in enumerate(one.detector_ids)} for one in (tables, made))
    names = tuple(sorted({*tables.detector_ids, detector_id}))
    columns: dict[str, Any] = {}
    for name in (*TERMS, "kr_rho", "neutral", "quality", *CURATED):
        old, new, neutral = getattr(tables, name), getattr(made, name), CURATED.get(name)
        if not old and name in CURATED:
            continue
        columns[name] = tuple(
            (neutral if name in CURATED else new[at[detector]]) if detector == detector_id else old[of[detector]]
            for detector in names
        )
    return replace(tables, detector_ids=names, **columns)
