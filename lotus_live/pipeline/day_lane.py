"""One day's streaming state: decoder, frames, experts, windows and scorer, born blank at 22:00 UTC of the day before.

A lane is fed every line received from its birth to the end of its day. It gives out what lines of the day itself close
inside the day: frames that end after midnight, windows that start at or after it. Pure and synchronous; no I/O.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.tables import DayTables
from lotus.detectors.scoring.scored import Scored
from lotus.detectors.scoring.scorer import Scorer
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.builder import WindowBuilder
from lotus.experts.fusion import ExpertSet
from lotus.experts.machine import ExpertMachine
from lotus.manifest import Asset, Manifest
from lotus.microtape.frames.spec import G_END, G_START, I_END, Q_TIME
from lotus.microtape.line_machine import LineMachine
from lotus.microtape.wire.decode import Decoder
from lotus.priors.types import PriorsVersion
from lotus.timebase import DAY_MS, NS_PER_MS, day_start_ms
from lotus_live.pipeline.shadows import FrameRing, ShadowDetectors, warm_ups_ms

FrameTap = Callable[[NDArray[np.int64], NDArray[np.float64]], None]  # rows are views, valid during the call


class FrameSink(Protocol):
    """Receives what a lane makes besides events; rows are views that are valid during the call only."""

    def frame(self, ints: NDArray[np.int64], floats: NDArray[np.float64], annotation: NDArray[np.float64]) -> None:
        """Take one frame row and its annotation row."""

    def gap(self, row: NDArray[np.int64]) -> None:
        """Take one gap row (asset, start_ms, end_ms, seq)."""

    def quote(self, row: NDArray[np.int64]) -> None:
        """Take one quote row."""


NOTHING: Final[Sequence[Scored]] = ()


@dataclass(frozen=True, slots=True)
class LaneSpec:
    """What every lane of a pipeline shares. `universe` gives the asset index; `ignored` coins are only counted."""

    manifest: Manifest
    universe: tuple[Asset, ...]
    detectors: tuple[DetectorSpec, ...]
    branch: str
    ignored: tuple[Asset, ...] = ()


@dataclass(frozen=True, slots=True)
class LaneTotals:
    """What a finished day gave out."""

    day: str
    frames: int
    windows: int
    gaps: int


class DayLane:
    """The state of one UTC day (see the module); `frames` and `windows` count what was given out.

    `line` tells what the last line was; `sink` None keeps nothing besides the events.
    """

    def __init__(
        self,
        spec: LaneSpec,
        day: str,
        tables: DayTables,
        priors: Sequence[PriorsVersion],
        experts: ExpertSet,
        sink: FrameSink | None,
    ) -> None:
        """Start blank; raises `SchemaError` or `BeliefError` for tables or priors that do not belong."""
        self.day, self.sink, self.experts = day, sink, experts
        self.tap: FrameTap | None = None  # hears every frame that is given out
        self._spec, self._priors = spec, priors
        self.line = LineMachine(spec.manifest, spec.universe, spec.ignored)
        self.scorer = Scorer(spec.manifest, spec.universe, spec.detectors, tables, priors, spec.branch)
        self.frames = self.windows = self.gaps = self.last_end_ms = 0
        self.start_ms = day_start_ms(day)
        self.stop_ms = self.start_ms + DAY_MS
        self.start_ns, self.end_ns = self.start_ms * NS_PER_MS, self.stop_ms * NS_PER_MS
        self._experts = ExpertMachine(len(spec.universe), spec.manifest.kernel.cadence_ms, experts)
        self._windows = WindowBuilder(spec.manifest, len(spec.universe), spec.detectors)
        self._recent = FrameRing()
        self._shadows: ShadowDetectors | None = None
        self._window_ms = spec.manifest.kernel.window_ms

    @property
    def totals(self) -> LaneTotals:
        """Counts so far."""
        return LaneTotals(self.day, self.frames, self.windows, self.gaps)

    @property
    def decoder(self) -> Decoder:
        """The decoder with its counts and rows put aside."""
        return self.line.decoder

    def feed(self, recv_ns: int, seq: int, raw: bytes) -> Sequence[Scored]:
        """Take one line; return the events of every window of the day that it closed."""
        line = self.line
        closed = line.feed(recv_ns, seq, raw)
        if line.gaps:
            self._gap()
        if self.sink is not None:
            self._quote(self.sink, recv_ns)
        return self._close(closed, recv_ns >= self.start_ns) if closed else NOTHING

    def swap(self, priors: Sequence[PriorsVersion]) -> None:
        """Take another list of priors versions between two windows; the streaming state stays."""
        self._priors = priors
        for scorer in (self.scorer, *((self._shadows.scorer,) if self._shadows else ())):
            scorer.swap(priors)

    def use_shadows(self, shadows: tuple[DetectorSpec, ...]) -> None:
        """Run these beside the settled detectors from the next frame on; those that stay keep their state.

        New ones are warmed from the latest frames as far back as they reach, and speak when they have seen enough.
        """
        before = self._shadows
        if shadows == (before.shadows if before else ()):
            return
        manifest = self._spec.manifest
        recent = self._recent.last(int(warm_ups_ms(shadows, manifest).max(initial=0)))
        self._windows.swap((*self._spec.detectors, *shadows), recent if shadows else None)
        made = ShadowDetectors(shadows, self.scorer, manifest, self._priors, recent, before) if shadows else None
        self._shadows = made

    def _gap(self) -> None:
        for row in self.line.frames.gaps:
            if row[G_END] > self.start_ms and row[G_START] < self.stop_ms:
                self.gaps += 1
                if self.sink is not None:
                    self.sink.gap(row)

    def _quote(self, sink: FrameSink, recv_ns: int) -> None:
        if recv_ns >= self.start_ns:
            for row in self.line.frames.quotes:
                if self.start_ms <= row[Q_TIME] < self.stop_ms:
                    sink.quote(row)

    def _close(self, closed: int, given_out: bool) -> Sequence[Scored]:
        """Take the frames that the line closed through experts, windows and the scorer."""
        annotate, keep, build = self._experts.feed, self._recent.add, self._windows.feed
        scored: list[Scored] = []
        for ints, floats in self.line.rows[:closed]:
            annotation = annotate(ints, floats)
            keep(ints, floats, annotation)
            end_ms = ints.item(I_END)
            if given_out and self.start_ms < end_ms <= self.stop_ms:
                self.frames += 1
                if self.tap is not None:
                    self.tap(ints, floats)
                if self.sink is not None:
                    self.sink.frame(ints, floats, annotation)
            if build(ints, floats, annotation):
                self._score(end_ms, given_out, scored)
        return scored

    def _score(self, end_ms: int, given_out: bool, scored: list[Scored]) -> None:
        score = self.scorer.feed if self._shadows is None else self._shadows.score
        events = score(self._windows.ints, self._windows.floats)
        self.last_end_ms = max(self.last_end_ms, end_ms)
        if given_out and self.start_ms <= end_ms - self._window_ms < self.stop_ms:
            self.windows += 1
            scored.append(events)
