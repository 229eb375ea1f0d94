"""Files hashed already: any change makes another file of one, and only the latest are remembered."""

import os
from pathlib import Path

import pytest

from lotus_store import verified
from lotus_store.verified import Verified, identity_of


def test_a_file_that_was_written_or_replaced_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a")
    known = Verified()
    known.add(identity_of(path))
    assert identity_of(str(path)) in known
    os.utime(path, ns=(1, 1))
    assert identity_of(path) not in known
    known.add(identity_of(path))
    other = tmp_path / "other"
    other.write_bytes(b"a")
    os.utime(other, ns=(1, 1))
    other.replace(path)
    assert identity_of(path) not in known


def test_the_oldest_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified, "MOST", 2)
    known, names = Verified(), [(name, 0, 0, 0, 0, 0) for name in "abc"]
    for name in names:
        known.add(name)
    assert [name in known for name in names] == [False, True, True]
