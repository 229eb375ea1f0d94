"""The venue's public archive: books, contexts, fills and prints become tape; a foreign file is an error."""

import json
from pathlib import Path

import lz4.frame
import numpy as np
import pytest

from lotus.errors import TapeError
from lotus.microtape.events import Ctx, EventKind, trade_rows
from lotus_store.tape.import_archive import import_archive
from lotus_store.tape.store import TapeStore
from lotus_store.tape.writer import WriterRules

RULES = WriterRules(reserve_bytes=0)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lz4.frame.compress(text.encode()))


def _archive(root: Path) -> None:
    levels = [[{"px": "80639.0", "sz": "1.5", "n": 2}], [{"px": "80640.0", "sz": "0.5", "n": 1}]]
    for coin in ("BTC", "ETH"):
        for hour in (9, 10):
            rows = []
            for k in range(5):
                book = {"coin": coin, "time": 1741683600000 + (hour - 9) * 3_600_000 + 500 * k, "levels": levels}
                stamp = f"2025-03-11T{hour:02d}:00:{k // 2:02d}.{5 * (k % 2)}96545473"
                raw = {"channel": "l2Book", "data": book}
                rows.append(json.dumps({"time": stamp, "ver_num": 1, "raw": raw}, separators=(",", ":")))
            _write(root / "market_data" / "20250311" / str(hour) / "l2Book" / f"{coin}.lz4", "\n".join(rows) + "\n")
    header = "time,coin,funding,open_interest,prev_day_px,day_ntl_vlm,premium,oracle_px,mark_px,mid_px,"
    context = (
        header + "impact_bid_px,impact_ask_px\n"
        "2025-03-11T09:00:01Z,BTC,0.0000125,36295.8,77759.0,44906.3,-0.0005,80684.0,80640.0,80639.5,80637.0,80640.0\n"
        "2025-03-11T09:00:01Z,XRP,0.0000125,1,1,1,,1,1,,,\n"
        "2025-03-11T09:01:00Z,ETH,0.0000125,1,1,1,,1900.5,1900.4,,,\n"
    )
    _write(root / "asset_ctxs" / "20250311.csv.lz4", context)


def _fill(user: str, side: str, crossed: bool, tid: int) -> list[object]:
    fill = {"coin": "BTC", "px": "80640.0", "sz": "0.25", "side": side, "time": 1741683601500, "tid": tid}
    return [user, {**fill, "crossed": crossed, "hash": "0xabc", "oid": 5, "dir": "Open Long"}]


def test_archive_of_books_contexts_and_fills(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    _archive(root)
    fills = [_fill("0xm", "A", False, 9), _fill("0xt", "B", True, 9), _fill("0xt", "A", True, 10)]
    block = {"local_time": "2025-03-11T09:00:01.700", "block_time": "x", "block_number": 1, "events": fills}
    _write(root / "node_fills_by_block" / "hourly" / "20250311" / "9.lz4", json.dumps(block))
    store = TapeStore(tmp_path, "t")
    report = import_archive(store, root, ["2025-03-11"], rules=RULES)
    assert report.lines == 20 + 2 + 1
    batch, decoded = store.decode_day("2025-03-11")
    assert decoded.kinds == {"book": 20, "trades": 1, "ctx": 2}
    assert np.all(np.diff(batch.recv_ns) >= 0)
    assert batch.recv_ns[0] == 1741683600096545473
    prints = trade_rows(batch.payload(int(np.flatnonzero(batch.kind == EventKind.TRADES)[0])))
    assert prints.tolist() == [[806_400, 25_000, 1, 1741683601500, 9], [806_400, 25_000, -1, 1741683601500, 10]]
    context = batch.payload(int(np.flatnonzero(batch.kind == EventKind.CTX)[0]))
    assert (context[Ctx.ORACLE_PX], context[Ctx.MID2_PX], context[Ctx.FUNDING]) == (806_840, 1_612_790, 12_500_000)
    assert import_archive(store, root, ["2025-03-11"], rules=RULES).unchanged == ("2025-03-11",)


def test_archive_of_single_trades(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    sides = [{"user": "0xb", "oid": 1}, {"user": "0xs", "oid": 2}]
    rows = [
        {"coin": coin, "side": "B", "time": "2025-04-01T09:00:01.5", "px": "80640.0", "sz": "0.25", "hash": "0x1"}
        for coin in ("BTC", "XRP")
    ]
    _write(
        root / "node_trades" / "hourly" / "20250401" / "9.lz4",
        "\n".join(json.dumps({**row, "side_info": sides}) for row in [rows[0], rows[0], rows[1]]),
    )
    store = TapeStore(tmp_path, "t")
    import_archive(store, root, ["2025-04-01"], ["BTC"], rules=RULES)
    _, decoded = store.decode_day("2025-04-01")
    assert (decoded.assets["BTC"].prints, decoded.assets["BTC"].duplicates) == (1, 1)
    with pytest.raises(TapeError, match="no archive files of 2025-04-02"):
        import_archive(store, root, ["2025-04-02"], ["BTC"], rules=RULES)


def test_a_truncated_or_foreign_archive_file_is_an_error(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    _archive(root)
    book = root / "market_data" / "20250311" / "10" / "l2Book" / "BTC.lz4"
    whole = book.read_bytes()
    book.write_bytes(whole[:-20])
    store = TapeStore(tmp_path, "t")
    with pytest.raises(TapeError, match=r"BTC\.lz4"):
        import_archive(store, root, ["2025-03-11"], rules=RULES)
    _write(book, '{"other":1}\n')
    with pytest.raises(TapeError, match="archive"):
        import_archive(store, root, ["2025-03-11"], rules=RULES)
    assert not store.folder.exists()
