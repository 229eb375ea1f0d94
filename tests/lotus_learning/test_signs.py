"""Signs of days: one a day, and independent of the rest."""

import numpy as np

from lotus.learning.signs import day_signs


def test_signs_are_one_per_day_and_do_not_depend_on_the_rest():
    days = ["2025-01-07", "2025-01-08", "2025-01-09"]
    signs = day_signs(7, days, 400)
    assert set(np.unique(signs)) == {-1.0, 1.0}
    np.testing.assert_array_equal(day_signs(7, days[::-1], 400), signs[::-1])
    np.testing.assert_array_equal(day_signs(7, days, 37), signs[:, :37])
    assert abs(signs.mean()) < 0.1
    assert (day_signs(8, days, 400) != signs).any()
