"""A tape that is built from foreign lines is there whole or not, and once."""

import gzip
import hashlib
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from lotus.errors import TapeError
from lotus_store.tape.import_recording import import_recording
from lotus_store.tape.store import TapeStore
from lotus_store.tape.writer import WriterRules

from .foreign_lines import _lines

RULES = WriterRules(reserve_bytes=0)


def _tree(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


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
