"""`lotus backfill`: committed days stay as they are."""

from hashlib import sha256
from pathlib import Path

import pytest
from small_home import Cli, Facts

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")


def tree(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != ".verified"]  # names inodes
    return {str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest() for p in files}


def test_a_backfill_of_committed_days_changes_nothing(lotus: Cli, facts: Facts) -> None:
    words = ("backfill", "--tape", "demo-11", "--branch", "demo-11", "--from", "2026-01-05", "--to", "2026-01-08")
    before = tree(lotus.home / "lake")
    first = lotus.json(*words)
    assert first["days"] == ["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08"]
    assert first["rows"]["microtape_frames"] == facts["frames"]
    assert first["rows"]["signal_events"] == facts["events"]
    assert tree(lotus.home / "lake") == before
