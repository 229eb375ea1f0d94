"""One part of a governance week: what it computed on a Monday, and the ledger rows that its commit writes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lotus_assets.stages.context import Cell, CheckOutcome, LedgerWork, StageContext, TextTable
from lotus_assets.stages.lake_tables import TablePart


@dataclass(frozen=True, slots=True)
class PartMade:
    """`decided`: hash of what is not in lake files (no times, no costs); `written`: content hashes of the part's files.

    `notes` are shown under the part's name.
    """

    rows: int
    decided: str
    written: tuple[str, ...] = ()
    checks: tuple[CheckOutcome, ...] = ()
    notes: Mapping[str, Cell] = field(default_factory=dict)
    table: TextTable | None = None
    ledger: LedgerWork | None = None


@dataclass(frozen=True, slots=True)
class WeekPart:
    """A part: its name, hashes that decide it, how it is made, and the lake tables that it writes, none or all.

    `make` gets what the parts before it made, by name.
    """

    name: str
    inputs: Callable[[StageContext, str], Mapping[str, str]]
    make: Callable[[StageContext, str, Mapping[str, PartMade]], PartMade]
    tables: tuple[TablePart, ...] = ()
