"""Likeness: the correlation of what two sources said on common windows, from sums of days."""

import numpy as np
import pytest

from lotus.decision.knowledge.evidence import EVENT_COLUMNS, Table
from lotus.decision.knowledge.likeness import DM_LIKENESS, correlations, likeness_sums

Spoken = dict[str, dict[tuple[str, int], float]]


def events(spoken: Spoken) -> Table:
    """Rows of SIGNAL_EVENTS in which detectors said these signed scores (signal times sigma) of coins and windows."""
    rows = [(name, coin, end, score) for name, told in spoken.items() for (coin, end), score in told.items()]
    names, coins, ends, scores = zip(*rows, strict=True)
    n = len(rows)
    return {
        "detector_id": np.array(names, dtype=object),
        "asset": np.array(coins, dtype=object), "spec_version": np.ones(n, dtype=np.int32),
        "horizon_s": np.full(n, 30, dtype=np.int32), "window_end_ms": np.array(ends, dtype=np.int64),
        "s": np.array(scores) / 0.5, "ln_sigma_tilde": np.full(n, np.log(0.5)), "eligible": np.ones(n, dtype=np.bool_),
        "b_vol": np.zeros(n, dtype=np.uint8),
    }  # fmt: skip


def test_likeness_is_the_correlation_of_common_windows_over_days() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=100), rng.normal(size=100)
    days = [
        likeness_sums(
            events(
                {
                    "b": {("BTC", k): float(x[k] + 0.5 * y[k]) for k in part},
                    "a": {("BTC", k): float(x[k]) for k in part if k >= 20},
                    "c": {("ETH", k): float(x[k]) for k in part},
                }
            )
        )
        for part in (range(70), range(70, 100))
    ]
    assert set(days[0]) == set(DM_LIKENESS.names)
    found = correlations(days)
    assert set(found) == {("det:a@1", "det:b@1")}
    wanted = float(np.corrcoef(x[20:], (x + 0.5 * y)[20:])[0, 1])
    assert found["det:a@1", "det:b@1"] == pytest.approx(wanted, rel=1e-8)
    assert correlations(days, min_common=81) == {}


def test_who_never_varies_and_who_may_not_speak_is_like_nobody() -> None:
    same = events({name: {("BTC", k): 0.3 for k in range(50)} for name in ("a", "b")})
    assert set(same) == set(EVENT_COLUMNS)
    assert likeness_sums(same)["n"].tolist() == [50]
    assert correlations([likeness_sums(same)]) == {}
    same["eligible"][:50] = False
    silent = likeness_sums(same)
    assert {len(column) for column in silent.values()} == {0}
    same["eligible"][:] = False
    assert {len(column) for column in likeness_sums(same).values()} == {0}
    assert correlations([silent]) == {}
