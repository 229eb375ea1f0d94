"""The generator of learning worlds against its description: marginals with tolerances, laws exactly."""

import numpy as np
import pytest

from lotus.errors import ConfigError
from lotus.learning.payoff_scores import PAYOFF_SCORES, bins_of
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import FEATURE_NAMES, N_BINS, SESSION, rule_mask
from lotus.simulation import learning_world as lw
from lotus.timebase import block_of, session_of

SEEDS, DAYS = range(12), 20


@pytest.fixture(scope="module")
def markets():
    """Return full-size markets of twelve seeds."""
    return [lw.market(seed, DAYS) for seed in SEEDS]


@pytest.fixture(scope="module")
def tracks(markets):
    """Return a confounded detector in each."""
    return [lw.track(m, "conf") for m in markets]


def propensity(track):
    return 1.0 / (1.0 + np.exp(-track.u0))


def test_thirteen_and_a_half_per_cent_are_published(tracks):
    p = np.concatenate([propensity(t) for t in tracks])
    assert p.mean() == pytest.approx(0.136, abs=0.012)
    assert p.min() == pytest.approx(0.02)
    assert p.max() == pytest.approx(0.98)
    drawn = np.concatenate([t.draw < propensity(t) for t in tracks])
    assert drawn.mean() == pytest.approx(p.mean(), abs=0.002)


def test_overlap_weight_of_a_day(tracks):
    per_day = [float((propensity(t) * (1 - propensity(t))).sum()) / DAYS for t in tracks]
    assert 300 < np.mean(per_day) < 400


def test_returns_have_twelve_bps_and_heavy_tails(markets):
    kurtosis = [float((m.forward**4).mean() / (m.forward**2).mean() ** 2) for m in markets]
    assert np.median([m.forward.std() for m in markets]) == pytest.approx(12.0, rel=0.1)
    assert 8.0 < np.median(kurtosis) < 25.0
    assert abs(np.mean([m.forward.mean() for m in markets])) < 0.3


def test_returns_overlap_over_fifteen_windows(markets):
    def lagged(lag):
        return np.mean([np.corrcoef(m.forward[lag:], m.forward[:-lag])[0, 1] for m in markets])

    assert lagged(5) == pytest.approx(1 - 5 / 15, abs=0.05)
    assert lagged(15) == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("name", ["imbalance", "flow", "trend", "basis"])
def test_half_lives(markets, name):
    k = FEATURE_NAMES.index(name)
    lag = lw.HALF_LIVES[k]
    lagged = [np.mean(m.contexts[lag:, k] * m.contexts[:-lag, k]) / np.mean(m.contexts[:, k] ** 2) for m in markets]
    assert np.mean(lagged) == pytest.approx(0.5, abs=0.06)


def test_slow_contexts_are_slow():
    long = [lw.market(seed, 60, 432) for seed in range(20)]
    for name, days, tolerance in (("vol", 1.0, 0.08), ("oi", 12_000 / 4_320, 0.12)):
        k, lag = FEATURE_NAMES.index(name), round(days * 432)
        lagged = [np.mean(m.contexts[lag:, k] * m.contexts[:-lag, k]) / np.mean(m.contexts[:, k] ** 2) for m in long]
        assert np.mean(lagged) == pytest.approx(0.5, abs=tolerance)


def test_contexts_go_along_with_volatility(markets):
    for name, loading in lw.WITH_VOL.items():
        k = FEATURE_NAMES.index(name)
        both = np.concatenate([m.contexts for m in markets])
        assert np.corrcoef(both[:, 0], both[:, k])[0, 1] == pytest.approx(loading, abs=0.12)


def test_direction_flips_every_thirty_windows(markets):
    flips = [np.mean(np.diff(lw._side(len(m.forward), 1.0, m.seed, "d0", "direction")) != 0) for m in markets]
    assert np.mean(flips) == pytest.approx(1 / 30, rel=0.05)


def test_bins_are_quantiles_and_the_session_is_the_clocks(markets, tracks):
    bins = np.concatenate([t.bins for t in tracks])
    for k, count in enumerate(N_BINS):
        if k != SESSION:
            share = np.bincount(bins[:, k], minlength=count) / len(bins)
            assert np.all(np.abs(share - 1 / count) < 0.5 / count)
    table = lw.scores_of(markets[0], tracks[0])[markets[0].days[5]]
    start = table["window_end_ms"] - 20_000
    assert list(table["b_session"][::400]) == [int(session_of(int(t))) for t in start[::400]]
    assert list(table["block"][::400]) == [block_of(int(t)) for t in start[::400]]


def test_scores_have_the_products_columns_and_its_score(markets, tracks):
    scores = lw.scores_of(markets[1], tracks[1])
    assert list(scores) == list(markets[1].days)
    table = scores[markets[1].days[3]]
    assert tuple(table) == PAYOFF_SCORES.names
    p, taken = table["p"], table["published"]
    np.testing.assert_array_equal(np.isnan(table["payoff_y"]), ~taken)
    by_hand = p * (1 - p) * table["payoff_p"]
    by_hand[taken] += (1 - p[taken]) * (table["payoff_y"] - table["payoff_p"])[taken]
    np.testing.assert_allclose(table["f"], by_hand, atol=1e-12)


def test_the_mean_is_what_a_published_window_earns():
    place = lw.market(3, 200, 432)
    one = lw.track(place, "plant", lessons=lw.planted_rules(3, place, 6.0))
    noise = one.executed - one.mean
    assert abs(noise.mean()) < 4 * noise.std() * np.sqrt(2.0 / len(noise))
    assert (one.modelled - one.mean).std() < noise.std()
    slip = one.modelled - one.executed
    assert slip.mean() == pytest.approx(0.0, abs=0.02)
    assert slip.std() == pytest.approx(1.0, abs=0.03)


def test_kinds_differ_as_they_say():
    place = lw.market(5, 10, 432)
    null, conf = lw.track(place, "null"), lw.track(place, "conf")
    tide = np.repeat(place.tide, place.windows)
    assert np.ptp(null.mean - tide) < 1e-9
    rising = conf.mean - tide
    assert np.all(np.diff(rising[np.argsort(conf.u0, kind="stable")]) >= -1e-9)
    mirage = lw.track(place, "mirage")
    np.testing.assert_array_equal(mirage.executed, conf.executed)
    gain = mirage.modelled - conf.modelled
    np.testing.assert_allclose(gain, sum(4.0 * s * rule_mask(r, conf.bins) for r, s in lw.MIRAGE), atol=1e-9)
    rule = Rule.of(Literal(4, 3, 4))
    drift = lw.track(place, "drift", lessons=((rule, 5.0),)).truth
    covered = rule_mask(rule, conf.bins)
    half = len(drift) // 2
    np.testing.assert_array_equal(drift[:half], 5.0 * covered[:half])
    assert not drift[half:].any()
    with pytest.raises(ConfigError, match="flat"):
        lw.track(place, "flat")


def test_planted_lessons_have_one_two_and_three_literals():
    for seed in range(6):
        place = lw.market(seed, 20, 864)
        lessons = lw.planted_rules(seed, place, 3.0)
        assert [len(rule.literals) for rule, _ in lessons] == [1, 2, 3]
        assert {abs(bps) for _, bps in lessons} == {3.0}
        bins = lw.track(place, "conf").bins
        for rule, _ in lessons:
            assert 0.04 < rule_mask(rule, bins).mean() < 0.28


def test_streams_do_not_depend_on_each_other():
    place = lw.market(9, 6, 432)
    longer = lw.market(9, 12, 432)
    n = len(place.forward)
    np.testing.assert_array_equal(place.contexts, longer.contexts[:n])
    one, two = lw.track(place, "conf", "d0"), lw.track(place, "conf", "d1")
    assert abs(np.corrcoef(one.draw, two.draw)[0, 1]) < 0.06
    assert abs(np.corrcoef(one.modelled - one.mean, two.modelled - two.mean)[0, 1]) < 0.3
    again = lw.scores_of(place, lw.track(lw.market(9, 6, 432), "conf"))
    first = lw.scores_of(place, one)
    day = place.days[2]
    np.testing.assert_array_equal(bins_of(first[day]), bins_of(again[day]))
    np.testing.assert_array_equal(first[day]["f"], again[day]["f"])


def test_a_herd_makes_payoffs_correlate():
    rhos = []
    for seed in range(4):
        place = lw.market(seed, 20, 864)
        a, b = (lw.track(place, "conf", name, herd=0.7).modelled for name in ("d0", "d1"))
        rhos.append(np.corrcoef(a, b)[0, 1])
    assert np.mean(rhos) == pytest.approx(0.49, abs=0.12)


def test_a_policy_that_logs_another_propensity_than_it_draws():
    place = lw.market(2, 10, 864)
    one = lw.track(place, "conf")
    p = propensity(one)
    merged = lw.merged([lw.scores_of(place, one, p, 0.5 * p), lw.scores_of(place, lw.track(place, "conf", "d1"))])
    mine = [t["detector_id"] == "d0" for t in merged.values()]
    logged = np.concatenate([t["p"][m] for t, m in zip(merged.values(), mine, strict=True)])
    drawn = np.concatenate([t["published"][m] for t, m in zip(merged.values(), mine, strict=True)])
    assert drawn.mean() == pytest.approx(0.5 * logged.mean(), rel=0.1)
    assert set(np.concatenate([t["detector_id"] for t in merged.values()])) == {"d0", "d1"}
