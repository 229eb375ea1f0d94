"""What a stage is given and what it returns.

Values only: no stage logic, no Dagster. A stage reads and writes through the lake, the tape store and the ledger of the
context and nothing else, so that the same function serves Dagster, the command line and tests.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lotus.manifest import Manifest
from lotus_assets.catalogue import ADVISORY_CHECKS
from lotus_resources.recent_values import RecentValues
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.lake import Lake
from lotus_store.tape.store import TapeStore

PLOT_POINTS = 160
Cell = str | int | float
LedgerWork = Callable[[Connection], None]


@dataclass(frozen=True, slots=True)
class StageContext:
    """Places and defaults of one line of beliefs; `force` computes again what is already committed.

    `sig` is a connection of this context alone, in autocommit mode; what belongs together runs in `sig.transaction()`.
    """

    settings: Settings
    lake: Lake
    databases: Databases
    tape: TapeStore
    manifest: Manifest
    sig: Connection
    recent: RecentValues
    force: bool = False

    @property
    def branch(self) -> str:
        """Branch of beliefs that learning stages read and write."""
        return self.settings.branch

    @property
    def tape_branch(self) -> str:
        """Lake branch of what depends on tape alone (frames, annotations): shared by all branches of beliefs."""
        return f"tape.{self.settings.tape}"


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """Result of one check: what was looked at, in numbers; `unseen` where there was nothing to look at."""

    name: str
    passed: bool
    text: str
    numbers: Mapping[str, Cell] = field(default_factory=dict)
    unseen: bool = False

    @property
    def blocking(self) -> bool:
        """Whether its failure keeps the stage from being committed."""
        return self.name not in ADVISORY_CHECKS


@dataclass(frozen=True, slots=True)
class TextTable:
    """A small table for people: header and rows."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]

    @property
    def texts(self) -> list[list[str]]:
        """The rows as they are read."""
        return [[_cell(value) for value in row] for row in self.rows]

    @property
    def markdown(self) -> str:
        """The table as Markdown."""
        lines = [self.header, ["---"] * len(self.header), *self.texts]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Cell) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Plot:
    """A small line plot for people: a title and series over a common axis."""

    title: str
    series: Mapping[str, Sequence[float]]

    def thinned(self) -> "Plot":
        """Return the plot with as many points of each series as are drawn: a day has millions."""
        return Plot(self.title, {name: thinned(values) for name, values in self.series.items()})


def thinned(values: Sequence[float] | NDArray[np.float64]) -> list[float]:
    """Return every n-th value, at most `PLOT_POINTS` of them."""
    return [float(value) for value in values[:: max(1, math.ceil(len(values) / PLOT_POINTS))]]


@dataclass(frozen=True, slots=True)
class Made:
    """What a stage computed: rows and content hash, checks, notes, and the ledger work of its commit transaction.

    `documents` are Markdown texts by name for the report of a fresh result; like table and plot they are not kept.
    """

    rows: int
    content_hash: str
    checks: tuple[CheckOutcome, ...] = ()
    notes: Mapping[str, Cell] = field(default_factory=dict)
    table: TextTable | None = None
    plot: Plot | None = None
    ledger: LedgerWork | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageResult:
    """A committed stage of a day; `reused` when its code and inputs were those of the committed row.

    `seconds` are wall time by part, `cpu_s` what its thread worked.
    """

    stage: str
    day: str
    rows: int
    content_hash: str
    inputs_hash: str
    seconds: Mapping[str, float]
    checks: tuple[CheckOutcome, ...] = ()
    notes: Mapping[str, Cell] = field(default_factory=dict)
    table: TextTable | None = None
    plot: Plot | None = None
    reused: bool = False
    documents: Mapping[str, str] = field(default_factory=dict)
    cpu_s: float = 0.0

    @property
    def failed_checks(self) -> tuple[CheckOutcome, ...]:
        """The blocking checks that did not pass."""
        return tuple(check for check in self.checks if check.blocking and not check.passed)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: its name, what decides its result, how it is made, and what its lake files hash to now.

    `inputs` returns hashes by name and raises when an input is missing; `make` reads, computes and writes lake files,
    leaving ledger rows to `Made.ledger`; `present` returns the hash of the files that are there ("" when one is
    missing) and is None for a stage that lives in the ledger only; `finish` runs after every commit or reuse and must
    be idempotent; `join` puts together what was made in blocks elsewhere, and returns None where it was not.
    """

    name: str
    inputs: Callable[[StageContext, str], Mapping[str, str]]
    make: Callable[[StageContext, str], Made]
    present: Callable[[StageContext, str], str] | None = None
    finish: Callable[[StageContext, str], None] | None = None
    join: Callable[[StageContext, str], Made | None] | None = None
