"""A branch or a tape that is not there: commands name those that are."""

from pathlib import Path

import click
import numpy as np
import pytest
from small_home import Cli

from lotus.columns import Column, TableSpec
from lotus_cli.main import COMMANDS, GROUPS, main
from lotus_cli.terminal.places import DAY
from lotus_store.lake import Lake

SPEC = TableSpec("signal_events", ("x",), (Column("x", "i8", "1", "x"),))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a scored branch `demo-7` and a tape `demo-7`."""
    lake = Lake(tmp_path / "lake")
    lake.write(SPEC, "demo-7", "2026-01-05", {"x": np.arange(3)})
    lake.write(SPEC, "a/b", "2026-01-05", {"x": np.arange(3)})
    (tmp_path / "tape" / "demo-7" / "2026-01-05").mkdir(parents=True)
    (tmp_path / "tape" / "empty").mkdir()
    (tmp_path / "lotus.toml").touch()
    assert lake.branches("signal_events") == ["a/b", "demo-7"]
    return tmp_path


@pytest.mark.parametrize("words", [["pnl"], ["priors", "list"], ["review", "list"]])
def test_a_branch_that_was_never_scored(home: Path, words: list[str]) -> None:
    done = Cli(home)(*words, "--home", str(home), code=3)
    expected = "branch main was never scored; expected: one of a/b, demo-7; likely cause: --branch (or LOTUS_BRANCH)"
    assert expected in done.stderr


def test_a_tape_that_is_not_there(home: Path) -> None:
    done = Cli(home)("sanity", "--home", str(home), code=3)
    assert "no tape live; expected: one of demo-7; likely cause: --tape (or LOTUS_TAPE)" in done.stderr


def test_every_command_stands_in_one_group_of_the_help() -> None:
    named = [name for names in GROUPS.values() for name in names]
    assert sorted(named) == sorted(COMMANDS)
    text = main.get_help(main.make_context("lotus", ["--help"], resilient_parsing=True))
    assert all(f"{title}:" in text for title in GROUPS)


@pytest.mark.parametrize("text", ["9999-12-31", "9000-01-01", "0001-01-01", "1969-12-31", "2026-13-01", "20260101", ""])
def test_a_day_at_the_end_of_the_calendar_is_none(text: str) -> None:
    """Whoever takes a day asks for the one after or before it, too."""
    with pytest.raises(click.BadParameter, match="from 1970 to 8999"):
        DAY.convert(text, None, None)
    assert [DAY.convert(day, None, None) for day in ("1970-01-01", "8999-12-31")] == ["1970-01-01", "8999-12-31"]
