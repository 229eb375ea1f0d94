"""State files: what was written comes back to the bit, a torn file is not there, other keys and days go."""

from pathlib import Path

import numpy as np
import pytest

from lotus_store.learner_state import WINDOWS, LearnerState

FACTS = {"detector_id": "d", "windows": 3, "sum_h": 0.1 + 0.2}
ARRAYS = {
    "present": np.array([True, False, True]),
    "r": np.arange(10.0).reshape(2, 5) / 3.0,
    "published": np.array([7], dtype=np.uint32),
}


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    state = LearnerState(tmp_path, "main")
    assert state.read("2025-01-06", "d", "k") is None
    state.write("2025-01-06", "d", "k", FACTS, ARRAYS)
    found = state.read("2025-01-06", "d", "k")
    assert found is not None
    facts, arrays = found
    assert facts == FACTS
    assert list(arrays) == list(ARRAYS)
    for name, values in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], values)
        assert arrays[name].dtype == values.dtype


def test_a_torn_file_is_not_there(tmp_path: Path) -> None:
    state = LearnerState(tmp_path, "main")
    state.write("2025-01-06", "d", "k", FACTS, ARRAYS)
    (path,) = tmp_path.rglob("*.sums")
    whole = path.read_bytes()
    for size in (0, 5, 40, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert state.read("2025-01-06", "d", "k") is None
    path.write_bytes(whole)
    assert state.read("2025-01-06", "d", "k") is not None


def test_other_keys_and_other_days_go(tmp_path: Path) -> None:
    state = LearnerState(tmp_path, "main")
    for day in ("2025-01-06", "2025-01-07"):
        state.write(day, "d", "old", FACTS, ARRAYS)
        state.write(day, "e", "old", FACTS, ARRAYS)
    state.write("2025-01-07", "d", "new", FACTS, ARRAYS)
    assert state.read("2025-01-07", "d", "old") is None
    assert state.read("2025-01-07", "e", "old") is not None
    state.write("2025-01-07", "d-2", "old", FACTS, ARRAYS)  # another detector, whose name begins with this one's
    state.write("2025-01-07", "d", "newest", FACTS, ARRAYS)
    assert state.read("2025-01-07", "d-2", "old") is not None
    state.keep({"2025-01-07"})
    assert sorted(p.name for p in tmp_path.rglob("*.sums")) == ["d-2-old.sums", "d-newest.sums", "e-old.sums"]


def test_kinds_stand_beside_each_other(tmp_path: Path) -> None:
    state = LearnerState(tmp_path, "main")
    state.write("2025-01-06", "d", "k", FACTS, ARRAYS)
    state.write("2025-01-06", "d", "other", FACTS, ARRAYS, WINDOWS)
    assert state.read("2025-01-06", "d", "k") is not None
    assert state.read("2025-01-06", "d", "other", WINDOWS) is not None
    assert state.read("2025-01-06", "d", "k", WINDOWS) is None


def test_a_file_with_any_changed_byte_is_not_there(tmp_path: Path) -> None:
    """Head and arrays: never an error of the reader, never other values."""
    state = LearnerState(tmp_path, "main")
    state.write("2025-01-06", "d", "k", FACTS, ARRAYS)
    (path,) = tmp_path.rglob("*.sums")
    whole = path.read_bytes()
    for at in range(len(whole)):
        for bit in (1, 0x40):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
            assert state.read("2025-01-06", "d", "k") is None
    path.write_bytes(whole)
    assert state.read("2025-01-06", "d", "k") is not None
    path.write_bytes(whole[16:])  # the form of before
    assert state.read("2025-01-06", "d", "k") is None


def test_a_file_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = LearnerState(tmp_path, "main")
    state.write("2025-01-06", "d", "k", FACTS, ARRAYS)
    assert state.read("2025-01-06", "d", "k") is not None
    monkeypatch.delattr("lotus_store.learner_state.hashlib")
    assert state.read("2025-01-06", "d", "k") is not None
