"""The recorded copy is the recording, and a full disk stops loudly."""

from dataclasses import replace
from pathlib import Path

import pytest
from ledger_rows import DAY
from tapes import MANIFEST, in_order, market, write

from lotus.errors import TapeError
from lotus_live.live import run_live
from lotus_live.parity import verify_parity
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.settings.sections import TapeLimits
from lotus_store.tape.store import TapeStore

pytestmark = pytest.mark.process("the daemon on recordings, over wall time")
Lines = list[tuple[int, bytes]]


@pytest.fixture(scope="module")
def lines() -> Lines:
    """Twelve minutes of three assets."""
    return in_order(market(DAY, "09:00", 720, step_ms=500, seed=11))


@pytest.fixture
def recording(lines: Lines, tmp_path: Path) -> Path:
    """Those minutes as a file."""
    return write(tmp_path / "tape.txt", lines)


def test_the_recorded_copy_is_the_recording(settings: Settings, databases: Databases, recording: Path) -> None:
    run_live(settings, [recording], run_id="copy", databases=databases)
    store = TapeStore(settings.home, "copy")
    assert b"".join(piece.lines for piece in store.read_day_lines(DAY)) == recording.read_bytes()
    report = verify_parity([store.folder / m.day / m.name for m in store.segments(DAY)], MANIFEST)
    assert report.parity
    other = write(recording.with_name("other.txt"), [(1, b'{"channel":"pong"}')])
    with pytest.raises(TapeError, match="another recording"):
        run_live(settings, [other, recording], run_id="copy", databases=databases)


def test_a_full_disk_stops_loudly_before_anything_is_lost(
    settings: Settings, databases: Databases, recording: Path
) -> None:
    full = replace(settings, limits=TapeLimits(min_free_gb=1e9))
    with pytest.raises(TapeError, match="recording stopped"):
        run_live(full, [recording], run_id="full", databases=databases)
