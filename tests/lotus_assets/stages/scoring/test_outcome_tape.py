"""The end of a day's tape has the rows that count, and running maxima of venue time go on as they were."""

import numpy as np
import pytest

from lotus_assets.stages.scoring.outcome_tape import ending


@pytest.mark.parametrize("seed", range(30))
def test_what_is_met_from_a_time_on_is_the_same_in_the_end_and_in_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    received = np.cumsum(rng.integers(0, 3, 200)) * 10**9
    times = received // 10**6 + rng.integers(-4000, 4000, 200)
    table = {"recv_ns": received, "time_ms": times, "px": np.arange(200)}
    from_ms = int(rng.integers(-1000, received[-1] // 10**6 + 1000))
    end = ending(table, from_ms)
    first = int(end["px"][0])
    assert np.array_equal(end["px"], np.arange(first, 200))
    after = np.searchsorted(received, from_ms * 10**6)
    assert first <= after
    whole = np.maximum.accumulate(times)
    assert np.array_equal(np.maximum.accumulate(end["time_ms"]), whole[first:])
    assert first == 0 or times[first] == whole[first]
    assert not any(np.shares_memory(end[name], table[name]) for name in table)


def test_nothing_before_and_nothing_at_all() -> None:
    nothing = {"recv_ns": np.zeros(0, np.int64), "time_ms": np.zeros(0, np.int64)}
    assert len(ending(nothing, 5)["recv_ns"]) == 0
    one = {"recv_ns": np.array([7 * 10**6]), "time_ms": np.array([7])}
    assert len(ending(one, 0)["recv_ns"]) == len(ending(one, 100)["recv_ns"]) == 1
