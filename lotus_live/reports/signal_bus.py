"""What the daemon publishes: validated payloads of the signal contract for every published window.

Runs in the log writer's thread, never in the feed's. A payload that does not fit its schema is refused: it is not
stored, and an entry of the run's log says why. Equal rows give equal payloads, so a rebuild repeats every name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.scoring.signal_facts import facts_of, payloads_of, published_rows, spec_of
from lotus.errors import BeliefError, LotusError
from lotus.modules.canonical import canonical_json
from lotus.modules.signals import SIGNAL_SCHEMAS, Payload, Row, check_signal
from lotus.priors.types import PriorsVersion
from lotus.timebase import day_of
from lotus_live.paper_desk import entry_number
from lotus_live.pipeline.beliefs import LedgerBeliefs
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_store.ledger.signals.live_log import LogEntry
from lotus_store.ledger.signals.signals import SignalRow

UNFIT = (LotusError, ValueError, ArithmeticError)  # what making or checking a payload of an odd row may raise


@dataclass(frozen=True, slots=True)
class Published:
    """Payloads that may leave, and one log entry for each that may not."""

    signals: tuple[SignalRow, ...] = ()
    refused: tuple[LogEntry, ...] = ()


class SignalBus:
    """Makes the payloads of one run; `beliefs` are read only."""

    def __init__(self, spec: LaneSpec, beliefs: LedgerBeliefs) -> None:
        """Remember what payloads say beyond their rows."""
        self._spec, self._beliefs = spec, beliefs
        self._silent: frozenset[str] = frozenset()
        self._blank = day_tables("", [], spec.manifest, spec.universe, spec.detectors)

    def silence(self, detector_ids: Iterable[str]) -> None:
        """Keep what these shadow detectors publish from the bus: probes measure them, no consumer acts on them."""
        self._silent |= frozenset(detector_ids)

    def publish(self, events: Mapping[str, NDArray[Any]]) -> Published:
        """Return the payloads of the published windows among columns of SIGNAL_EVENTS."""
        signals: list[SignalRow] = []
        refused: list[LogEntry] = []
        for row in published_rows(events):
            if row["detector_id"] in self._silent:
                continue
            try:
                day = day_of(int(row["window_start_ms"]))
                spec = spec_of(row, (*self._spec.detectors, *self._beliefs.settled(day)))
                experts = self._beliefs.experts(day).version
                version, tables, claims = self._version(row), self._tables(row), self._beliefs.claims_bps
                facts = facts_of(row, spec, self._spec.manifest, version, tables, experts, claims)
                payloads = payloads_of(row, facts)
            except UNFIT as problem:
                refused += [_refusal(row, ver, problem) for ver in SIGNAL_SCHEMAS]
                continue
            for payload in payloads:
                try:
                    signals.append(signal_row(row, payload))
                except UNFIT as problem:
                    refused.append(_refusal(row, str(payload["schema_ver"]), problem))
        return Published(tuple(signals), tuple(refused))

    def _version(self, row: Row) -> PriorsVersion:
        for version in self._beliefs.versions:
            if version.priors_ver == row["priors_ver"]:
                return version
        raise BeliefError(f"priors {row['priors_ver']} are not known", "a version the daemon took")

    def _tables(self, row: Row) -> DayTables:
        """Return the tables that a row names: those of an earlier day, or those without history."""
        taken = self._beliefs.by_day.values()
        for tables in (self._blank, *self._beliefs.given.values(), *(t.after for t in taken), *(t.own for t in taken)):
            if tables.tables_ver == row["tables_ver"]:
                return tables
        raise BeliefError(f"day tables {row['tables_ver']} are not known", "tables the daemon took")


def signal_row(row: Row, payload: Payload) -> SignalRow:
    """Return a validated payload as it is stored; raises `SchemaError` or `MessageError` when it is none."""
    text = canonical_json(check_signal(payload))
    return SignalRow(str(row["event_id"]), str(payload["schema_ver"]), int(row["window_end_ms"]), text)


def _refusal(row: Row, schema_ver: str, problem: Exception) -> LogEntry:
    body = {"event_id": row["event_id"], "schema_ver": schema_ver, "reason": str(problem)}
    number = entry_number("signal_refused", f"{row['event_id']} {schema_ver}")
    return LogEntry(number, int(row["window_end_ms"]), "signal_refused", body)
