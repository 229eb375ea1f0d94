"""The report of a day over the real recordings."""

import json
from pathlib import Path

import pytest

from lotus.manifest import Asset
from lotus_store.tape.import_recording import import_recording
from lotus_store.tape.importing import ImportSource
from lotus_store.tape.store import TapeStore
from lotus_store.tape.verify import verify_tape
from lotus_store.tape.writer import WriterRules

RULES = WriterRules(reserve_bytes=0)


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
