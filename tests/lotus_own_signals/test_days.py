"""Windows kept as a few numbers give the columns that the formulas say, whole or by detector."""

import numpy as np
import pytest
from own_world import own_world, table

from lotus.own_signals.config import OwnConfig
from lotus.own_signals.scores import scored


@pytest.fixture(scope="module")
def days():
    """Return a week of two detectors, the second from the fourth day on, without paper payoffs from the third on."""
    world = own_world(seed=2, days=7, n=40, detectors=2)
    day = (world["ts"] - world["ts"].min()) // 86_400_000_000
    world["paper_payoff_bps"] = np.where((day >= 2) & ~world["published"], np.nan, world["paper_payoff_bps"])
    kept = (world["detector_id"] == "d0") | (day >= 3)
    return scored(table({k: v[kept] for k, v in world.items()}), OwnConfig(cost_bps=0.5)).scores


def test_a_detector_has_its_rows_of_every_day_and_empty_days_where_it_has_none(days):
    assert days.detectors == ("d0", "d1")
    for name in days.detectors:
        for day, columns in days.of(name).items():
            mine = days[day]["detector_id"] == name
            assert set(columns) == set(days[day])
            for key in columns:
                np.testing.assert_array_equal(columns[key], days[day][key][mine], err_msg=key)
    assert len(days.of("d1")[days.days[0]]["p"]) == 0
    assert sum(len(x["p"]) for x in days.of("d1").values()) > 0


def test_every_column_has_one_value_a_window(days):
    for columns in days.values():
        assert {len(values) for values in columns.values()} == {len(columns["p"])}
        assert len(columns) == len(list(columns))
    with pytest.raises(KeyError):
        days["1999-01-01"]
    with pytest.raises(KeyError):
        days[days.days[0]]["no such column"]
