"""Rows of the venue's public archive back into the frames its websocket would have sent (pure functions).

Books are stored as frames already; contexts come as CSV rows and trades as fills of both sides or as trade rows.
"""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from lotus.errors import TapeError
from lotus.hashing import natural_id
from lotus.json_text import too_deep

_TID_HEX: Final = 12  # 48 bits, as the venue's own ids stay below 2^50
CTX_COLUMNS: Final = (
    *("time", "coin", "funding", "open_interest", "prev_day_px", "day_ntl_vlm"),
    *("premium", "oracle_px", "mark_px", "mid_px", "impact_bid_px", "impact_ask_px"),
)
Line = tuple[int, bytes]


class _BookLine(msgspec.Struct):
    time: str
    raw: msgspec.Raw


class _Fill(msgspec.Struct):
    coin: str
    px: str
    sz: str
    side: str
    time: int
    tid: int
    crossed: bool = True
    hash: str = ""


class _Block(msgspec.Struct):
    local_time: str
    events: list[tuple[str, _Fill]]


class _Side(msgspec.Struct):
    user: str
    oid: int = 0


class _TradeLine(msgspec.Struct):
    coin: str
    side: str
    time: str
    px: str
    sz: str
    hash: str = ""
    side_info: list[_Side] = []


_BOOKS: Final = msgspec.json.Decoder(_BookLine)
_BLOCKS: Final = msgspec.json.Decoder(_Block)
_TRADES: Final = msgspec.json.Decoder(_TradeLine)


def iso_ns(text: str) -> int:
    """Return nanoseconds since the epoch of an ISO time with up to nine decimals, UTC unless it names an offset.

    >>> iso_ns("2025-03-11T09:00:03.296545473")
    1741683603296545473
    """
    head, _, fraction = text.rstrip("Z").partition(".")
    try:
        seconds = int(datetime.fromisoformat(head).replace(tzinfo=UTC).timestamp())
        return seconds * 10**9 + int(fraction.ljust(9, "0")[:9] or 0)
    except ValueError as error:
        raise TapeError(f"time {text!r}", "an ISO time in UTC") from error


def book_lines(lines: Iterable[bytes], where: str) -> Iterator[Line]:
    """Yield the l2Book frames of an archive file, stamped with the node's own time."""
    for line in lines:
        row = _decode(_BOOKS, line, where)
        yield iso_ns(row.time), bytes(row.raw)


def ctx_lines(lines: Iterable[bytes], coins: frozenset[str], where: str) -> Iterator[Line]:
    """Yield activeAssetCtx frames of the wanted coins from a day's CSV of minute rows."""
    rows = csv.DictReader(line.decode() for line in lines)
    for row in rows:
        if set(row) != set(CTX_COLUMNS):
            raise TapeError(f"{where} has the columns {sorted(map(str, row))}", ", ".join(CTX_COLUMNS))
        if row["coin"] in coins:
            yield iso_ns(row["time"]), _frame("activeAssetCtx", {"coin": row["coin"], "ctx": _ctx(row)})


def fill_lines(lines: Iterable[bytes], coins: frozenset[str], where: str) -> Iterator[Line]:
    """Yield one trades frame per block and wanted coin from blocks of fills; the two fills of a trade become one."""
    for line in lines:
        block = _decode(_BLOCKS, line, where)
        by_coin: dict[str, dict[int, list[tuple[str, _Fill]]]] = {}
        for user, fill in block.events:
            if fill.coin in coins:
                by_coin.setdefault(fill.coin, {}).setdefault(fill.tid, []).append((user, fill))
        for trades in by_coin.values():
            yield iso_ns(block.local_time), _frame("trades", [_trade(sides) for sides in trades.values()])


def trade_lines(lines: Iterable[bytes], coins: frozenset[str], where: str) -> Iterator[Line]:
    """Yield trades frames from rows of single trades; these carry no tid, so one is made from both order ids."""
    for line in lines:
        row = _decode(_TRADES, line, where)
        if row.coin not in coins:
            continue
        at_ns = iso_ns(row.time)
        orders = [side.oid for side in row.side_info]
        tid = int(natural_id(row.coin, row.hash, row.px, row.sz, *orders)[:_TID_HEX], 16)
        yield (
            at_ns,
            _frame(
                "trades",
                [
                    {
                        "coin": row.coin,
                        "side": row.side,
                        "px": row.px,
                        "sz": row.sz,
                        "time": at_ns // 1_000_000,
                        "hash": row.hash,
                        "tid": tid,
                        "users": _pair([side.user for side in row.side_info]),
                    }
                ],
            ),
        )


def _trade(sides: list[tuple[str, _Fill]]) -> dict[str, Any]:
    taker = next((fill for _, fill in sides if fill.crossed), None)
    first = sides[0][1]
    side = taker.side if taker is not None else {"A": "B", "B": "A"}.get(first.side, first.side)
    buyers = [user for user, fill in sides if fill.side == "B"]
    sellers = [user for user, fill in sides if fill.side == "A"]
    return {
        "coin": first.coin,
        "side": side,
        "px": first.px,
        "sz": first.sz,
        "time": first.time,
        "hash": first.hash,
        "tid": first.tid,
        "users": _pair([*buyers[:1], *sellers[:1]]),
    }


def _pair(users: list[str]) -> list[str]:
    return [*users, "", ""][:2]


def _ctx(row: dict[str, str]) -> dict[str, Any]:
    impact = [row["impact_bid_px"], row["impact_ask_px"]]
    return {
        "funding": row["funding"],
        "openInterest": row["open_interest"],
        "prevDayPx": row["prev_day_px"],
        "dayNtlVlm": row["day_ntl_vlm"],
        "premium": row["premium"] or None,
        "oraclePx": row["oracle_px"],
        "markPx": row["mark_px"],
        "midPx": row["mid_px"] or None,
        "impactPxs": impact if all(impact) else None,
        "dayBaseVlm": "0.0",
    }


def _frame(channel: str, data: Any) -> bytes:
    return msgspec.json.encode({"channel": channel, "data": data})


def _decode(decoder: Any, line: bytes, where: str) -> Any:
    try:
        if too_deep(line):
            raise ValueError("nested too deep")
        return decoder.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise TapeError(
            f"{where} has the line {line[:60]!r} ({error})", "the archive's form", "another file"
        ) from error
