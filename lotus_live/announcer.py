"""Announcements of what holds from a window on: a control record in the tape (live) and an entry in the log.

A replayed tape has its own control records, so a replay writes none. Nothing is scored here.
"""

from collections.abc import Callable, Iterable
from typing import Any

from lotus.curation.at_once import VetoAtOnce
from lotus.detectors.registry import specs_ver
from lotus.detectors.spec import DetectorSpec
from lotus.priors.types import PriorsVersion
from lotus.timebase import NS_PER_MS, day_start_ms
from lotus_live.feed.recorder import Recorder, SwapRecord
from lotus_live.paper_desk import entry_number
from lotus_live.pipeline.beliefs import LedgerBeliefs
from lotus_live.pipeline.day_lane import DayLane
from lotus_live.pipeline.lines import Pipeline
from lotus_live.pipeline.shadows import read_shadows
from lotus_live.row_buffer import RowBuffer
from lotus_live.run_context import RunContext


class Announcer:
    """The announcements of one run. `silence` keeps shadow detectors from the bus."""

    def __init__(
        self,
        context: RunContext,
        recorder: Recorder,
        pipeline: Pipeline,
        rows: RowBuffer,
        silence: Callable[[Iterable[str]], None],
    ) -> None:
        """Announce nothing yet. The feed sets `writes_controls` once it runs live."""
        self.writes_controls = False
        self._context, self._recorder, self._pipeline = context, recorder, pipeline
        self._rows, self._silence = rows, silence
        self._shadows: tuple[DetectorSpec, ...] = pipeline.shadows
        self._vetoes: tuple[VetoAtOnce, ...] = pipeline.vetoes
        self._lanes: tuple[DayLane | None, DayLane | None] = None, None

    def follow(self, beliefs: LedgerBeliefs, last_ns: int) -> None:
        """Announce what the last line changed: the shadow detectors, the vetoes at once, or the day."""
        pipeline = self._pipeline
        if pipeline.shadows is not self._shadows or pipeline.vetoes is not self._vetoes:
            self._shadows, self._vetoes = pipeline.shadows, pipeline.vetoes
            self._silence(d.detector_id for d in pipeline.shadows)
            record = self.record(beliefs.versions[-1], self._context.next_window_ms(last_ns))
            self._note_swap(record, last_ns // NS_PER_MS)
        if pipeline.today is not self._lanes[0] or pipeline.tomorrow is not self._lanes[1]:
            self._lane_changed(beliefs.versions[-1], last_ns)

    def announce(self, version: PriorsVersion, from_ms: int, last_ns: int) -> None:
        """Announce a version in the tape (live) and in the log."""
        if self._pipeline.today is None:
            return
        record = self.record(version, from_ms)
        if self.writes_controls:
            self._recorder.control(last_ns, record)
        self._note_swap(record, from_ms)

    def repeat(self, beliefs: LedgerBeliefs, last_ns: int) -> None:
        """Say again at a start which vetoes at once hold: a killed daemon may have owed that to the day to come."""
        if self.writes_controls and self._pipeline.vetoes:
            self._recorder.control(last_ns, self.record(beliefs.versions[-1], self._context.next_window_ms(last_ns)))

    def record(
        self,
        version: PriorsVersion,
        from_ms: int,
        texts: tuple[str, ...] | None = None,
        vetoes: tuple[VetoAtOnce, ...] | None = None,
    ) -> SwapRecord:
        """Return the record of what holds from a moment on.

        Shadow detectors are those in force, or of `texts`; vetoes at once those in force, or `vetoes`.
        """
        spec, today = self._context.spec, self._pipeline.today
        named = self._pipeline.shadow_texts if texts is None else texts
        shadows = read_shadows(named, spec.detectors, spec.manifest)
        return SwapRecord(
            window_index=-(-from_ms // spec.manifest.kernel.window_ms),
            priors_ver=version.priors_ver,
            specs_ver=specs_ver((*(today.scorer.detectors if today else spec.detectors), *shadows)),
            tables_ver=today.scorer.tables.tables_ver if today is not None else "",
            experts_ver=today.experts.version if today is not None else "",
            day=today.day if today is not None else "",
            detectors=named,
            vetoes=self._pipeline.vetoes if vetoes is None else vetoes,
        )

    def _lane_changed(self, version: PriorsVersion, last_ns: int) -> None:
        """Announce a day that begins; to one that is born what only records tell, for its rebuild starts there."""
        today, (before, _) = self._pipeline.today, self._lanes
        self._lanes = today, self._pipeline.tomorrow
        if today is not None and today is not before:
            self.announce(version, day_start_ms(today.day), last_ns)
        elif self.writes_controls and (self._pipeline.shadows or self._pipeline.vetoes):
            self._recorder.control(last_ns, self.record(version, self._context.next_window_ms(last_ns)))

    def _note_swap(self, record: SwapRecord, from_ms: int) -> None:
        names = ("priors_ver", "tables_ver", "experts_ver", "window_index", "day")
        body: dict[str, Any] = {name: getattr(record, name) for name in names}
        if record.detectors:
            body |= {"specs_ver": record.specs_ver, "trials": [d.detector_id for d in self._pipeline.shadows]}
        if record.vetoes:
            body["vetoes"] = [veto.target for veto in record.vetoes]
        self._rows.note("swap", entry_number("swap", repr(body)), from_ms, body)
