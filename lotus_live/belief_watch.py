"""The watch on the beliefs: ask the ledger, take new versions between two windows, refuse or postpone late ones.

What is in force is `pipeline.beliefs`'.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from lotus.curation.act import CurationAct
from lotus.curation.at_once import listed
from lotus.priors.types import PriorsVersion
from lotus_live.line_taker import LineTaker
from lotus_live.paper_desk import entry_number
from lotus_live.pipeline.beliefs import (
    Poll,
    fresh_acts,
    fresh_detectors,
    fresh_sets,
    fresh_vetoes,
    read_tables,
    settled_versions,
)
from lotus_live.reports.status import FailureCause
from lotus_live.run_context import RunContext
from lotus_store.ledger.beliefs.late_priors import Put

logger = logging.getLogger(__name__)


class BeliefWatch:
    """The watch of one run over the beliefs of its pipeline."""

    def __init__(self, context: RunContext, taker: LineTaker) -> None:
        """Ask nothing yet."""
        self._context, self._taker, self._beliefs = context, taker, taker.beliefs

    def poll(self) -> Poll:
        """Return new versions and late ones (blocking); tables and experts of days not begun are taken at once."""
        context, beliefs, pipeline = self._context, self._beliefs, self._taker.pipeline
        scored_ms = -1 if context.replaying else pipeline.last_window_end_ms
        poll = settled_versions(context.databases, beliefs, scored_ms)
        born = max((lane.day for lane in pipeline.lanes), default="")
        beliefs.detector_sets = fresh_detectors(context.databases, context.spec, beliefs.detector_sets, born)
        beliefs.by_day = read_tables(context.lake, beliefs)
        beliefs.sets = fresh_sets(context.databases, context.spec, beliefs.sets, born)
        beliefs.acts = fresh_acts(context.databases, context.spec, born)
        if context.replaying or pipeline.today is None:
            return poll
        return replace(poll, at_once=fresh_vetoes(context.databases, context.spec, pipeline.today.day))

    def take(self, poll: Poll) -> None:
        """Take in what a poll found: alarm for late versions, swap to the new ones, obey vetoes at once."""
        self.postpone(poll.late)
        self._swap(poll.fresh)
        if poll.at_once is not None:
            self._bar(poll.at_once)

    def postpone(self, late: Sequence[Put]) -> None:
        """Alarm: versions came late; the ledger says from when their beliefs are in force."""
        for version, now in late:
            text = f"priors {version.priors_ver} came late: {now.priors_ver} holds"
            self._taker.counts.failed(FailureCause.PRIORS, text)
            logger.warning("%s from %s on", text, now.effective_from_ms, extra=self._context.ids)
            body = {"priors_ver": version.priors_ver, "now": now.priors_ver, "effective_from_ms": now.effective_from_ms}
            number = entry_number("postponed", repr(body))
            self._taker.rows.note("priors_postponed", number, version.effective_from_ms, body)

    def _bar(self, acts: Sequence[CurationAct]) -> None:
        """Put the vetoes at once of the ledger in force by a control record of the tape, where they are others."""
        taker, today = self._taker, self._taker.pipeline.today
        if today is None or not taker.announcer.writes_controls:
            return
        wanted = listed(acts, today.day)
        if wanted != taker.pipeline.vetoes:
            from_ms = self._context.next_window_ms(taker.last_ns)
            taker.control(taker.announcer.record(self._beliefs.versions[-1], from_ms, vetoes=wanted))

    def _swap(self, fresh: Sequence[PriorsVersion]) -> None:
        """Take new versions between two windows; one that a window overtook is asked for again, in a replay refused."""
        beliefs, taker = self._beliefs, self._taker
        before, scored_ms = len(beliefs.refused), taker.pipeline.last_window_end_ms
        if not self._context.replaying:
            fresh = [version for version in fresh if version.effective_from_ms > scored_ms]
        taken = beliefs.accept(fresh, scored_ms)
        if taken:
            taker.pipeline.swap(beliefs.versions)
        for version in taken:
            taker.announcer.announce(version, version.effective_from_ms, taker.last_ns)
        for version in beliefs.refused[before:]:
            body = {"priors_ver": version.priors_ver, "reason": "late"}
            number = entry_number("refused", version.priors_ver)
            taker.rows.note("priors_refused", number, scored_ms, body)
