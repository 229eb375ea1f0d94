"""One day's streaming state: decoder, frames, experts, windows and scorer, born blank at 22:00 UTC of the day before.

A lane is fed every line received from its birth to the end of its day. It gives out what lines of the day itself close
inside the day: frames that end after midnight, windows that start at or after it. Pure and synchronous; no I/O.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daytables import DayTables
from lotus.detectors.registry import DetectorSpec
from lotus.detectors.score import Columns, Scorer
from lotus.detectors.windows import WindowBuilder
from lotus.experts.machine import ExpertMachine
from lotus.manifest import Asset, Manifest
from lotus.microtape.decode import Decoded, Decoder
from lotus.microtape.frame_machine import FrameMachine
from lotus.microtape.frame_spec import I_END
from lotus.priors.types import PriorsVersion
from lotus.timebase import DAY_MS, NS_PER_MS, day_start_ms


class FrameSink(Protocol):
    """Receives what a lane makes besides events; rows are views that are valid during the call only."""

    def frame(self, ints: NDArray[np.int64], floats: NDArray[np.float64], annotation: NDArray[np.float64]) -> None:
        """Take one frame row and its annotation row."""

    def gap(self, row: NDArray[np.int64]) -> None:
        """Take one gap row (asset, start_ms, end_ms, seq)."""

    def quote(self, row: NDArray[np.int64]) -> None:
        """Take one quote row."""


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
    """The state of one UTC day (see the module); `frames` and `windows` count what was given out."""

    def __init__(
        self, spec: LaneSpec, day: str, tables: DayTables, priors: Sequence[PriorsVersion], sink: FrameSink
    ) -> None:
        """Start blank; raises `SchemaError` or `BeliefError` for tables or priors that do not belong."""
        self.day, self.sink = day, sink
        self.start_ms = day_start_ms(day)
        self.decoder = Decoder(spec.universe, spec.ignored)
        self.scorer = Scorer(spec.manifest, spec.universe, spec.detectors, tables, priors, spec.branch)
        self.frames = 0
        self.windows = 0
        self.gaps = 0
        self.last_end_ms = 0
        self._frames = FrameMachine(spec.manifest, spec.universe)
        self._experts = ExpertMachine(len(spec.universe), spec.manifest.kernel.cadence_ms)
        self._windows = WindowBuilder(spec.manifest, len(spec.universe), spec.detectors)
        self._window_ms = spec.manifest.kernel.window_ms

    @property
    def totals(self) -> LaneTotals:
        """Counts so far."""
        return LaneTotals(self.day, self.frames, self.windows, self.gaps)

    @property
    def end_ns(self) -> int:
        """Receive stamp from which on it takes nothing."""
        return (self.start_ms + DAY_MS) * NS_PER_MS

    def feed(self, recv_ns: int, seq: int, raw: bytes) -> tuple[Decoded, list[Columns]]:
        """Take one line; return its decoded form and the events of every window of the day that it closed."""
        decoded = self.decoder.decode_line(recv_ns, raw, seq)
        scored: list[Columns] = []
        if not decoded.kind:
            return decoded, scored
        payload = self.decoder.pool[: decoded.end]
        machine = self._frames
        closed = machine.feed(recv_ns, decoded.time_ms, seq, decoded.kind, decoded.asset, payload)
        given_out = recv_ns >= self.start_ms * NS_PER_MS
        self._gaps_and_quotes(given_out)
        for k in range(closed):
            self._frame(machine.ints[k], machine.floats[k], scored, given_out)
        return decoded, scored

    def _gaps_and_quotes(self, given_out: bool) -> None:
        stop_ms = self.start_ms + DAY_MS
        for row in self._frames.gaps:
            if row[2] > self.start_ms and row[1] < stop_ms:
                self.gaps += 1
                self.sink.gap(row)
        for row in self._frames.quotes:
            if given_out and self.start_ms <= row[3] < stop_ms:
                self.sink.quote(row)

    def _frame(
        self, ints: NDArray[np.int64], floats: NDArray[np.float64], scored: list[Columns], given_out: bool
    ) -> None:
        annotation = self._experts.feed(ints, floats)
        end_ms = int(ints[I_END])
        if given_out and self.start_ms < end_ms <= self.start_ms + DAY_MS:
            self.frames += 1
            self.sink.frame(ints, floats, annotation)
        if not self._windows.feed(ints, floats, annotation):
            return
        events = self.scorer.feed(self._windows.ints, self._windows.floats)
        begin_ms = end_ms - self._window_ms
        self.last_end_ms = max(self.last_end_ms, end_ms)
        if given_out and self.start_ms <= begin_ms < self.start_ms + DAY_MS:
            self.windows += 1
            scored.append(events)
