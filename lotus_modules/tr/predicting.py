"""Who predicts for a trader: a model and scores by branch and venue, fitted again at most once an hour of event time.

A fit takes a second, so it is made in a thread of its own, from plans that had ended before the moment that asked for
it; until it is there the last one answers. A fit never answers for a moment before its own. In the literature:
walk-forward refitting.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

import psycopg

from lotus.errors import LotusError
from lotus.modules.intents import Module
from lotus.trading.estimates.executor_scores import executor_scores
from lotus.trading.estimates.pre_trade import VenueHistory
from lotus.trading.estimates.predictor import MOST_HISTORY, at_rest, fitted, prepare
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.trading.outcomes import finished_plans, rest_quality

logger = logging.getLogger(__name__)

REFIT_MS = 3_600_000
NOTHING_KNOWN = VenueHistory()
Job = Callable[[], None]


def nothing_known(branch: str, venue: str, now_ms: int) -> VenueHistory:
    """Return that nothing is known: for a trader without history."""
    return NOTHING_KNOWN


def in_thread(job: Job) -> None:
    """Run a job beside the caller."""
    threading.Thread(target=job, name="predictions", daemon=True).start()


def known_before(connection: Connection, branch: str, venue: str, now_ms: int) -> VenueHistory:
    """Return what the plans of a venue teach that had ended before `now_ms`."""
    rows = finished_plans(connection, branch, venue, now_ms, MOST_HISTORY)
    past = [row.execution for row in rows if row.execution is not None]
    executors = {one.strategy: one for one in executor_scores(row.score for row in rows)}
    quality = rest_quality(rows)
    is_heard = quality is not None and quality.is_better
    return VenueHistory(now_ms, fitted(past, now_ms), executors, fitted(at_rest(past), now_ms), is_heard)


@dataclass(slots=True)
class Predictor:
    """Predicts for one daemon; `begin` runs a fit. With `is_prepared` the first one loads what later ones need."""

    databases: Databases
    begin: Callable[[Job], None] = in_thread
    is_prepared: bool = False
    _asked: dict[tuple[str, str], int] = field(default_factory=dict)
    _known: dict[tuple[str, str], VenueHistory] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def known(self, branch: str, venue: str, now_ms: int) -> VenueHistory:
        """Return the last fit from before `now_ms`, and let a new one begin when that is due."""
        key = branch, venue
        with self._lock:
            asked_ms = self._asked.get(key)
            is_due = asked_ms is None or not asked_ms <= now_ms < asked_ms + REFIT_MS
            if is_due:
                self._asked[key] = now_ms
        if is_due:
            self.begin(lambda: self._fit(branch, venue, now_ms))
        with self._lock:
            history = self._known.get(key, NOTHING_KNOWN)
        return history if history.at_ms <= now_ms else NOTHING_KNOWN

    def _fit(self, branch: str, venue: str, now_ms: int) -> None:
        if self.is_prepared:
            prepare()
        try:
            with closing(self.databases.connect(Module.TR.value, autocommit=True)) as connection:
                history = known_before(connection, branch, venue, now_ms)
        except (psycopg.Error, LotusError) as problem:
            logger.warning("no new predictions for %s: %s; the last ones stay", venue, problem)
            return
        with self._lock:
            self._known[branch, venue] = history
