"""The page reads a part of the lake once, and keeps no more than its bytes."""

from typing import Any

import numpy as np

from lotus_store.facts.pnl.reader import PageReader
from lotus_store.lake import Lake


class _CountingLake(Lake):
    def __init__(self) -> None:
        self.asked: list[str] = []

    def read(self, name: str, branch: str, day: str, *_: Any, **__: Any) -> dict[str, Any]:
        self.asked.append(day)
        return {"x": np.zeros(100)}


def test_a_part_is_read_once_while_it_is_kept() -> None:
    lake = _CountingLake()
    reader = PageReader(lake, most_bytes=2_000)
    for day in ("1", "2", "1", "3", "1", "2"):  # 2 made room for 3
        assert reader.read("t", "b", day, columns=("x",))["x"].size == 100
    assert lake.asked == ["1", "2", "3", "2"]
    reader.read("t", "b", "2", columns=("x", "y"))
    assert lake.asked[-1] == "2"


def test_a_part_larger_than_all_is_given() -> None:
    reader = PageReader(_CountingLake(), most_bytes=1)
    assert [reader.read("t", "b", day, columns=("x",))["x"].size for day in "121"] == [100] * 3
