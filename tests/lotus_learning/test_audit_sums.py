"""Sums that audits take: the following window and later payoffs of the same asset."""

import numpy as np
import pytest

from lotus.learning.audit_sums import following_payoff, later_payoffs
from lotus.learning.rows import rows_by_detector


@pytest.fixture(scope="module")
def honest(worlds):
    """Return a world whose log is true."""
    return worlds.world("conf", seed=50)


def test_the_following_window_is_that_of_the_same_asset_and_day(honest):
    rows = rows_by_detector(honest, 90)["d0"]
    today = rows.day == 2
    following = following_payoff(rows.payoff_p[today], rows.asset[today])
    assert (following == 0.0).sum() == 3
    for asset in range(3):
        mine = np.flatnonzero(rows.asset[today] == asset)
        paid = rows.payoff_p[today]
        np.testing.assert_allclose(following[mine[:-1]], paid[mine[1:]] - paid.mean(), atol=1e-12)
        assert following[mine[-1]] == 0.0


def test_later_payoffs_are_those_within_the_span_of_the_same_asset(honest):
    rows = rows_by_detector(honest, 90)["d0"]
    today = np.flatnonzero(rows.day == 3)
    span = slice(int(today[0]), int(today[-1]) + 1)
    got = later_payoffs(rows, span)
    paid, asset, end = rows.payoff_p[span] - rows.payoff_p[span].mean(), rows.asset[span], rows.end_ms[span]
    for i in range(0, len(today), 211):
        for k, times in enumerate((1, 5)):
            mine = (asset == asset[i]) & (end > end[i]) & (end <= end[i] + 1000 * times * rows.horizon_s)
            assert got[k, i] == pytest.approx(paid[mine].sum(), abs=1e-9)
