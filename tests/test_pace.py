"""Turns of `tests/support/pace.py`: every marked test has one of them, every other test runs in each."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pace import IN_EVERY_TURN, MARKS, TESTS, of_other_turns


def item(file: str, *marks: str) -> Any:
    """Return what turns look at of a test."""
    return SimpleNamespace(path=Path(file), iter_markers=lambda: [SimpleNamespace(name=name) for name in marks])


@pytest.mark.parametrize("turns", [1, 2, 3, 7])
def test_each_marked_test_has_one_turn_and_the_others_run_in_all(turns: int) -> None:
    items = [item(f"test_{k // 2}.py", *(["parametrize", sorted(MARKS)[k % 5]] if k % 3 else [])) for k in range(30)]
    left_out = [of_other_turns(items, turn, turns) for turn in range(1, turns + 1)]
    times = [sum(one not in others for others in left_out) for one in items]
    assert times == [1 if k % 3 else turns for k in range(30)]
    assert all(len(others) < 20 for others in left_out)
    golden = [item(str(TESTS / name), "process") for name in IN_EVERY_TURN]
    assert not any(
        one in of_other_turns([*golden, *items], turn, turns) for one in golden for turn in range(1, turns + 1)
    )


def test_a_turn_that_is_none_is_refused() -> None:
    with pytest.raises(pytest.UsageError, match="found turn 4 of 3; expected one of 1 to 3"):
        of_other_turns([], 4, 3)
