"""What a journal holds: the state that a draw needs in memory, and all of its rows as events for `lab.learn`.

In memory are only the last draw of each signal and asset, the budget's day and the draws without a payoff; rows are
read from the file when they are asked for.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from lotus.errors import SchemaError
from lotus.own_signals.columns import FEATURE_PREFIX
from lotus_lab.randomiser import journal
from lotus_lab.randomiser.chance import Pace
from lotus_lab.randomiser.journal import records
from lotus_lab.randomiser.payoffs import OwnFill, round_trip

VERSION: Final = 1
Cell = float | int | str | bool | None
_KINDS: Final = {float: "a number", int: "a number", str: "a text", bool: "a flag"}
_LISTED = 5


class OwnDraw(NamedTuple):
    """One draw: whether to act, with which propensity, and the number of its row in the log."""

    row: int
    act: bool
    propensity: float
    ts_ms: int
    asset: str
    detector_id: str


@dataclass(slots=True)
class Unsettled:
    """A draw that acted and has no payoff yet: what was ordered, and its fills so far."""

    draw: OwnDraw
    size: float
    fills: list[OwnFill] = field(default_factory=list)


@dataclass(slots=True)
class Ledger:
    """The state of a log: `key` names who draws, `kinds` the features and their types, `last` the newest draws."""

    key: str = ""
    rows: int = 0
    kinds: dict[str, str] = field(default_factory=dict)
    last: dict[tuple[str, str], OwnDraw] = field(default_factory=dict)
    horizons: dict[str, int] = field(default_factory=dict)
    open: dict[int, Unsettled] = field(default_factory=dict)
    spent: Pace = field(default_factory=Pace)

    @classmethod
    def read(cls, path: Path) -> "Ledger":
        """Return the state that a journal leads to; raises `SchemaError` for a damaged one."""
        ledger = cls()
        for record in records(path):
            ledger.take(record)
        return ledger

    def take(self, record: list[Any]) -> None:
        """Take a record that is written."""
        kind, *rest = record
        if kind == journal.HEADER:
            if rest[0] != VERSION:
                raise SchemaError(f"a log of version {rest[0]}", f"version {VERSION}", "written by a later release")
            self.key = rest[1]
        elif kind == journal.DRAW:
            self.spent.allowed(0.0, rest[1])
            self.spent.took(rest[7], rest[5])
            self._learn_kinds(rest[9])
            self.drawn(record)
        elif kind == journal.FILL:
            position = self.open[rest[0]]
            position.fills.append(OwnFill(*rest[1:]))
            if round_trip(position.fills, position.size) is not None:
                del self.open[rest[0]]
        elif kind in (journal.OUTCOME, journal.VOID):
            del self.open[rest[0]]

    def drawn(self, record: list[Any]) -> OwnDraw:
        """Take a draw that is written, and return it."""
        _, row, ts_ms, asset, detector_id, horizon_s, act, p, _, size, _ = record
        draw = OwnDraw(row, act, p, ts_ms, asset, detector_id)
        self.rows = row + 1
        self.last[detector_id, asset] = draw
        self.horizons[detector_id] = horizon_s
        if act:
            self.open[row] = Unsettled(draw, size)
        return draw

    def pace(self, budget: float) -> Pace:
        """Return the pace of a budget on the newest day, with what was spent of it."""
        return Pace(budget, self.spent.day, self.spent.wanted, self.spent.published)

    def check(self, detector_id: str, asset: str, horizon_s: int, features: dict[str, Cell]) -> None:
        """Refuse a question that the rows before do not fit; raises `SchemaError`. Cells of numpy become plain ones."""
        if (detector_id, asset) not in self.last:
            for name in (detector_id, asset):
                if not isinstance(name, str) or not name or name != name.strip() or not name.isprintable():
                    raise SchemaError(f"{name!r} as a name", "a text in printed signs, without spaces around it")
        if self.horizons.get(detector_id, horizon_s) != horizon_s:
            expected = f"{self.horizons[detector_id]} s, as before"
            raise SchemaError(f"a horizon of {horizon_s} s for {detector_id}", expected, "another signal, another name")
        kinds = self.kinds
        if features.keys() != kinds.keys() and (kinds or not features):
            given = ", ".join(sorted(features)) or "none"
            raise SchemaError(
                f"features {given}", ", ".join(sorted(kinds)) or "one x_* or more", "the same in every call"
            )
        for name, value in features.items():
            if not (kinds or name.startswith(FEATURE_PREFIX)):
                raise SchemaError(f"a feature named {name}", f"a name that begins with {FEATURE_PREFIX}")
            if type(value) not in _KINDS:
                features[name] = value = _plain(value)
            kind = _KINDS.get(type(value))
            if value is None or (kind == "a number" and value != value):  # null, as NaN is
                continue
            if kind is None or (kind == "a number" and not -math.inf < value < math.inf):  # type: ignore[operator]
                raise SchemaError(
                    f"{name} is {value!r} ({type(value).__name__})", "a finite number, a text, a flag or None"
                )
            if (kinds.get(name) or kind) != kind:
                raise SchemaError(f"{name} is {kind}: {value!r}", f"{kinds[name]}, as before")
        if not kinds or "" in kinds.values():
            self._learn_kinds(features)

    def unsettled(self, row: int) -> int:
        """Return the number of a draw that acted and has no payoff; raises `SchemaError` for any other."""
        if row not in self.open:
            cause = "settled already, or it did not act" if 0 <= row < self.rows else f"the log has {self.rows} draws"
            raise SchemaError(f"draw {row}", "one that acted and has no payoff yet", cause)
        return row

    def row_of(self, row: int) -> int:
        """Return the number of a draw of the log; raises `SchemaError` for any other."""
        if not 0 <= row < self.rows:
            raise SchemaError(f"draw {row}", f"one of the log's {self.rows}")
        return row

    def payoff_with(self, row: int, fill: OwnFill) -> float | None:
        """Return the payoff of a draw with one more fill, None while it is open."""
        position = self.open[row]
        return round_trip([*position.fills, fill], position.size)

    def _learn_kinds(self, features: Mapping[str, Cell]) -> None:
        for name, value in features.items():
            if not self.kinds.get(name):
                self.kinds[name] = "" if value is None else _KINDS[type(value)]


def journal_of(log: Path) -> Path:
    """Return where the journal of a log lies."""
    return log.with_name(f"{log.name}.journal")


def draws_of(path: Path) -> Iterator[OwnDraw]:
    """Yield the draws of a journal."""
    for record in records(path):
        if record[0] == journal.DRAW:
            _, row, ts_ms, asset, detector_id, _, act, p, *_ = record
            yield OwnDraw(row, act, p, ts_ms, asset, detector_id)


def table_of_log(log: Path, *, prefix: bool = False) -> pa.Table:
    """Return the rows of a log whose horizon is over, as events.

    Raises `SchemaError` when one of them acted and has no payoff; with `prefix`, rows end before the first such one.
    """
    draws, payoffs, papers, voids = _read(log)
    now_ms = max((d[2] for d in draws), default=0)
    over = [d for d in draws if d[2] + 1000 * d[5] <= now_ms and d[1] not in voids]
    bare = [d for d in over if d[6] and d[1] not in payoffs]
    if bare and not prefix:
        listed = ", ".join(str(d[1]) for d in bare[:_LISTED]) + (", ..." if len(bare) > _LISTED else "")
        raise SchemaError(
            f"{len(bare)} draws acted and have no payoff, though their horizon is over: {listed}",
            "fills that close them, `outcome`, `unfilled`, or `void` for what the machine prevented",
            "a bot that was killed: `open` lists them",
        )
    if bare:
        first = min(d[2] for d in bare)
        over = [d for d in over if d[2] < first]
    names = sorted(over[0][10]) if over else []
    columns: dict[str, Any] = {
        "ts": pa.array([1000 * d[2] for d in over], pa.timestamp("us", "UTC")),
        "asset": pa.array([d[3] for d in over], pa.string()),
        "detector_id": pa.array([d[4] for d in over], pa.string()),
        "horizon_s": pa.array([d[5] for d in over], pa.int64()),
        "published": pa.array([d[6] for d in over], pa.bool_()),
        "propensity": pa.array([float(d[7]) for d in over], pa.float64()),
        "payoff_bps": pa.array([payoffs.get(d[1]) for d in over], pa.float64()),
        "row": pa.array([d[1] for d in over], pa.int64()),
    }
    if papers:
        columns["paper_payoff_bps"] = pa.array([papers.get(d[1]) for d in over], pa.float64())
    return pa.table(columns | {name: _feature([d[10][name] for d in over]) for name in names})


def _read(log: Path) -> tuple[list[list[Any]], dict[int, float], dict[int, float], set[int]]:
    """Return draws, payoffs and paper payoffs by row, and rows that are void."""
    draws, payoffs, papers, voids = list[list[Any]](), dict[int, float](), dict[int, float](), set[int]()
    fills: dict[int, list[OwnFill]] = {}
    for record in _present(log):
        match record[0]:
            case journal.DRAW:
                draws.append(record)
            case journal.FILL:
                fills.setdefault(record[1], []).append(OwnFill(*record[2:]))
            case journal.OUTCOME:
                payoffs[record[1]] = record[2]
            case journal.PAPER:
                papers[record[1]] = record[2]
            case journal.VOID:
                voids.add(record[1])
    sizes = {d[1]: d[9] for d in draws}
    closed = {row: round_trip(own, sizes[row]) for row, own in fills.items()}
    return draws, payoffs | {row: x for row, x in closed.items() if x is not None}, papers, voids


def _present(log: Path) -> Iterator[list[Any]]:
    path = journal_of(log)
    if not path.exists():
        raise SchemaError(f"{path} is not there", "the journal of a Randomiser", "another path?")
    return records(path)


def _plain(value: Any) -> Any:
    """Return a scalar of numpy as Python's own, and the nulls of pandas as None."""
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return value.item() if getattr(value, "ndim", 1) == 0 else value


def _feature(values: list[Cell]) -> pa.Array:
    held = [v for v in values if v is not None]
    numbers = all(type(v) in (int, float) for v in held)
    return pa.array([float(v) if v is not None else None for v in values]) if numbers else pa.array(values)
