"""One day's streaming state: decoder, frames, experts, windows and scorer, born blank at 22:00 UTC of the day before.

A lane is fed every line received from its birth to the end of its day. It gives out what lines of the day itself close
inside the day: frames that end after midnight, windows that start at or after it. Pure and synchronous; no I/O.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lotus.curation.at_once import VetoAtOnce, barred_pairs
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.scoring.others import OthersClosed
from lotus.detectors.scoring.scored import Scored
from lotus.detectors.scoring.scorer import Scorer
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.closed_frames import ClosedFrames
from lotus.detectors.windows.row_spec import W_END
from lotus.experts.annotation_spec import WINDOW_MS
from lotus.experts.fusion import ExpertSet
from lotus.manifest import Asset, Manifest
from lotus.microtape.frames.spec import G_END, G_START, I_END, Q_TIME
from lotus.microtape.line_machine import LineMachine
from lotus.microtape.wire.decode import Decoder
from lotus.priors.types import PriorsVersion
from lotus.timebase import DAY_MS, NS_PER_MS, day_start_ms
from lotus_live.pipeline.shadows import ShadowDetectors, beside, warm_ups_ms

FrameTap = Callable[[NDArray[np.int64], NDArray[np.float64]], None]  # rows are views, valid during the call


class FrameSink(Protocol):
    """Receives what a lane makes besides events; rows are views that are valid during the call only.

    Frames come in the order in which they closed, as soon as the experts have spoken of them: after `DayLane.settle`
    of all.
    """

    def frame(self, ints: NDArray[np.int64], floats: NDArray[np.float64], annotation: NDArray[np.float64]) -> None:
        """Take one frame row and its annotation row, which goes on with z of every expert where a window ends."""

    def gap(self, row: NDArray[np.int64]) -> None:
        """Take one gap row (asset, start_ms, end_ms, seq)."""

    def quote(self, row: NDArray[np.int64]) -> None:
        """Take one quote row."""


NOTHING: Final[Sequence[Scored]] = ()
_MOST_UNSENT: Final = 4_096


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
        self.windows = self.gaps = self.last_end_ms = 0
        self.start_ms = day_start_ms(day)
        self.stop_ms = self.start_ms + DAY_MS
        self.start_ns, self.end_ns = self.start_ms * NS_PER_MS, self.stop_ms * NS_PER_MS
        _, _, _, ints, floats, *_ = self.line.frames.arrays
        self._frames = ClosedFrames(
            spec.manifest, len(spec.universe), spec.detectors, experts, (ints, floats), self.start_ms, self.stop_ms
        )
        self._unsent = None if sink is None else Unsent(sink, self._frames)
        self._shadows: ShadowDetectors | None = None
        self._window_ms = spec.manifest.kernel.window_ms

    @property
    def frames(self) -> int:
        """Number of frames given out."""
        return self._frames.given_out

    @property
    def _is_heard(self) -> bool:
        return self.tap is not None or self._unsent is not None

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

    def hear(self, others: OthersClosed) -> None:
        """Take in what coins of other shards closed, for the windows scored from the next line on."""
        for scorer in (self.scorer, *((self._shadows.scorer,) if self._shadows else ())):
            scorer.hear(others)

    def use_shadows(self, shadows: tuple[DetectorSpec, ...]) -> None:
        """Run these beside the settled detectors from the next frame on; those that stay keep their state.

        New ones are warmed from the latest frames as far back as they reach, and speak when they have seen enough.
        """
        before, manifest = self._shadows, self._spec.manifest
        shadows = beside(shadows, self._spec.detectors, manifest)
        if shadows == (before.shadows if before else ()):
            return
        recent = self._frames.recent(int(warm_ups_ms(shadows, manifest).max(initial=0)))
        self._frames.swap((*self._spec.detectors, *shadows), recent if shadows else None)
        made = ShadowDetectors(shadows, self.scorer, manifest, self._priors, recent, before) if shadows else None
        self._shadows = made

    def bar(self, vetoes: Sequence[VetoAtOnce]) -> None:
        """Publish nothing of the settled detectors that this list bars on the lane's day, from the next window on."""
        names, detectors = self.scorer.tables.assets, self.scorer.tables.detector_ids
        self.scorer.bar(barred_pairs(vetoes, self._spec.branch, self.day, names, detectors))

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

    def settle(self) -> None:
        """Let the experts see every frame so far, and the sink with them."""
        self._frames.settle()
        if self._unsent is not None:
            self._unsent.send()

    def _close(self, closed: int, given_out: bool) -> Sequence[Scored]:
        """Take the frames that the line closed through experts, windows and the scorer."""
        scored: list[Scored] = []
        first = 0
        while first < closed:
            place = self._frames.take(first, closed if self._unsent is None else first + 1, given_out)
            if given_out and self._is_heard:
                self._give_out(first, place)
            if self._frames.is_closed:
                self._score(self._frames.ints.item(W_END), given_out, scored)
            first = place
        return scored

    def _give_out(self, first: int, stop: int) -> None:
        """Let tap and sink hear of the frames of the day."""
        for ints, floats in self.line.rows[first:stop]:
            if self.start_ms < ints.item(I_END) <= self.stop_ms:
                if self.tap is not None:
                    self.tap(ints, floats)
                if self._unsent is not None:
                    self._unsent.add()

    def _score(self, end_ms: int, given_out: bool, scored: list[Scored]) -> None:
        score = self.scorer.feed if self._shadows is None else self._shadows.score
        events = score(self._frames.ints, self._frames.floats)
        self.last_end_ms = max(self.last_end_ms, end_ms)
        if given_out and self.start_ms <= end_ms - self._window_ms < self.stop_ms:
            self.windows += 1
            scored.append(events)


class Unsent:
    """Frames that a sink has not got, because the experts have not seen them or an earlier one."""

    def __init__(self, sink: FrameSink, frames: ClosedFrames) -> None:
        """Start with none."""
        self._sink, self._frames = sink, frames
        self._places: deque[int] = deque()
        self._spoken: dict[int, NDArray[np.float64]] = {}

    def add(self) -> None:
        """Add the frame that was taken last, and send what may go."""
        place = len(self._frames.ring) - 1
        self._places.append(place)
        if self._frames.ring.row(place)[0].item(I_END) % WINDOW_MS == 0:
            self._spoken[place] = self._frames.latest.copy()
        if len(self._places) >= _MOST_UNSENT:
            self._frames.settle()
        self.send()

    def send(self) -> None:
        """Send every frame that the experts have seen, up to the first that they have not."""
        ring = self._frames.ring
        while self._places and ring.is_annotated(self._places[0]):
            place = self._places.popleft()
            ints, floats, notes = ring.row(place)
            self._sink.frame(ints, floats, self._spoken.pop(place, notes))
