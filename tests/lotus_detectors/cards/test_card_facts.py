"""Facts of a card: intervals clustered by day, means inside bins."""

import numpy as np
import pytest
import statsmodels.api as sm

from lotus.detectors.cards.card_facts import contexts, estimate
from lotus.detectors.daily.quality import matured
from lotus.priors.vocabulary import FEATURE_NAMES


def test_an_interval_is_that_of_statsmodels_clustered_by_day() -> None:
    rng = np.random.default_rng(4)
    day = np.sort(rng.integers(0, 15, 900))
    x = rng.normal(1.0, 3.0, 900) + rng.normal(0.0, 1.0, 15)[day]
    fit = sm.OLS(x, np.ones(900)).fit(
        cov_type="cluster", cov_kwds={"groups": day, "use_correction": False, "df_correction": True}, use_t=True
    )
    found = estimate(x, day)
    low, high = fit.params[0] + np.sqrt(15 / 14) * (fit.conf_int(0.05)[0] - fit.params[0])
    assert (found.mean, found.low, found.high) == pytest.approx((x.mean(), low, high), rel=1e-9)
    assert (found.windows, found.days) == (900, 15)
    assert estimate(x[:0], day[:0]) is None
    one = estimate(x[:5], np.zeros(5, np.int64))
    assert (one.low, one.high, one.days) == (None, None, 1)


def test_contexts_are_means_inside_bins_worst_first(chain) -> None:
    m = matured(chain.history, 0)
    found = contexts(m)
    means = [c.payoff.mean for c in found]
    assert means == sorted(means)
    assert all(c.payoff.windows >= 30 for c in found)
    at = {c.label: c.payoff for c in found}
    spread = FEATURE_NAMES.index("spread")
    for b in range(5):
        rows = m.bins[:, spread] == b
        assert at[f"spread = {b}"].mean == pytest.approx(m.payoff[rows].mean())
