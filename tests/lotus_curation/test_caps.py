"""Caps at the end of months: halved by shown harm, restored by shown good, hardly ever by chance, else as they were."""

import numpy as np

from lotus.curation.caps import caps_after
from lotus.curation.curator_value import CURATOR_VALUE, Columns
from lotus.curation.registry import SIG
from lotus.timebase import next_day

FULL = {role.name: role.cap for role in SIG}
FIRST = "2026-01-01"


def day(**values: float) -> Columns:
    """One day of the table: what the nudges of curators were worth."""
    rows = [(f"curator:{name}", 1, value, 0, 0.0, 0) for name, value in sorted(values.items())]
    columns = zip(*rows, strict=True) if rows else ([] for _ in CURATOR_VALUE.names)
    names = CURATOR_VALUE.names
    return {n: np.array(list(v), CURATOR_VALUE.numpy_dtype(n)) for n, v in zip(names, columns, strict=True)}


def caps_over(values: list[Columns]) -> dict[str, float]:
    days = [next_day(FIRST, k) for k in range(len(values))]
    return caps_after(days, values, next_day(FIRST, len(values)))


def test_a_month_of_harm_halves_the_cap_at_its_end_and_not_before() -> None:
    rng = np.random.default_rng(1)
    harm = [day(regime=float(x), diversity=0.0) for x in rng.normal(-1.0, 0.5, 90)]
    assert caps_over(harm[:30]) == FULL
    assert caps_over(harm[:31]) == FULL | {"regime": 0.075}
    assert caps_over(harm[:58]) == FULL | {"regime": 0.075}
    assert caps_over(harm[:59]) == FULL | {"regime": 0.0375}
    good = [*harm[:31], *(day(regime=float(x)) for x in rng.normal(4.0, 0.5, 28))]
    assert caps_over(good) == FULL, "February's end shows that it pays"


def test_nothing_or_too_little_changes_nothing() -> None:
    assert caps_after([], [], FIRST) == FULL
    assert caps_over([day() for _ in range(100)]) == FULL
    few = [day(regime=-1.0 - k / 10) for k in range(4)]
    assert caps_after([next_day("2026-01-28", k) for k in range(4)], few, "2026-02-01") == FULL


def test_chance_hardly_ever_halves_a_cap_and_plain_harm_mostly_does() -> None:
    """Three months of daily sums: without effect, and with a mean of -.6 of their deviation."""
    rng = np.random.default_rng(2)

    def halved(mean: float) -> float:
        worlds = rng.normal(mean, 1.0, (200, 90))
        return float(np.mean([caps_over([day(regime=float(x)) for x in world])["regime"] < 0.15 for world in worlds]))

    assert halved(0.0) <= 0.05
    assert halved(-0.6) >= 0.9
