"""A home from a notebook: the lake alone answers in SQL, and what may not be asked is refused."""

from pathlib import Path

import numpy as np
import pytest

import lotus_lab as lab
from lotus.columns import Column, TableSpec
from lotus.errors import ConfigError, QueryError
from lotus_store.lake import Lake

pytestmark = pytest.mark.process("every question starts a Python of its own")
MADE = TableSpec("made", ("n",), (Column("n", "i8", "", "a number"), Column("word", "text", "", "a word")))


def test_a_look_makes_no_home(tmp_path: Path) -> None:
    assert lab.sql("SELECT 1 AS n", home=str(tmp_path / "none"))["n"].tolist() == [1]
    with pytest.raises(ConfigError, match="there is no home"):
        lab.explain("x", home=str(tmp_path / "none"))
    assert not list(tmp_path.iterdir())


def test_rows_come_as_a_frame_and_nothing_but_reading_is_done(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.write(MADE, "main", "2026-01-05", {"n": np.arange(3), "word": ["a", "b", "c"]})
    frame = lab.sql("SELECT n, word FROM made WHERE n > $low ORDER BY n", {"low": 0}, home=str(tmp_path))
    assert frame.to_dict("list") == {"n": [1, 2], "word": ["b", "c"]}
    for text in ("DROP TABLE made", "COPY made TO '/tmp/x'", "SELECT * FROM read_csv('/etc/passwd')"):
        with pytest.raises(QueryError):
            lab.sql(text, home=str(tmp_path))
    assert lake.days("made", "main") == ["2026-01-05"]
