"""WindowFacts: an asset and hour a row, numbers in closed slots; no window of another day, no asset outside."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lotus.coprocessor.model.window_facts import (
    EXPERT_SLOTS,
    HOUR_MS,
    MOST_ROWS,
    READ,
    SLOTS,
    WINDOW_FACTS,
    HourFacts,
    fact_table,
    facts_of_table,
)
from lotus.errors import ConfigError

DAY = 24 * HOUR_MS
NO_OUTCOMES: dict[str, NDArray[Any]] = {
    "asset": np.array([], object), "status": np.array([], object), "window_end_ms": np.array([], np.int64),
    "payoff_p": np.array([]),
}  # fmt: skip


def table_of(frames: dict[str, NDArray[Any]], fired: NDArray[np.uint64], outcomes: Any = None) -> dict[str, Any]:
    return fact_table(["X"], {"X": frames}, {"X": fired}, outcomes or NO_OUTCOMES, DAY)


def test_facts_are_those_of_the_frames_of_an_hour() -> None:
    rng = np.random.default_rng(1)
    frames = {name: rng.normal(size=400) for name in READ}
    frames["end_ms"] = DAY + np.repeat([6 * HOUR_MS, 24 * HOUR_MS], 200)  # an hour's end belongs to the hour
    frames["sweep"] = np.zeros(400)
    frames["sweep"][:3] = 1.0
    frames["spread_bps"][200:] = np.nan
    fired = np.zeros(400, np.uint64)
    fired[:50] = 0b101
    table = table_of(frames, fired)
    assert set(table) == set(WINDOW_FACTS.names)
    assert table["hour"].tolist() == [5, 23]
    assert table["frames"].tolist() == [200, 200]
    assert table["vol"][0] == pytest.approx(frames["rv_bps"][:200].mean(), rel=1e-3)
    assert table["spread"][0] == pytest.approx(np.median(frames["spread_bps"][:200]), rel=1e-3)
    assert table["sweeps"][0] == 3.0
    ret = frames["ret_bps"][:200]
    assert table["skew"][0] == pytest.approx(((ret - ret.mean()) ** 3).mean() / ret.std() ** 3, rel=1e-3)
    assert math.isnan(table["spread"][1])
    assert [table[slot.name][0] for slot in EXPERT_SLOTS[:3]] == [0.25, 0.0, 0.25]
    assert math.isnan(table["move_30"][0])


def test_outcomes_are_means_of_windows_that_end_in_the_hour_once_each() -> None:
    frames = {name: np.ones(2) for name in READ} | {"end_ms": DAY + np.array([1, HOUR_MS + 1])}
    ends = DAY + np.array([-5, 0, 5_000, 5_000, HOUR_MS, HOUR_MS + 5_000])
    outcomes = {
        "asset": np.array(["X"] * 6, object), "status": np.array(["ok"] * 5 + ["gap"], object), "window_end_ms": ends,
        "payoff_p": np.array([9.0, 9.0, 1.0, 3.0, np.nan, 9.0]),
        "fwd_ret_bps_30": np.array([9.0, 9.0, 2.0, 2.0, 5.0, 9.0]),
    }  # fmt: skip
    table = table_of(frames, np.zeros(2, np.uint64), outcomes)
    assert table["move_30"][0] == 3.5  # two windows: 2 and 5; those of the day before and of a gap are left out
    assert table["payoff"][0] == 2.0
    assert math.isnan(table["move_30"][1])
    assert math.isnan(table["move_3600"][0])  # not evaluated


def test_an_hour_without_a_return_has_no_moments() -> None:
    frames = {name: np.full(3, np.nan) for name in READ} | {"end_ms": DAY + np.arange(1, 4)}
    table = table_of(frames, np.zeros(3, np.uint64))
    (row,) = facts_of_table(table, ["Y", "X"])
    assert (row.asset, row.day, row.hour, row.frames) == (2, 1, 0, 3)
    assert sum(map(math.isnan, row.values)) == len(SLOTS) - 1 - len(EXPERT_SLOTS)  # no sweep is a number
    nothing = table_of({name: np.zeros(0) for name in READ}, np.zeros(0, np.uint64))
    assert facts_of_table(nothing, ["X"]) == ()


def test_a_prompt_has_only_assets_of_the_universe_and_a_bound() -> None:
    frames = {name: np.ones(24) for name in READ} | {"end_ms": DAY + np.arange(1, 25) * HOUR_MS}
    names = [f"N{k}" for k in range(9)]
    table = fact_table(
        names, dict.fromkeys(names, frames), dict.fromkeys(names, np.zeros(24, np.uint64)), NO_OUTCOMES, DAY
    )
    assert facts_of_table(table, ["other"]) == ()
    rows = facts_of_table(table, names)
    assert (len(rows), rows[-1].asset) == (MOST_ROWS, 8)


def test_a_row_holds_numbers_alone() -> None:
    values = (0.0,) * len(SLOTS)
    for wrong in (("BTC", 1, 0, 1, values), (1, 1, 24, 1, values), (0, 1, 0, 1, values), (1, 1, 0, 1, values[1:]),
                  (1, 1, 0, 1, (*values[1:], "x"))):  # fmt: skip
        with pytest.raises(ConfigError):
            HourFacts(*wrong)  # type: ignore[arg-type]
