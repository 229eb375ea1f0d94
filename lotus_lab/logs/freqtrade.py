"""What Freqtrade traded: its database, or the result of a backtest (`backtest-result-*.zip`, or the JSON in it).

Both hold the fields of its `Trade`. Trades are read one by one, so a database of years needs no more memory than its
closed trades. Times are UTC, as the database has them without a zone.
"""

import json
import math
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from lotus.errors import SchemaError
from lotus_lab.logs.times import us_of
from lotus_lab.logs.trades import ClosedTrade, ImportedLog, events_of, no_log

_SQL: Final = Path(__file__).with_name("freqtrade.sql")
_NEEDED: Final = {"pair", "open_date", "close_date", "is_open"}
_PROFIT: Final = ("close_profit", "profit_ratio")  # in the database, in a result
_DATABASE: Final = b"SQLite format 3\x00"
_HEADER: Final = 100  # bytes of a database's; the size of a page at 16, their number at 28 (sqlite.org/fileformat)
_EXPECTED: Final = "a database of Freqtrade (tradesv3.sqlite) or backtest-result-*.zip"
Row = Mapping[str, Any]


def freqtrade(log: Path) -> ImportedLog:
    """Return its closed trades; the payoff is the profit without leverage, net of fees and funding."""
    if log.is_dir():
        raise SchemaError(f"{log} is a folder", _EXPECTED)
    with log.open("rb") as file:
        head = file.read(_HEADER)
    closed, still_open = list[Row](), 0
    for row in _database(log, head) if head.startswith(_DATABASE) else _result(log, head.startswith(b"PK")):
        if row["is_open"] or _profit(row) is None:
            still_open += 1
        else:
            closed.append(row)
    bases: dict[str, set[str]] = {}
    for row in closed:
        bases.setdefault(_base(row), set()).add(str(row["pair"]))
    return events_of([_closed(log, row, len(bases[_base(row)]) == 1) for row in closed], still_open)


def _database(log: Path, head: bytes) -> Iterator[Row]:
    page, pages = int.from_bytes(head[16:18], "big"), int.from_bytes(head[28:32], "big")
    if len(head) < _HEADER or log.stat().st_size < pages * (65_536 if page == 1 else page):
        raise no_log(log, ValueError("shorter than its header says"), _EXPECTED)  # SQLite itself may not say so
    kept = _NEEDED | {"id", "strategy", "enter_tag", "buy_tag", "leverage", "is_short", "close_profit"}
    try:
        with closing(sqlite3.connect(f"{log.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            cursor = connection.execute(_SQL.read_text("utf-8"))
            names = [name for name, *_ in cursor.description]
            _check(log, set(names))
            for values in cursor:
                yield {name: value for name, value in zip(names, values, strict=True) if name in kept}
    except sqlite3.Error as error:
        raise no_log(log, error, _EXPECTED) from None


def _result(log: Path, zipped: bool) -> Iterator[Row]:
    try:
        if zipped:
            with zipfile.ZipFile(log) as archive:
                name = next((x for x in archive.namelist() if x == f"{log.stem}.json"), "")
                text = archive.read(name or _only_json(archive))
        else:
            text = log.read_bytes()
        made = json.loads(text)
        strategies = {str(name): list(own["trades"]) for name, own in made["strategy"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, zipfile.BadZipFile) as error:
        raise no_log(log, error, _EXPECTED) from None
    for strategy, trades in strategies.items():
        for number, trade in enumerate(trades, 1):
            if not isinstance(trade, dict):
                raise SchemaError(f"{log}, trade {number} is {type(trade).__name__}", "an object")
            _check(log, trade.keys())
            yield {"id": number, "strategy": strategy, **trade}


def _only_json(archive: zipfile.ZipFile) -> str:
    """Return the one file of results of an archive that was renamed; raises `KeyError` for any other number."""
    names = [x for x in archive.namelist() if x.endswith(".json") and not x.endswith("_config.json")]
    if len(names) != 1:
        raise KeyError(f"{len(names)} files of results in it")
    return names[0]


def _check(log: Path, names: "set[str] | Any") -> None:
    missing = sorted(_NEEDED - set(names)) + (["close_profit"] if not set(_PROFIT) & set(names) else [])
    if missing:
        raise SchemaError(f"trades of {log} have no {', '.join(missing)}", "those of Freqtrade", "another bot's?")


def _profit(row: Row) -> Any:
    return row.get("close_profit", row.get("profit_ratio"))


def _base(row: Row) -> str:
    return str(row["pair"]).partition("/")[0]


def _closed(log: Path, row: Row, alone: bool) -> ClosedTrade:
    """Return one trade; the asset is the base currency, the pair where several pairs of the log have the same one."""
    where = f"{log}, trade {row.get('id')}"
    tag = row.get("enter_tag") or row.get("buy_tag") or ""
    try:
        payoff = 1e4 * float(_profit(row)) / float(row.get("leverage") or 1.0)
    except (TypeError, ValueError):
        payoff = math.nan
    if not math.isfinite(payoff):
        raise SchemaError(f"{where}: profit {_profit(row)!r}, leverage {row.get('leverage')!r}", "finite numbers")
    opened, closed = (us_of(row[name], where, utc=True) for name in ("open_date", "close_date"))
    return ClosedTrade(
        opened, closed, _base(row) if alone else str(row["pair"]), str(row.get("strategy") or "freqtrade"),
        -1 if row.get("is_short") else 1, payoff, {"x_tag": str(tag)} if tag else {},
    )  # fmt: skip
