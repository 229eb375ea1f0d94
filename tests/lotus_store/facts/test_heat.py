"""The heat map's cells: sums of atoms over two features with an interval by blocks, read once per content."""

import math
from pathlib import Path

import numpy as np
import pytest

from lotus.errors import ConfigError, LakeError
from lotus.learning.axes import SIDE, axes
from lotus.learning.cube import LESSON_ATOMS
from lotus_store.config import Settings, load_settings
from lotus_store.facts.heat import heat_of
from lotus_store.lake import Lake

DAYS = ("2026-01-05", "2026-01-06")
PAIR = int(np.flatnonzero((axes().subsets == [-1, 3, 5]).all(axis=1))[0])  # depth_slope, oi


def write(settings: Settings, day: str, values: dict[int, float]) -> None:
    """Store atoms of one cell (depth_slope 3, oi 1) by block, and of another subset beside them."""
    blocks, n = list(values), len(values)
    rows = {
        "detector_id": np.array(["d"] * (n + 1), dtype=object), "day": np.array([day] * (n + 1), dtype=object),
        "block": np.array([*blocks, 0], np.uint8), "triple": np.array([PAIR] * n + [PAIR + 1], np.int16),
        "cell": np.array([3 * SIDE + 1] * n + [0], np.int16), "r": np.array([*values.values(), 99.0]),
        "h": np.full(n + 1, 2.0), "rest_r": np.zeros(n + 1), "rest_h": np.ones(n + 1),
        "n": np.array([4] * n + [1], np.int32),
    }  # fmt: skip
    order = np.lexsort((rows["cell"], rows["triple"], rows["block"]))
    Lake(settings.lake_root).write(LESSON_ATOMS, settings.branch, day, {k: v[order] for k, v in rows.items()})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path, branch="b")


def test_a_cell_is_the_ratio_of_its_sums_and_its_error_that_of_its_blocks(settings: Settings) -> None:
    write(settings, DAYS[0], {0: 4.0, 2: 8.0})
    write(settings, DAYS[1], {0: 6.0})
    heat = heat_of(settings, None, ("depth_slope", "oi"), 14)
    (cell,) = heat.cells
    assert (heat.detector_id, heat.days, cell.bins, cell.n, cell.blocks) == ("d", DAYS, (3, 1), 12, 3)
    assert cell.mean_bps == pytest.approx(3.0)
    assert cell.half_bps == pytest.approx(1.96 * math.sqrt((2.0**2 + 2.0**2) * 3 / 2) / 6.0)
    assert heat_of(settings, "d", ("oi", "depth_slope"), 14).cells[0].bins == (1, 3)
    (newest,) = heat_of(settings, "d", ("depth_slope", "oi"), 1).cells
    assert (newest.mean_bps, math.isnan(newest.half_bps)) == (3.0, True)


def test_a_day_that_is_made_again_is_read_again(settings: Settings) -> None:
    write(settings, DAYS[0], {0: 4.0})
    before = heat_of(settings, "d", ("depth_slope", "oi"), 14).cells[0].mean_bps
    write(settings, DAYS[0], {0: -4.0})
    assert heat_of(settings, "d", ("depth_slope", "oi"), 14).cells[0].mean_bps == -before


def test_unknown_features_detectors_and_no_atoms_are_refused(settings: Settings) -> None:
    with pytest.raises(LakeError, match="no lesson atoms"):
        heat_of(settings, None, ("depth_slope", "oi"), 14)
    write(settings, DAYS[0], {0: 4.0})
    for features in (("oi", "oi"), ("oi", "b_oi; DROP"), ("", "oi")):
        with pytest.raises(ConfigError, match="two of"):
            heat_of(settings, None, features, 14)
    with pytest.raises(ConfigError, match="no atoms of detector"):
        heat_of(settings, "other", ("depth_slope", "oi"), 14)
