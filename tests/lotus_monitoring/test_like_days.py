"""Like days: the class, the nearness, and what is too new or too old."""

import numpy as np

from lotus.monitoring.like_days import FEWEST, MOST, TOO_NEW, class_days, is_far, is_weekend, nearest
from lotus.timebase import days_between, next_day


def test_days_of_the_class_nearest_in_volatility_without_the_newest_and_the_oldest() -> None:
    days = days_between("2026-01-01", "2026-12-01")
    rng = np.random.default_rng(5)
    rv = rng.normal(size=len(days))
    rv[-40] = np.nan
    today = next_day(days[-1])
    of_class = class_days(today, days, rv)
    found = of_class[nearest(0.0, rv[of_class])]
    reach = range(len(days) - 180, len(days) - TOO_NEW)
    allowed = [k for k in reach if is_weekend(days[k]) == is_weekend(today) and k != len(days) - 40]
    assert found.tolist() == sorted(allowed, key=lambda k: (abs(rv[k]), -k))[:MOST]
    assert is_far(0.5, rv[found])
    assert not is_far(float(rv[found].mean()), rv[found])


def test_fewer_than_ten_are_none_and_a_day_without_volatility_has_none() -> None:
    days = days_between("2026-01-01", "2026-03-01")
    rv = np.zeros(len(days))
    weekends = class_days("2026-03-07", days, rv)
    assert [days[k] for k in weekends] == [day for day in days[:-TOO_NEW] if is_weekend(day)]
    assert len(nearest(0.0, rv[weekends])) == len(weekends)
    assert len(nearest(np.nan, rv[weekends])) == 0
    assert len(nearest(0.0, rv[weekends[: FEWEST - 1]])) == 0
    assert len(class_days("2026-01-01", [], np.zeros(0))) == 0
