"""A few deaths of `two_venues.py` in every run of the tests; the script takes any number."""

import asyncio
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lotus_venues")]

from two_venues import drill  # noqa: E402


@pytest.mark.process("a desk trades over wall time while one of its venues dies")
def test_a_venue_that_dies_is_left_for_the_other_and_nothing_is_double_or_untracked(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    told = asyncio.run(drill(3, 5, 1.0, tmp_path, per_s=8.0, longest_s=3.0))
    assert told["is_clean"], told
    assert told["moved"] > 0, told
    assert min(told["orders_at_local"], told["orders_at_local-2"]) > 0, told
    assert told["reports"] == told["windows_told"], "a window is answered for once"
