"""What experts said on days before one of them was there: it said nothing, and nothing else is made up."""

from pathlib import Path

import numpy as np
import pytest

from lotus.columns import Column, TableSpec
from lotus_assets.stages.experts.spoken_at import said
from lotus_store.lake import Lake

SPEC = TableSpec(
    "dsi_windows",
    ("asset", "frame_idx"),
    (
        Column("asset", "i2", "index", "coin"),
        Column("frame_idx", "i8", "frames", "frame"),
        Column("z_old", "f4", "nat", "what the one that was there said"),
    ),
)
DAY = "2026-01-05"


def test_an_expert_that_came_later_said_nothing(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    rows = {"asset": np.zeros(2, np.int16), "frame_idx": np.array([5, 6]), "z_old": np.array([0.5, -1.0], np.float32)}
    lake.write(SPEC, "main", DAY, rows, "BTC")
    found = said(lake, SPEC.name, "main", DAY, "BTC", ("asset", "frame_idx", "z_old", "z_new"))
    assert found["z_old"].tolist() == [0.5, -1.0]
    assert found["z_new"].tolist() == [0.0, 0.0]
    assert list(said(lake, SPEC.name, "main", DAY, "BTC", ("frame_idx", "z_old"))) == ["frame_idx", "z_old"]
    with pytest.raises(KeyError, match="fired"):
        said(lake, SPEC.name, "main", DAY, "BTC", ("frame_idx", "fired"))
