"""What NautilusTrader traded: closed positions of a catalogue or of a run's streams, or its report of positions as CSV.

Reference: its `PositionClosed` in Arrow, and `Trader.generate_positions_report`.
"""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lotus.errors import SchemaError
from lotus_lab.logs.times import us_of
from lotus_lab.logs.trades import ClosedTrade, ImportedLog, events_of, no_log

_NEEDED: Final = {"instrument_id", "strategy_id", "entry", "avg_px_open", "avg_px_close", "ts_opened", "ts_closed"}
_SIDES: Final = {"BUY": 1, "SELL": -1}
_EXPECTED: Final = "position_closed*.feather, position_closed/*.parquet, or a report of positions as CSV"
_NOTE: Final = "Payoffs are without commissions and funding: set cost_bps in the configuration."
Row = Mapping[str, Any]


def nautilus(log: Path) -> ImportedLog:
    """Return the closed positions; the payoff is the return of the average prices, without commissions."""
    if log.suffix == ".csv":
        rows = _report(log)
        closed = [row for row in rows if row["ts_closed"] and row["avg_px_close"]]
        return events_of([_closed(log, row) for row in closed], len(rows) - len(closed), _NOTE)
    files = sorted(
        path
        for path in ([log] if log.is_file() else log.rglob("*"))
        if path.suffix in (".parquet", ".feather")
        and any("position_closed" in part for part in path.parts[len(log.parts) - log.is_file() :])
    )
    if not files:
        raise SchemaError(f"no closed position in {log}", _EXPECTED, "a catalogue of market data alone?")
    rows = [row for path in files for row in _positions(path)]
    unique = {(row.get("position_id", k), row["ts_closed"]): row for k, row in enumerate(rows)}
    return events_of([_closed(log, row) for row in unique.values()], 0, _NOTE)


def _positions(path: Path) -> Iterable[dict[str, Any]]:
    try:
        if path.suffix == ".parquet":
            table = pq.read_table(path)
        else:
            with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as stream:
                table = stream.read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise no_log(path, error, "closed positions as NautilusTrader writes them") from None
    _check(path, table.column_names)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _report(log: Path) -> list[dict[str, Any]]:
    try:
        frame = pd.read_csv(log, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise no_log(log, error, _EXPECTED) from None
    _check(log, frame.columns)
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _check(path: Path, names: Iterable[str]) -> None:
    if missing := sorted(_NEEDED - set(names)):
        raise SchemaError(f"{path} has no {', '.join(missing)}", _EXPECTED, "another kind of event?")


def _closed(log: Path, row: Row) -> ClosedTrade:
    where = f"{log}, position {row.get('position_id')}"
    symbol = str(row["instrument_id"]).rpartition(".")[0] or str(row["instrument_id"])
    side = _SIDES.get(str(row["entry"]).upper(), 0)
    try:
        entry, leave = float(row["avg_px_open"]), float(row["avg_px_close"])
    except (TypeError, ValueError):
        entry = leave = math.nan
    if not side or not 0.0 < entry < math.inf or not math.isfinite(leave):
        found = f"{where}: {row['entry']} at {row['avg_px_open']}, closed at {row['avg_px_close']}"
        raise SchemaError(found, "BUY or SELL at finite prices", "a position that is open?")
    opened, closed = (_us(row[name], where) for name in ("ts_opened", "ts_closed"))
    payoff = side * (leave - entry) / entry * 1e4
    return ClosedTrade(opened, closed, symbol, str(row["strategy_id"]), side, payoff)


def _us(time: object, where: str) -> int:
    """Return nanoseconds, or a time of the report, as us since 1970."""
    return int(time) // 1000 if isinstance(time, int) else us_of(time, where)
