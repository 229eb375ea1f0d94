"""WindowFacts: an asset and hour a row, numbers in closed slots."""

import math

import numpy as np
import pytest

from lotus.coprocessor.window_facts import HOUR_MS, READ, SLOTS, HourFacts, facts_of_frames
from lotus.errors import ConfigError


def test_facts_are_those_of_the_frames_of_an_hour() -> None:
    rng = np.random.default_rng(1)
    frames = {name: rng.normal(size=400) for name in READ}
    frames["end_ms"] = np.repeat([5 * HOUR_MS + 1, 7 * HOUR_MS + 1], 200)
    frames["sweep"] = np.zeros(400)
    frames["sweep"][:3] = 1.0
    frames["spread_bps"][200:] = np.nan
    first, second = facts_of_frames(2, 1, frames)
    named = dict(zip((s.name for s in SLOTS), first.values, strict=True))
    assert (first.asset, first.day, first.hour, first.frames) == (2, 1, 5, 200)
    assert named["vol"] == pytest.approx(frames["rv_bps"][:200].mean(), rel=1e-3)
    assert named["spread"] == pytest.approx(np.median(frames["spread_bps"][:200]), rel=1e-3)
    assert named["sweeps"] == 3.0
    ret = frames["ret_bps"][:200]
    assert named["skew"] == pytest.approx(((ret - ret.mean()) ** 3).mean() / ret.std() ** 3, rel=1e-3)
    assert second.hour == 7
    assert math.isnan(second.values[3])


def test_an_hour_without_a_return_has_no_moments() -> None:
    frames = {name: np.full(3, np.nan) for name in READ} | {"end_ms": np.arange(3)}
    (row,) = facts_of_frames(1, 1, frames)
    assert sum(map(math.isnan, row.values)) == len(SLOTS) - 1  # no sweep is a number
    assert facts_of_frames(1, 1, {name: np.zeros(0) for name in READ}) == ()


def test_a_row_holds_numbers_alone() -> None:
    values = (0.0,) * len(SLOTS)
    for wrong in (("BTC", 1, 0, 1, values), (1, 1, 24, 1, values), (0, 1, 0, 1, values), (1, 1, 0, 1, values[1:]),
                  (1, 1, 0, 1, (*values[1:], "x"))):  # fmt: skip
        with pytest.raises(ConfigError):
            HourFacts(*wrong)  # type: ignore[arg-type]
