"""Importers: the recordings, every compression, the archive layout; twice the same, nothing half-written."""

import gzip
import hashlib
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from lotus.errors import TapeError
from lotus_store.tape.import_recording import import_recording
from lotus_store.tape.store import TapeStore
from lotus_store.tape.verify import verify_tape
from lotus_store.tape.writer import WriterRules

from .foreign_lines import _lines

RULES = WriterRules(reserve_bytes=0)


@pytest.mark.parametrize("packer", [bytes, gzip.compress, zstandard.compress, lz4.frame.compress])
def test_every_compression_gives_the_same_tape(tmp_path: Path, packer: object) -> None:
    source = tmp_path / "capture"
    source.write_bytes(packer(_lines()))  # type: ignore[operator]
    store = TapeStore(tmp_path, "t")
    report = import_recording(store, [source], rules=RULES)
    assert (report.lines, report.added) == (50, ("2025-09-04",))
    assert b"".join(piece.lines for piece in store.read_day_lines("2025-09-04")) == _lines()
    assert report.segments[0].content_sha256 == hashlib.sha256(_lines()).hexdigest()


def test_lines_without_a_stamp(tmp_path: Path) -> None:
    source = tmp_path / "capture"
    source.write_bytes(b"not a capture\n")
    with pytest.raises(TapeError, match="is 'not a capture'"):
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
