"""The logs of bots by kind: those of Freqtrade and NautilusTrader, a CSV of round trips, and a randomiser's own.

Each is read as it stands, for reading only, and by the names that its bot gives; what the events are is `trades`.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pandas as pd

from lotus.errors import ConfigError, SchemaError
from lotus_lab.logs.freqtrade import freqtrade
from lotus_lab.logs.nautilus import nautilus
from lotus_lab.logs.times import us_of
from lotus_lab.logs.trades import ClosedTrade, ImportedLog, events_of, no_log
from lotus_lab.randomiser.randomiser import read_log

_SIDES: Final = {"long": 1, "buy": 1, "short": -1, "sell": -1, "1": 1, "-1": -1}
_CSV: Final = ("opened", "closed", "asset", "strategy", "side", "entry", "exit")


def round_trips(file: Path, columns: Mapping[str, str] | None = None) -> ImportedLog:
    """Return the round trips of a CSV file: opened, closed, asset, strategy, side, entry, exit, and any x_ columns.

    `columns` holds names of the file by these; `fee_bps` (of both sides together) is subtracted where it is there.
    """
    try:
        frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise no_log(file, error, "a CSV file with a header") from None
    frame = frame.rename(columns={theirs: ours for ours, theirs in (columns or {}).items()})
    if missing := [name for name in _CSV if name not in frame.columns]:
        raise SchemaError(
            f"{file} has no column {', '.join(missing)}", ", ".join(_CSV), f"it has {', '.join(frame.columns[:12])}"
        )
    rows = [{str(name): str(value) for name, value in row.items()} for row in frame.to_dict("records")]
    closed = [row for row in rows if row["closed"].strip()]
    return events_of([_round_trip(file, k, row) for k, row in enumerate(closed, 1)], len(rows) - len(closed))


def _round_trip(file: Path, number: int, row: Mapping[str, str]) -> ClosedTrade:
    where = f"{file}, trade {number}"
    side = _SIDES.get(row["side"].strip().lower(), 0)
    if not side:
        raise SchemaError(f"{where}: side {row['side']!r}", ", ".join(_SIDES))
    entry, leave, fee = (_number(where, name, row.get(name, "0") or "0") for name in ("entry", "exit", "fee_bps"))
    if entry <= 0.0 or leave <= 0.0:
        raise SchemaError(f"{where}: entry {entry:g}, exit {leave:g}", "prices above 0")
    opened, closed = (us_of(row[name], where) for name in ("opened", "closed"))
    payoff = side * (leave - entry) / entry * 1e4 - fee
    features = {name: _cell(value) for name, value in row.items() if name.startswith("x_")}
    return ClosedTrade(opened, closed, row["asset"], row["strategy"], side, payoff, features)


def _cell(text: str) -> float | str | None:
    try:
        return float(text)
    except ValueError:
        return text or None


def _number(where: str, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise SchemaError(f"{where}: {name} {text!r}", "a finite number")
    return value


def randomiser(log: Path) -> ImportedLog:
    """Return the rows of a `lab.Randomiser`, with propensities, from its journal or the log that has one beside it."""
    return ImportedLog(
        read_log(log.with_suffix("") if log.suffix == ".journal" else log),
        0,
        ("Rows whose horizon is over, acted on or not; younger ones are left out.",),
    )


KINDS: Final[Mapping[str, Callable[[Path], ImportedLog]]] = {
    "freqtrade": freqtrade, "nautilus": nautilus, "csv": round_trips, "randomiser": randomiser,
}  # fmt: skip


def import_log(kind: str, path: str | Path) -> ImportedLog:
    """Return the log of a bot as events.

    `kind` is freqtrade (its database, or the result of a backtest), nautilus (a catalogue), csv (round trips) or
    randomiser (the journal of `lab.Randomiser`, which alone has propensities).

    Raises `SchemaError` and `ConfigError`: what was found, expected, and why.
    """
    if kind not in KINDS:
        raise ConfigError(f"a log of kind {kind!r}", ", ".join(KINDS))
    place = Path(path)
    if not place.exists():
        raise ConfigError(f"{place} is not there", "a file or folder", "misspelled?")
    return KINDS[kind](place)
