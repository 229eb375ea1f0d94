"""The logs of bots: Freqtrade's SQLite, NautilusTrader's catalogue of closed positions, and a CSV of round trips.

Each is read as it stands, for reading only, and by the names that its bot gives; what the events are is `trades`.
References: the models of Freqtrade's `Trade`, and of NautilusTrader's `PositionClosed` in Arrow.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lotus.errors import ConfigError, SchemaError
from lotus_lab.logs.freqtrade import freqtrade
from lotus_lab.logs.times import us_of
from lotus_lab.logs.trades import ClosedTrade, ImportedLog, events_of, no_log
from lotus_lab.randomiser.randomiser import read_log

_SIDES: Final = {"long": 1, "buy": 1, "short": -1, "sell": -1, "1": 1, "-1": -1}
_CSV: Final = ("opened", "closed", "asset", "strategy", "side", "entry", "exit")
_POSITION: Final = {"instrument_id", "strategy_id", "entry", "realized_return", "ts_opened", "ts_closed"}


def nautilus(catalog: Path) -> ImportedLog:
    """Return the closed positions of a catalogue: Parquet, or the streams of a backtest or a live node.

    The payoff is the return of the average prices, without commissions.
    """
    files = sorted(
        path
        for path in ([catalog] if catalog.is_file() else catalog.rglob("*"))
        if path.suffix in (".parquet", ".feather") and "position_closed" in f"{path.parent.name}/{path.name}"
    )
    if not files:
        expected = "position_closed*.feather, or position_closed/*.parquet"
        raise SchemaError(f"no closed position in {catalog}", expected, "a catalogue of market data alone?")
    rows = [row for path in files for row in _positions(path)]
    unique = {row.get("position_id", str(k)) + str(row["ts_closed"]): row for k, row in enumerate(rows)}
    note = "Payoffs are without commissions: set cost_bps in the configuration."
    return events_of([_nautilus(row) for row in unique.values()], 0, note)


def _positions(path: Path) -> Iterable[dict[str, Any]]:
    try:
        if path.suffix == ".parquet":
            table = pq.read_table(path)
        else:
            with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as stream:
                table = stream.read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise no_log(path, error, "closed positions as NautilusTrader writes them") from None
    if missing := sorted(_POSITION - set(table.column_names)):
        raise SchemaError(
            f"{path} has no {', '.join(missing)}", "the fields of PositionClosed", "another kind of event?"
        )
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _nautilus(row: Mapping[str, Any]) -> ClosedTrade:
    symbol = str(row["instrument_id"]).rpartition(".")[0] or str(row["instrument_id"])
    side = _SIDES.get(str(row["entry"]).lower(), 0)
    if not side or row["realized_return"] is None or not math.isfinite(row["realized_return"]):
        raise SchemaError(
            f"position {row.get('position_id')}: {row['entry']}, return {row['realized_return']}", "a closed one"
        )
    opened, closed = (int(row[name]) // 1000 for name in ("ts_opened", "ts_closed"))
    return ClosedTrade(opened, closed, symbol, str(row["strategy_id"]), side, 1e4 * float(row["realized_return"]))


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
