"""Scores of executors are shrunk means of what was due."""

import pytest

from lotus.trading.estimates.executor_scores import executor_scores


def test_executor_scores_are_shrunk_means_of_what_was_due() -> None:
    rows = [
        {
            "execution_id": f"{k}",
            "revision": 0,
            "venue": "a",
            "strategy": "twap",
            "status": s,
            "adherence": x,
            "alarms": [],
        }
        for k, (s, x) in enumerate([("filled", 1.0), ("partial", 0.6), ("expired", 1.0)])
    ]
    later = {**rows[1], "revision": 1, "status": "filled", "alarms": ["unprotected"]}
    (score,) = executor_scores([*rows, later, rows[1]])
    assert (score.venue, score.strategy, score.reports) == ("a", "twap", 2)
    assert score.adherence == pytest.approx((1.6 + 5) / 12)
    assert score.success_rate == pytest.approx((1 + 5) / 12)
    assert executor_scores([]) == ()
