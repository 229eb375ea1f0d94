"""Importers: the recordings, every compression, the archive layout; twice the same, nothing half-written."""

import gzip
import hashlib
import json
from pathlib import Path

import lz4.frame
import numpy as np
import pytest
import zstandard

from lotus.errors import TapeError
from lotus.manifest import Asset
from lotus.microtape.events import Ctx, EventKind, trade_rows
from lotus_store.tape.coin_units import survey
from lotus_store.tape.import_archive import import_archive
from lotus_store.tape.import_recording import import_recording
from lotus_store.tape.importing import ImportSource
from lotus_store.tape.store import TapeStore
from lotus_store.tape.verify import verify_tape
from lotus_store.tape.writer import WriterRules

RULES = WriterRules(reserve_bytes=0)
T0 = 1_757_015_216_000


def _lines(count: int = 50, coin: str = "BTC") -> bytes:
    text = b""
    for k in range(count):
        bbo = [{"px": "100.0", "sz": "1.0", "n": 1}, {"px": "101.0", "sz": "2.0", "n": 1}]
        data = {"coin": coin, "time": T0 + 500 * k, "bbo": bbo}
        frame = json.dumps({"channel": "bbo", "data": data}, separators=(",", ":"))
        text += f"{(T0 + 500 * k + 300) * 1_000_000} {frame}\n".encode()
    return text


def _tree(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("packer", [bytes, gzip.compress, zstandard.compress, lz4.frame.compress])
def test_every_compression_gives_the_same_tape(tmp_path: Path, packer: object) -> None:
    source = tmp_path / "capture"
    source.write_bytes(packer(_lines()))  # type: ignore[operator]
    store = TapeStore(tmp_path, "t")
    report = import_recording(store, [source], rules=RULES)
    assert (report.lines, report.added) == (50, ("2025-09-04",))
    assert b"".join(piece.lines for piece in store.read_day_lines("2025-09-04")) == _lines()
    assert report.segments[0].content_sha256 == hashlib.sha256(_lines()).hexdigest()


@pytest.mark.parametrize("packer", [gzip.compress, zstandard.compress, lz4.frame.compress])
@pytest.mark.parametrize("cut", [6, 30, -1])
def test_a_truncated_source_is_an_error_and_leaves_nothing(tmp_path: Path, packer: object, cut: int) -> None:
    source = tmp_path / "capture"
    source.write_bytes(packer(_lines(3000))[:cut])  # type: ignore[operator]
    store = TapeStore(tmp_path, "t")
    with pytest.raises(TapeError, match=r"expected.*likely cause"):
        import_recording(store, [source], rules=RULES)
    assert _tree(tmp_path) == {"capture": hashlib.sha256(source.read_bytes()).hexdigest()}


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    source = tmp_path / "capture"
    source.write_bytes(_lines())
    store = TapeStore(tmp_path, "t")
    first = import_recording(store, [source], rules=RULES)
    held = _tree(store.folder)
    again = import_recording(store, [source], rules=RULES)
    assert (again.added, again.unchanged, again.segments) == ((), first.added, first.segments)
    assert _tree(store.folder) == held


def test_other_lines_for_a_day_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "capture"
    source.write_bytes(_lines())
    store = TapeStore(tmp_path, "t")
    import_recording(store, [source], rules=RULES)
    held = _tree(store.folder)
    source.write_bytes(_lines(51))
    with pytest.raises(TapeError, match="already holds 2025-09-04 with other lines"):
        import_recording(store, [source], rules=RULES)
    assert _tree(store.folder) == held


def test_lines_without_a_stamp(tmp_path: Path) -> None:
    source = tmp_path / "capture"
    source.write_bytes(b"not a capture\n")
    with pytest.raises(TapeError, match="starts with"):
        import_recording(TapeStore(tmp_path, "t"), [source], rules=RULES)
    source.write_bytes(_lines(2) + b'{"broken\n' + _lines(3))
    store = TapeStore(tmp_path, "t")
    import_recording(store, [source], rules=RULES)
    report = verify_tape(store, "2025-09-04", 10_000)
    assert report.decoded.reasons == {"bad_json": 1}, "half a second out of turn is put in order"
    with pytest.raises(TapeError, match="no file"):
        import_recording(store, [tmp_path / "absent"], rules=RULES)
    source.write_bytes(b"")
    with pytest.raises(TapeError, match="has no lines"):
        import_recording(store, [source], rules=RULES)


def test_units_come_from_the_table_or_are_inferred_and_flagged() -> None:
    frames = [
        b'{"channel":"bbo","data":{"coin":"WLFI","bbo":[{"px":"0.22851","sz":"29240.0","n":1},null]}}',
        b'{"channel": "trades", "data": [{"coin": "NEW", "px": "10.5", "sz": "1.250"}]}',
        b'{"channel":"bbo","data":{"coin":"SOL","bbo":[{"px":"1","sz":"0.00001","n":1},null]}}',
        b'{"channel":"candle","data":{"coin":"XRP"}}',
    ]
    universe = survey(frames).universe(first=(Asset("NEW", 3), Asset("BTC", 5)))
    assert [(asset.name, asset.sz_decimals, asset.inferred) for asset in universe] == [
        ("NEW", 3, False),
        ("SOL", 2, False),
        ("WLFI", 0, True),
    ]
    with pytest.raises(TapeError, match="no market data"):
        survey(frames[3:]).universe()


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


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("name", "day", "lines", "duplicates"),
    [
        ("hyperliquid-2025-01-26-raw/btcusd_20250126.gz", "2025-01-26", 55, 0),
        ("hyperliquid-2025-09-03-outages/frames.jsonl.gz", "2025-09-03", 8_892, 53),
        ("hyperliquid-2025-09-04/frames.jsonl.gz", "2025-09-04", 73_973, 35),
    ],
)
def test_recordings_import_and_verify(
    tmp_path: Path, data: Path, name: str, day: str, lines: int, duplicates: int
) -> None:
    store = TapeStore(tmp_path, "t")
    what = ImportSource(name, (Asset("BTC", 5), Asset("ETH", 4), Asset("SOL", 2)))
    report = import_recording(store, [data / name], what, RULES)
    assert (report.lines, report.added) == (lines, (day,))
    assert [asset.name for asset in report.header.universe if asset.inferred] == (["WLFI"] if lines > 55 else [])
    found = verify_tape(store, day, 10_000)
    assert (found.decoded.lines, found.decoded.duplicates) == (lines, duplicates)
    assert found.decoded.reasons == {}
    assert json.loads(json.dumps(found.as_dict()))["duplicates"] == duplicates
    assert f"{lines} lines" in found.as_text()
    three = verify_tape(store, day, 10_000, (Asset("BTC", 5),))
    assert three.decoded.kinds.get("ignored_coin", 0) == (0 if lines == 55 else lines - _btc_lines(three.decoded.kinds))
    assert import_recording(store, [data / name], what, RULES).unchanged == (day,)


def _btc_lines(kinds: dict[str, int]) -> int:
    return sum(count for kind, count in kinds.items() if kind != "ignored_coin")
