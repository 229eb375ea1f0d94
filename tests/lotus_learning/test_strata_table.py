"""Levels and knots of a detector, from the rows of histograms."""

import numpy as np
import pytest

from lotus.learning.basis import placed
from lotus.learning.payoff_scores import PAYOFF_SCORES, payoff_scores
from lotus.learning.strata import SUMS, UNKNOWN
from lotus.learning.strata_table import histograms_in, histograms_of, pasts_of_days, strata_rows

from .scored_day import DAY, tables


def test_without_paper_the_control_is_the_level_of_the_detectors_earlier_days(worlds):
    past = [histograms_of(day) for day in worlds.world("conf", seed=3, days=3, per_block=200).values()]
    (strata,) = pasts_of_days(past).values()
    events, evaluated = tables()
    versions = {int(v) for v in events["spec_version"]}
    pasts = {("d", v): strata for v in versions} | {("other", v): UNKNOWN for v in versions}
    whole = payoff_scores(events, evaluated, DAY, pasts)
    evaluated["payoff_p"][::2] = np.nan
    mixed = payoff_scores(events, evaluated, DAY, pasts)
    out, paper = mixed.columns, ~np.isnan(mixed.columns["payoff_p"])
    assert 0 < mixed.fallen_back == (~paper).sum() < len(paper)
    assert whole.fallen_back == 0
    for name in PAYOFF_SCORES.names:
        if name == "weight":  # that of a whole block, which holds windows of both kinds
            continue
        one, two = out[name][paper], whole.columns[name][paper]
        assert (one.tolist() == two.tolist()) if one.dtype == object else (one.tobytes() == two.tobytes()), name
    hats = placed(out["u0"], strata.knots).dense()
    a, p, b = out["published"], out["p"], hats @ strata.level
    np.testing.assert_allclose(out["level"], b, rtol=1e-12)
    slow = [
        p[i] * (1 - p[i]) * b[i] + (a[i] * (1 - p[i]) * (out["payoff_y"][i] - b[i]) if a[i] else 0.0)
        for i in np.flatnonzero(~paper)
    ]
    np.testing.assert_allclose(out["f"][~paper], slow, rtol=1e-12, atol=1e-15)
    alone = payoff_scores(events, evaluated, DAY).columns
    assert np.isnan(alone["level"]).all(), "without earlier days nothing is known"
    np.testing.assert_allclose(
        alone["f"][~paper], np.where(a, (1 - p) * np.nan_to_num(out["payoff_y"]), 0.0)[~paper], atol=1e-15
    )


def a_day(seed, n=600, u0=None):
    rng = np.random.default_rng(seed)
    day = {
        "detector_id": rng.choice(["d", "e"], n).astype(object),
        "spec_version": np.ones(n, dtype=np.int32),
        "published": rng.random(n) < 0.5,
        "u0": rng.normal(size=n) if u0 is None else np.full(n, u0),
        "p": rng.uniform(0.1, 0.9, n),
        "level": np.full(n, np.nan),
        "f": rng.normal(size=n),
    }
    day["payoff_y"] = np.where(day["published"], np.where(day["detector_id"] == "d", 3.0, -5.0), np.nan)
    return day


def test_levels_are_per_detector_and_read_executed_payoffs_of_published_windows_alone():
    day = a_day(5)
    found = pasts_of_days([histograms_of(day), histograms_of(day)])
    for name, paid in (("d", 3.0), ("e", -5.0)):
        mine = (day["detector_id"] == name) & day["published"]
        cells = -16.0 + (np.floor((day["u0"][mine] + 16.0) * 16.0) + 0.5) / 16.0
        basis, weight = placed(cells, found[name, 1].knots).dense(), 2 * (1 - day["p"][mine])
        gram = 50 * 0.075 * np.eye(6) + basis.T @ (basis * weight[:, None])
        np.testing.assert_allclose(found[name, 1].level, np.linalg.solve(gram, basis.T @ (weight * paid)), rtol=1e-8)
    assert pasts_of_days([]) == {}


def test_knots_are_weighted_quantiles_of_the_detectors_own_logit():
    days = [a_day(seed, 5000) for seed in range(3)]
    strata = pasts_of_days([histograms_of(day) for day in days])["d", 1]
    mine = [day["detector_id"] == "d" for day in days]
    u0 = np.concatenate([day["u0"][at] for day, at in zip(days, mine, strict=True)])
    h = np.concatenate([(day["p"] * (1 - day["p"]))[at] for day, at in zip(days, mine, strict=True)])
    order = np.argsort(u0)
    share = np.cumsum(h[order]) / h.sum()
    wanted = [u0[order][np.searchsorted(share, q)] for q in (0.01, 0.2, 0.4, 0.6, 0.8, 0.99)]
    np.testing.assert_allclose(strata.knots, wanted, atol=0.03)
    outside = strata.basis(u0).beyond
    assert h[outside].sum() / h.sum() == pytest.approx(0.02, abs=0.005)


def test_a_desk_with_one_propensity_has_knots_and_a_level_too():
    strata = pasts_of_days([histograms_of(a_day(1, u0=0.3))])["d", 1]
    assert np.all(np.diff(strata.knots) >= 0.05 - 1e-12)
    assert not strata.basis(np.full(3, 0.3)).beyond.any()
    assert strata.level_at(np.array([0.3]))[0] == pytest.approx(3.0, rel=0.1)


def test_the_rows_of_histograms_come_back():
    found = histograms_of(a_day(2))
    again = histograms_in(strata_rows(found))
    assert again.keys() == found.keys()
    for key, one in found.items():
        for name in SUMS:
            assert getattr(again[key], name).tobytes() == getattr(one, name).tobytes()
