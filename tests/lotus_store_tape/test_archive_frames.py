"""Archives of nested files: too deep a one is an error of the tape."""

from pathlib import Path

import msgspec
import pytest

from lotus.errors import TapeError
from lotus_store.tape.archive_frames import book_lines, fill_lines, trade_lines
from lotus_store.tape.store import TapeStore

DEEP = b"[" * 1_100 + b"]" * 1_100


def test_deep_files_are_tape_errors(store: TapeStore, tmp_path: Path) -> None:
    line = msgspec.json.encode({"time": "2026-01-01T00:00:00", "local_time": "2026-01-01T00:00:00"})
    for reader in (book_lines, lambda x, w: fill_lines(x, frozenset(), w), lambda x, w: trade_lines(x, frozenset(), w)):
        with pytest.raises(TapeError, match="the archive's form"):
            list(reader([line[:-1] + b',"odd":' + DEEP + b"}"], "file"))  # type: ignore[operator]
    (store.folder / "header.json").write_bytes(b'{"odd":' + DEEP * 100 + b"}")
    with pytest.raises(TapeError, match="not a tape header"):
        store.header()
    day = store.folder / "2026-01-01"
    day.mkdir()
    (day / "000000-0000.zst").write_bytes(b"")
    (day / "000000-0000.zst.json").write_bytes(b'{"odd":' + DEEP * 100 + b"}")
    with pytest.raises(TapeError, match="not a segment index"):
        store.segments("2026-01-01")
