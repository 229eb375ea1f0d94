"""A tape moved in time: receive stamps and the venue's own times of its frames, all by the same span.

A recording can so be traded on as if it happened now, by a client on the machine's clock. Nothing else of a frame
changes. In the literature: time-shifted replay.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from lotus.json_text import too_deep
from lotus.timebase import NS_PER_MS

_TIMES = ("time", "t", "T")  # of books, tops and prints; of candles


def shifted(lines: Iterable[tuple[int, bytes]], start_ns: int) -> Iterator[tuple[int, bytes]]:
    """Yield (receive ns, frame) moved by whole milliseconds so that the first line is received at `start_ns`.

    >>> frame = b'{"channel":"bbo","data":{"coin":"BTC","time":1000,"bbo":[null,null]}}'
    >>> next(shifted([(1_200_000_000, frame)], 5_200_000_000))
    (5200000000, b'{"channel":"bbo","data":{"coin":"BTC","time":5000,"bbo":[null,null]}}')
    """
    span_ms: int | None = None
    for recv_ns, raw in lines:
        if span_ms is None:
            span_ms = (start_ns - recv_ns) // NS_PER_MS
        yield recv_ns + span_ms * NS_PER_MS, _moved(raw, span_ms)


def _moved(raw: bytes, span_ms: int) -> bytes:
    """Return a frame with its times moved; what is no JSON object with data stays as it is."""
    if too_deep(raw):
        return raw
    try:
        frame = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return raw
    data = frame.get("data") if isinstance(frame, dict) else None
    moved = False
    for part in data if isinstance(data, list) else [data]:
        moved |= isinstance(part, dict) and _move(part, span_ms)
    return msgspec.json.encode(frame) if moved else raw


def _move(part: dict[str, Any], span_ms: int) -> bool:
    times = [name for name in _TIMES if isinstance(part.get(name), int)]
    for name in times:
        part[name] += span_ms
    return bool(times)
