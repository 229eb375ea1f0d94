"""The pipeline: raw lines in, scored windows out; the one synchronous call per line that the daemon makes.

It keeps today's lane and, from 22:00 UTC on, tomorrow's beside it, and asks its beliefs for the tables of a day when
that day's lane is born. No I/O, no timers: the same lines in the same order give the same bits, live and in replay.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lotus.curation.at_once import VetoAtOnce, vetoes_of
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.scoring.others import others_of
from lotus.detectors.settled import with_settled
from lotus.detectors.spec import DetectorSpec
from lotus.errors import ConfigError
from lotus.experts.fusion import ExpertSet, default_experts
from lotus.microtape.wire.frame import CONTROL_PREFIX
from lotus.priors.types import PriorsVersion
from lotus.timebase import NS_PER_MS, WARMUP_MS, day_of, next_day
from lotus_live.pipeline.day_lane import NOTHING, DayLane, FrameSink, FrameTap, LaneSpec, LaneTotals
from lotus_live.pipeline.shadows import control_data, control_texts, read_shadows

_AT_ONCE: Final = -(2**63)  # before every stamp


class Beliefs(Protocol):
    """Where day tables, priors and experts come from; asked only when a lane is born."""

    def tables(self, day: str) -> DayTables:
        """Return the tables frozen for a day."""

    def priors(self, day: str) -> Sequence[PriorsVersion]:
        """Return the versions that a day's lane needs, its warm-up included, in order of their times."""

    def experts(self, day: str) -> ExpertSet:
        """Return the experts in force on a day; its warm-up runs on them too."""

    def settled(self, day: str) -> Sequence[DetectorSpec]:
        """Return the detectors that candidates became and that are in force on a day, beside those of the lanes."""


@dataclass(frozen=True, slots=True)
class FixedBeliefs:
    """Beliefs given beforehand: one list of versions; tables and experts by day, `neutral` and shipped on others.

    Tables of a day with settled detectors are over those too.
    """

    neutral: DayTables
    versions: tuple[PriorsVersion, ...]
    by_day: dict[str, DayTables] = field(default_factory=dict)
    experts_by_day: dict[str, ExpertSet] = field(default_factory=dict)
    settled_by_day: dict[str, tuple[DetectorSpec, ...]] = field(default_factory=dict)

    def tables(self, day: str) -> DayTables:
        """Return the tables of a day."""
        return self.by_day.get(day) or replace(self.neutral, day=day)

    def priors(self, day: str) -> Sequence[PriorsVersion]:
        """Return all versions."""
        return self.versions

    def experts(self, day: str) -> ExpertSet:
        """Return the experts of a day."""
        return self.experts_by_day.get(day) or default_experts()

    def settled(self, day: str) -> Sequence[DetectorSpec]:
        """Return the settled detectors of a day."""
        return self.settled_by_day.get(day, ())


def spec_of_day(spec: LaneSpec, beliefs: Beliefs, day: str) -> LaneSpec:
    """Return what lanes share, with the detectors of a day."""
    settled = beliefs.settled(day)
    return replace(spec, detectors=with_settled(spec.detectors, settled)) if settled else spec


class Step:
    """What one line did: its kind (an `EventKind`, 0 for no event), asset, payload, and the windows it closed.

    One object serves a whole lane: it is valid until the next call. `scored` may be kept.
    """

    __slots__ = ("lane", "scored")

    def __init__(self, lane: DayLane) -> None:
        """Look at the lines of a lane."""
        self.lane = lane
        self.scored = NOTHING

    @property
    def kind(self) -> int:
        """An `EventKind`, 0 for a line that is no event."""
        return self.lane.line.kind

    @property
    def asset(self) -> int:
        """Position in the universe."""
        return self.lane.line.asset

    @property
    def payload(self) -> NDArray[np.int64]:
        """Values of the event, in the layout of `events` (a view)."""
        line = self.lane.line
        return line.decoder.pool[: line.end]


class Pipeline:
    """Today's lane and tomorrow's. Lines must come in order of their receive stamps."""

    def __init__(
        self,
        spec: LaneSpec,
        beliefs: Beliefs,
        sink_of: Callable[[str], FrameSink | None] | None = None,
        first_day: str | None = None,
    ) -> None:
        """Start without a lane; the first line opens its day's, or `first_day`'s, whose warm-up it then belongs to.

        `sink_of` gives the sink of a day (none: frames, quotes and gaps are not kept).
        """
        self.spec, self.beliefs = spec, beliefs
        self.first_day = first_day
        self._sink_of = sink_of or (lambda day: None)
        self.today: DayLane | None = None
        self.tomorrow: DayLane | None = None
        self.finished: list[LaneTotals] = []
        self.lines = 0
        self.changes = 0  # of lanes, of shadow detectors and of vetoes at once
        self.shadow_texts: tuple[str, ...] = ()
        self.shadows: tuple[DetectorSpec, ...] = ()
        self.refused_shadows: list[str] = []
        self.vetoes: tuple[VetoAtOnce, ...] = ()
        self._tap: FrameTap | None = None
        self._turn_ns = _AT_ONCE
        self._step: Step

    @property
    def lanes(self) -> tuple[DayLane, ...]:
        """The lanes now in work, the one in use first."""
        return tuple(lane for lane in (self.today, self.tomorrow) if lane is not None)

    def feed(self, recv_ns: int, seq: int, raw: bytes) -> Step:
        """Take one line of tape; return what it did by the lane of its day."""
        if recv_ns >= self._turn_ns:
            self._turn(recv_ns)
        self.lines += 1
        step = self._step
        step.scored = step.lane.feed(recv_ns, seq, raw)
        if self.tomorrow is not None:
            self.tomorrow.feed(recv_ns, seq, raw)
        if raw.startswith(CONTROL_PREFIX):
            self._obey(raw)
        return step

    def swap(self, priors: Sequence[PriorsVersion]) -> None:
        """Give every lane another list of versions, between two windows; their streaming state stays."""
        for lane in self.lanes:
            lane.swap(priors)

    def settle(self) -> None:
        """Let every frame so far reach its sink."""
        for lane in self.lanes:
            lane.settle()

    def tap(self, tap: FrameTap | None) -> None:
        """Let `tap` hear every frame that is given out from now on, day after day."""
        self._tap = tap
        for lane in self.lanes:
            lane.tap = tap

    def _obey(self, raw: bytes) -> None:
        """Run only the shadow detectors that a control record names, bar what it vetoes at once, hear other shards.

        An unreadable record changes nothing.
        """
        data = control_data(raw)
        others = others_of(data)
        if others is not None:
            for lane in self.lanes:
                lane.hear(others)
        vetoes, texts = vetoes_of(data), control_texts(data)
        if vetoes is not None and vetoes != self.vetoes:
            self.vetoes = vetoes
            self.changes += 1
            for lane in self.lanes:
                lane.bar(vetoes)
        if texts is not None and texts != self.shadow_texts:
            self._use_shadows(texts)

    def _use_shadows(self, texts: tuple[str, ...]) -> None:
        try:
            self.shadows = read_shadows(texts, self.spec.detectors, self.spec.manifest)
        except ConfigError as error:
            self.refused_shadows.append(str(error))
            return
        self.shadow_texts = texts
        self.changes += 1
        for lane in self.lanes:
            lane.use_shadows(self.shadows)

    @property
    def last_window_end_ms(self) -> int:
        """End of the latest window scored, 0 before one."""
        return max((lane.last_end_ms for lane in self.lanes), default=0)

    @property
    def days(self) -> tuple[LaneTotals, ...]:
        """Counts of every day so far, oldest first, the one in work included."""
        return (*self.finished, *((self.today.totals,) if self.today else ()))

    def _turn(self, recv_ns: int) -> None:
        """Change the lanes as the receive stamp asks for: at midnight, and at 22:00 for the next day's."""
        today = self.today
        self.changes += 1
        if today is None or recv_ns >= today.end_ns:
            day = max(day_of(recv_ns // NS_PER_MS), self.first_day or "")
            if today is not None:
                today.settle()
                self.finished.append(today.totals)
            waiting, self.tomorrow = self.tomorrow, None
            self.today = today = waiting if waiting is not None and waiting.day == day else self._born(day)
            self._step = Step(today)
        birth_ns = today.end_ns - WARMUP_MS * NS_PER_MS
        if self.tomorrow is None and recv_ns >= birth_ns:
            self.tomorrow = self._born(next_day(today.day))
        self._turn_ns = birth_ns if self.tomorrow is None else today.end_ns

    def _born(self, day: str) -> DayLane:
        asked, spec = self.beliefs, spec_of_day(self.spec, self.beliefs, day)
        lane = DayLane(spec, day, asked.tables(day), asked.priors(day), asked.experts(day), self._sink_of(day))
        lane.use_shadows(self.shadows)
        lane.bar(self.vetoes)
        lane.tap = self._tap
        return lane
