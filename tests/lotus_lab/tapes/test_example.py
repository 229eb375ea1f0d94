"""The example's tape: the same again, never over another, and only of lengths that can be."""

from pathlib import Path

import pytest

import lotus_lab as lab
from lotus.errors import ConfigError
from lotus_store.tape.store import TapeStore


def test_what_is_there_stays(small: lab.RecordedTape) -> None:
    before = small.raw(small.days[0])
    again = lab.example_tape(small.settings.home, minutes=10, days=2)
    assert again.days == small.days
    assert again.raw(again.days[0]).equals(before)


@pytest.mark.parametrize(("minutes", "days"), [(9, 1), (901, 1), (30, 0)])
def test_other_lengths_are_refused(minutes: int, days: int, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="minutes"):
        lab.example_tape(tmp_path / "home", minutes=minutes, days=days)
    assert not TapeStore(tmp_path / "home", "example").exists()
