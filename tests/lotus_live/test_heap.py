"""The heap's calls do nothing bad, wherever they run."""

from pathlib import Path

import pytest

from lotus_live import heap


def test_what_is_free_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    heap.bound_arenas()
    heap.give_back()
    assert Path("/proc/self/status").exists()
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda _: object())
    heap.bound_arenas()
    heap.give_back()
