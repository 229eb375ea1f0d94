"""A tape without a lake: frames are made of it, lines are those that came, and only what is there is given."""

from pathlib import Path

import pandas as pd
import pytest

import lotus_lab as lab
from lotus.errors import ConfigError, LakeError, TapeError


def test_frames_are_made_of_the_tape_and_nothing_is_written(small: lab.RecordedTape) -> None:
    assert (small.name, small.branch, small.coins) == ("example", "example", ["BTC", "ETH", "SOL"])
    frames = small.frames("ETH", small.days[1])
    assert frames["asset"].unique().tolist() == [1]
    assert frames["end_ms"].diff().dropna().eq(200).all()
    assert not (small.settings.home / "lake").exists()
    with pytest.raises(LakeError, match="no signal_events of any day"):
        small.events()


def test_lines_lie_between_their_times(small: lab.RecordedTape) -> None:
    whole = small.raw(small.days[0])
    part = small.raw(small.days[0], "08:01", "08:02:00.5")
    first, stop = (pd.Timestamp(f"{small.days[0]} {text}", tz="UTC") for text in ("08:01", "08:02:00.5"))
    inside = whole[(whole["received"] >= first) & (whole["received"] < stop)]
    assert part["line"].tolist() == inside["line"].tolist()
    assert len(part) > 100
    assert small.raw(small.days[0], "09:00").empty


def test_no_home_and_no_such_tape_are_told(small: lab.RecordedTape, tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="no tape 'example'"):
        lab.tape("example", home=tmp_path / "none")
    with pytest.raises(TapeError, match="no tape 'other'"):
        lab.tape("other", home=small.settings.home)
    with pytest.raises(ConfigError, match="is a file"):
        lab.tape("example", home=__file__)
    assert not list(tmp_path.iterdir())


def test_a_damaged_segment_is_told(tmp_path: Path) -> None:
    tape = lab.example_tape(tmp_path, minutes=10)
    segment = next((tmp_path / "tape").rglob("*.zst"))
    segment.write_bytes(segment.read_bytes()[:-100])
    with pytest.raises(TapeError):
        tape.raw(tape.days[0])
