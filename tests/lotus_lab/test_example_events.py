"""The example as a table is that of the files, and plants what it is told to."""

from pathlib import Path

import pandas as pd
import pytest

import lotus_lab as lab
from lotus.errors import ConfigError
from lotus.own_signals.example import ExampleSpec
from lotus_lab.example_events import write_example


def test_the_table_is_that_of_the_files(tmp_path: Path) -> None:
    paths = write_example(tmp_path / "example", ExampleSpec(days=2), "parquet")
    assert pd.concat(map(pd.read_parquet, paths), ignore_index=True).equals(lab.example(days=2))


def test_nothing_planted_is_the_same_desk_without_the_corner() -> None:
    planted, noise = lab.example(days=2), lab.example(days=2, effect_bps=0.0)
    differs = planted["paper_payoff_bps"] != noise["paper_payoff_bps"]
    assert set(planted.loc[differs, "detector_id"]) == {"breakout"}
    assert set(planted.loc[differs, "x_regime"]) == {"calm"}
    with pytest.raises(ConfigError, match="1 or more"):
        lab.example(days=0)
