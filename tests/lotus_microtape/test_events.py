"""Events of a tape: a crossed quote, replayed prints, and half an hour as recorded."""

import numpy as np
import pytest
from decoded_lines import _report
from tape_cases import T0, UNIVERSE, compact, level, line

from lotus.manifest import Manifest
from lotus.microtape.events import EventKind, trade_rows
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.spec import CROSSED
from lotus.microtape.wire.decode import decode_lines

RECV = T0 * 1_000_000


def _bbo(bid: object, ask: object, time_ms: int = T0, coin: str = "BTC") -> bytes:
    return compact("bbo", {"coin": coin, "time": time_ms, "bbo": [bid, ask]})


def _trade(tid: int, time_ms: int = T0, px: str = "100.0", sz: str = "1.0", coin: str = "BTC") -> dict[str, object]:
    users = ["0xa", "0xb"]
    head = {"coin": coin, "side": "B", "px": px, "sz": sz, "time": time_ms, "hash": "0x0", "tid": tid}
    return {**head, "users": users}


def test_a_crossed_quote_is_put_aside_and_its_frame_says_so() -> None:
    at = [T0 + 200 * k for k in range(8)]
    fine, crossed = (level(98.0, "2"), level(99.0, "1")), (level(99.0, "2"), level(99.0, "1"))
    lines = [line(ms * 1_000_000, _bbo(*(crossed if k in (3, 4) else fine), ms)) for k, ms in enumerate(at)]
    batch, report = decode_lines(b"".join(lines), UNIVERSE)
    assert (report.reasons, len(report.quarantine)) == ({"crossed": 2}, 2)
    assert [EventKind(k) for k in batch.kind].count(EventKind.CROSSED) == 2
    quality = build_frames(batch, Manifest(), UNIVERSE).columns()["quality"]
    assert ((quality & CROSSED) > 0).tolist() == [False, False, True, True, True, False, False]


def test_replayed_prints_are_dropped_and_old_ones_counted() -> None:
    first = compact("trades", [_trade(1), _trade(2)])
    replay = compact("trades", [_trade(1), _trade(2), _trade(3, T0 + 10)])
    old = compact("trades", [_trade(4, T0 - 70_000), _trade(5, T0 - 1000)])
    lines = [line(RECV, first), line(RECV, replay), line(RECV, first), line(RECV, old)]
    batch, report = decode_lines(b"".join(lines), UNIVERSE)
    assert [trade_rows(batch.payload(k))[:, 4].tolist() for k in range(len(batch))] == [[1, 2], [3], [5]]
    assert batch.time_ms.tolist() == [T0, T0 + 10, T0 - 1000]
    counts = report.assets["BTC"]
    assert (counts.prints, counts.duplicates, counts.stale, counts.late_prints) == (4, 4, 1, 1)
    assert report.kinds == {"trades": 3, "nothing_new": 1}


@pytest.mark.recordings
def test_recording_of_half_an_hour() -> None:
    batch, report = _report("hyperliquid-2025-09-04/frames.jsonl.gz")
    assert report.kinds == {"book": 15140, "bbo": 51219, "trades": 7614}
    assert report.duplicates == 35
    assert 0.12 < report.late_share < 0.19
    trades = [trade_rows(batch.payload(int(k))) for k in np.flatnonzero(batch.kind == EventKind.TRADES)]
    owner = np.repeat(batch.asset[batch.kind == EventKind.TRADES], [len(rows) for rows in trades])
    keys = np.column_stack([owner, np.concatenate(trades)[:, 3:]])
    assert len(np.unique(keys, axis=0)) == len(keys) == 20_524
