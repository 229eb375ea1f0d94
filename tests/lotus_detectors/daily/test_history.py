"""Every daily term against another implementation: pandas, statsmodels, SciPy and scikit-learn on the same days.

Random days (gaps, nulls, late detectors, repeated times over assets) and days of a scored random market. The oracles
start from the digests alone and share no code with the domain.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import signal, stats
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import cosine_distances
from sklearn.preprocessing import StandardScaler
from statsmodels.stats.sandwich_covariance import S_hac_simple

from lotus.detectors.daily import kernel
from lotus.detectors.daily import quality as daily_quality
from lotus.detectors.daily.history import MAX_ASSETS, DayHistory
from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.quality import matured, quality
from lotus.detectors.registry import shipped_detectors
from lotus.manifest import Asset, Manifest
from lotus.priors.vocabulary import FEATURE_NAMES, N_BINS
from lotus.timebase import next_day

HBAR, SESSION = FEATURE_NAMES.index("hbar"), FEATURE_NAMES.index("session")
WINDOW_MS, FIVE_MINUTES = 5_000, 60
SPECS = shipped_detectors()
D = len(SPECS)
MANIFEST = Manifest(universe=tuple(Asset(f"A{a}", 2) for a in range(3)))
WEIGHTS = {"accuracy": 0.35, "precision": 0.25, "stability": 0.2, "orthogonality": 0.2, "cost": -0.2}


def random_day(rng: np.random.Generator, number: int, windows: int = 500, assets: int = 3) -> DayHistory:
    """One day in which detector 0 is right, 1 repeats it with noise, 2 is a coin and the last never speaks."""
    start = number * 17_280
    alive = np.ones((windows, assets), bool)
    alive[200:215, 1] = False
    alive[rng.integers(0, windows, 4), 2] = False
    w, a = np.nonzero(alive)
    key = (start + w) * MAX_ASSETS + a
    walk = np.cumsum(rng.normal(0.0, 2.0, (windows + 1, assets)) + rng.normal(0.0, 1.0, (windows + 1, 1)), axis=0)
    future = np.diff(walk, axis=0)[w, a]
    x = rng.normal(size=(len(key), 12))
    x[rng.random(x.shape) < 0.03] = np.nan
    bins = np.stack([rng.integers(0, n, len(key)) for n in N_BINS], axis=1).astype(np.uint8)
    bins[rng.random(bins.shape) < 0.02] = 255
    signals = []
    for d in range(D - 1):
        fires = rng.random(len(key)) < 0.4
        strength = rng.choice([0.25, 0.5, 1.0], len(key))
        drift = future if d in (0, 1) else np.zeros(len(key))
        side = np.where(0.5 * drift + rng.normal(0.0, 3.0, len(key)) > 0.0, 1.0, -1.0)
        signals.append((d, np.flatnonzero(fires), (strength * side)[fires]))
    detector = np.concatenate([np.full(len(rows), d) for d, rows, _ in signals])
    rows, s = np.concatenate([r for _, r, _ in signals]), np.concatenate([v for _, _, v in signals])
    ret = np.round(future[rows] + rng.normal(0.0, 1.0, len(rows)))
    paid = rng.random(len(rows)) < 0.9
    return DayHistory(
        day=next_day("2025-01-01", number),
        key=key,
        x=x,
        rv=rng.lognormal(size=len(key)),
        mid2=np.round(2e6 * np.exp(1e-4 * walk[w, a])).astype(np.int64),
        detector=detector,
        signal_key=key[rows],
        s=s,
        veto=(rng.random(len(rows)) < 0.2).astype(np.uint32),
        published=rng.random(len(rows)) < 0.1,
        mx=rng.random(len(rows)),
        crowd=rng.random(len(rows)),
        bins=bins[rows],
        paid_detector=detector[paid],
        paid_key=key[rows][paid],
        ret=ret[paid],
        payoff=np.sign(s[paid]) * ret[paid] - rng.gamma(2.0, 0.5, int(paid.sum())),
        executed=np.full(int(paid.sum()), np.nan),
        due=np.zeros(D, np.int64),
        dropped=np.zeros(D, np.int64),
        median_sigma=np.append(0.3 + 0.002 * number + rng.normal(0.0, 0.02, D - 1), np.nan),
    )


@pytest.fixture(scope="module")
def days() -> list[DayHistory]:
    """Thirty-four random days; on one of them detector 2 has no sigma."""
    rng = np.random.default_rng(17)
    made = [random_day(rng, k) for k in range(34)]
    made[25].median_sigma[2] = np.nan
    return made


@pytest.fixture(scope="module", params=["random", "market"])
def source(request: pytest.FixtureRequest) -> list[DayHistory]:
    """The random days, and those of the scored market."""
    return (
        request.getfixturevalue("days")[-20:] if request.param == "random" else request.getfixturevalue("chain").history
    )


def table(history: list[DayHistory], d: int) -> pd.DataFrame:
    """Signals of a detector joined with what they earned, a row each."""
    parts = []
    for k, h in enumerate(history):
        mine, paid = h.detector == d, h.paid_detector == d
        left = pd.DataFrame({"key": h.signal_key[mine], "s": h.s[mine], "bins": list(h.bins[mine])})
        right = pd.DataFrame({"key": h.paid_key[paid], "ret": h.ret[paid], "payoff": h.payoff[paid], "day": k})
        parts.append((left, right))
    merged = pd.concat([p[0] for p in parts]).merge(pd.concat([p[1] for p in parts]), on="key")
    return merged.assign(time=merged.key // MAX_ASSETS).sort_values("key").reset_index(drop=True)


def hac_t(x: pd.DataFrame, lag: int) -> float:
    """t of the slope: scores summed per window, silent windows are zeros (statsmodels' own panel form drops them)."""
    design = sm.add_constant(x.s.to_numpy())
    fit = sm.OLS(x.ret.to_numpy(), design).fit()
    sums = pd.DataFrame(design * fit.resid[:, None]).groupby(x.time.to_numpy()).sum()
    dense = sums.reindex(range(int(x.time.min()), int(x.time.max()) + 1), fill_value=0.0)
    bread = np.linalg.inv(design.T @ design)
    covariance = bread @ S_hac_simple(dense.to_numpy(), nlags=lag) @ bread
    return float(fit.params[1] / np.sqrt(covariance[1, 1]))


def oracle_quality(tables: list[pd.DataFrame], d: int, lag: int) -> dict[str, float]:
    x = tables[d]
    right = np.where(x.ret == 0, 0.5, np.sign(x.ret) == np.sign(x.s))
    by_day = x.groupby("day").payoff.agg(["mean", lambda p: p.std(ddof=0)])
    ratios = (by_day["mean"] / by_day.iloc[:, 1]).to_numpy()
    plus = max(ratios.mean(), 0.0)
    others = [x.merge(t, on="key") for j, t in enumerate(tables) if j != d and len(t)]
    shared = [abs(m.payoff_x.corr(m.payoff_y)) for m in others if len(m) >= 30]
    gross = np.sign(x.s) * x.ret
    cost = (gross - x.payoff).mean()
    parts = {
        "accuracy": float(np.average(right, weights=x.s.abs())),
        "precision": float(np.clip(hac_t(x, lag) / 4.0, 0.0, 1.0)),
        "stability": plus / (plus + stats.sem(ratios)),
        "orthogonality": 1.0 - max(shared),
        "cost": cost / (cost + max(gross.mean(), 0.0)),
    }
    return parts | {"score": float(np.clip(sum(WEIGHTS[n] * v for n, v in parts.items()), 0.0, 1.0))}


def test_quality_is_that_of_pandas_and_statsmodels(source: list[DayHistory]) -> None:
    cohort = [matured(source, d) for d in range(D)]
    tables = [table(source, d) for d in range(D)]
    seen = 0
    for d, spec in enumerate(SPECS):
        if not len(tables[d]):
            continue
        lag = round(spec.horizon_s * 1000 / WINDOW_MS)
        found, missing = quality(cohort, d, lag)
        assert found == pytest.approx(oracle_quality(tables, d, lag), rel=1e-9, abs=1e-12)
        assert not missing
        seen += 1
    assert seen >= 5


def test_the_hac_error_of_one_unbroken_asset_is_that_of_newey_and_west() -> None:
    rng = np.random.default_rng(5)
    n = 800
    noise = signal.lfilter([1.0], [1.0, -0.6], rng.normal(size=n))
    s = np.sign(signal.lfilter([1.0], [1.0, -0.9], rng.normal(size=n)))
    x = pd.DataFrame({"s": s, "ret": 0.1 * s + noise, "time": np.arange(n)})
    plain = sm.OLS(x.ret, sm.add_constant(x.s)).fit(cov_type="HAC", cov_kwds={"maxlags": 6, "use_correction": False})
    m = daily_quality.Matured(
        np.arange(n) * MAX_ASSETS, s, x.ret.to_numpy(), x.ret.to_numpy(), np.arange(n) // 80,
        np.zeros((n, 12), np.uint8), np.zeros(n, bool), np.full(n, np.nan),
    )  # fmt: skip
    assert daily_quality.precision(m, 6) == pytest.approx(plain.tvalues.iloc[1] / 4.0, rel=1e-10)
    assert 0.1 < daily_quality.precision(m, 6) < 0.9


def test_coherence_is_that_of_scipy_over_segments_without_overlap(source: list[DayHistory]) -> None:
    windows = pd.concat([pd.DataFrame({"key": h.key, "mid2": h.mid2}) for h in source])
    windows["window"], windows["asset"] = windows.key // MAX_ASSETS, windows.key % MAX_ASSETS
    for d, band in ((0, (20.0, 160.0)), (2, (60.0, 300.0))):
        length = kernel.segment_length(band, 5.0)
        assert length >= 2 * band[1] / 5.0 > length / 2
        said = pd.concat([pd.DataFrame({"key": h.signal_key, "s": h.s})[h.detector == d] for h in source])
        joined = windows.merge(said, on="key", how="left").fillna({"s": 0.0})
        left, right = [], []
        for _, one in joined.groupby("asset"):
            run_of = (one.window.diff() != 1).cumsum()
            for _, run in one.groupby(run_of):
                ret = (run.mid2.shift(-1) / run.mid2 - 1.0).to_numpy()[:-1]
                for k in range(len(ret) // length):
                    part = slice(k * length, (k + 1) * length)
                    if run.s.to_numpy()[part].any():
                        left.append(run.s.to_numpy()[part])
                        right.append(ret[part])
        count = len(left)
        f, c = signal.coherence(
            np.concatenate(left), np.concatenate(right), 1 / 5.0, np.hanning(length), length, 0, detrend="constant"
        )
        inside = (f >= 1.0 / band[1]) & (f <= 1.0 / band[0])
        expected = np.clip((c[inside].mean() - 1 / count) / (1 - 1 / count), 0.0, 1.0)
        found = kernel.coherence(source, d, kernel.segments(source, length), band, 5.0)
        assert count >= 16
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def oracle_dispersion(history: list[DayHistory]) -> pd.Series:
    parts = []
    for h in history:
        wide = pd.DataFrame({"w": h.key // MAX_ASSETS, "a": h.key % MAX_ASSETS, "p": h.mid2}).pivot(
            index="w", columns="a", values="p"
        )
        wide = wide.reindex(np.arange(wide.index[0], wide.index[-1] + 1))
        ret = 1e4 * (wide / wide.shift(FIVE_MINUTES) - 1.0)
        parts.append(ret.std(axis=1, ddof=0).where(ret.notna().sum(axis=1) >= 3).diff().dropna())
    return pd.concat(parts)


def test_dispersion_is_that_of_pandas(source: list[DayHistory]) -> None:
    expected = oracle_dispersion(source)
    found = pd.Series(*kernel.dispersion(source, WINDOW_MS)[::-1])
    assert found.index.equals(expected.index.astype(np.int64))
    assert found.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-6, abs=1e-9)


def test_phi_is_the_partial_correlation_of_ridge_residuals(source: list[DayHistory]) -> None:
    moved = oracle_dispersion(source)
    context = pd.DataFrame(np.concatenate([h.x for h in source]), index=np.concatenate([h.key for h in source]))
    pair = np.concatenate([h.key for h in source]), np.concatenate([h.x for h in source])
    for d in range(D - 1):
        x = table(source, d)
        x = x[x.time.isin(moved.index)]
        others = np.nan_to_num(StandardScaler().fit_transform(context.loc[x.key]))
        ridge = Ridge(alpha=0.01 * len(x))
        left = x.payoff - ridge.fit(others, x.payoff).predict(others)
        change = moved.loc[x.time].to_numpy()
        right = change - ridge.fit(others, change).predict(others)
        found = kernel.phi(matured(source, d), pair, kernel.dispersion(source, WINDOW_MS))
        assert found == pytest.approx(abs(np.corrcoef(left, right)[0, 1]), rel=1e-5)


def test_theta_is_one_less_support_times_relative_entropy(source: list[DayHistory]) -> None:
    for d in range(D - 1):
        bins = np.concatenate([h.bins[(h.detector == d) & h.published] for h in source])
        cells = pd.Series(list(zip(bins[:, HBAR], bins[:, SESSION], strict=True)))
        cells = cells[[hbar < 3 and session < 4 for hbar, session in cells]]
        relative = stats.entropy(cells.value_counts(), base=12)
        expected = np.clip(1.0 - min(1.0, len(bins) / 500) * relative, 0.0, 0.9)
        assert kernel.theta0(source, d) == pytest.approx(expected)


def test_emergence_is_the_logistic_of_the_t_of_the_trend(days: list[DayHistory]) -> None:
    for d in range(D - 1):
        sigma = np.array([h.median_sigma[d] for h in days[-30:]])
        known = np.isfinite(sigma)
        fit = sm.OLS(sigma[known], sm.add_constant(np.arange(30)[known])).fit()
        expected = 1.0 / (1.0 + np.exp(-fit.tvalues[1]))
        assert kernel.emergence(days[-30:], d) == pytest.approx(expected, rel=1e-9)
    assert kernel.emergence(days[-30:], D - 1) is None


def test_novelty_is_half_the_median_cosine_distance(source: list[DayHistory]) -> None:
    profiles = []
    for d in range(D):
        x = table(source, d)
        bins = np.stack(x.bins.tolist()) if len(x) else np.zeros((0, 12))
        rest = x.payoff.to_numpy() - x.payoff.mean() if len(x) else np.zeros(0)
        means = [rest[bins[:, f] == b] for f, n in enumerate(N_BINS) for b in range(n)]
        profiles.append([m.mean() if len(m) else 0.0 for m in means])
    alive = [d for d in range(D) if np.any(profiles[d])]
    distance = pd.DataFrame(cosine_distances(np.array(profiles)[alive]), alive, alive)
    found = [kernel.payoff_profile(matured(source, d)) for d in range(D)]
    for d in alive:
        expected = distance.loc[d].drop(d).median() / 2.0
        assert kernel.novelty(found, d) == pytest.approx(expected, rel=1e-9)
    assert len(alive) >= 5


def test_tables_read_twenty_days_and_thirty_for_emergence(days: list[DayHistory]) -> None:
    """Days beyond the look-back change nothing; the oldest day inside it does."""
    rng = np.random.default_rng(99)
    day = next_day(days[-1].day)

    def without_sigma(h: DayHistory) -> DayHistory:
        return replace(random_day(rng, 0), day=h.day, median_sigma=h.median_sigma)

    def terms(history: list[DayHistory]) -> tuple[object, ...]:
        t = day_tables(day, history, MANIFEST, MANIFEST.universe, SPECS)
        return t.sq_score, t.quality, t.kr_coherence, t.kr_phi, t.theta0, t.kr_novelty

    def emergence(history: list[DayHistory]) -> tuple[float, ...]:
        return day_tables(day, history, MANIFEST, MANIFEST.universe, SPECS).kr_emergence

    assert terms([without_sigma(h) for h in days[:-20]] + days[-20:]) == terms(days)
    assert terms([*days[:-20], without_sigma(days[-20]), *days[-19:]]) != terms(days)
    far = [replace(h, median_sigma=np.full(D, 9.0)) for h in days[:-30]]
    assert emergence(far + days[-30:]) == emergence(days)
    near = replace(days[-30], median_sigma=np.full(D, 9.0))
    assert emergence([*far, near, *days[-29:]]) != emergence(days)


def test_every_daily_term_is_neutral_and_flagged_below_ten_days(days: list[DayHistory]) -> None:
    names = ("sq_score", "kr_coherence", "kr_phi", "theta0", "kr_emergence", "kr_novelty")
    for count in (0, 1, 9):
        tables = day_tables("2026-01-01", days[:count], MANIFEST, MANIFEST.universe, SPECS)
        assert all(getattr(tables, name) == (0.5,) * D for name in names)
        assert all(set(names) <= set(flags) for flags in tables.neutral)
    tables = day_tables("2026-01-01", days[:10], MANIFEST, MANIFEST.universe, SPECS)
    for name in names:
        flagged = [name in flags for flags in tables.neutral]
        assert flagged == [False] * (D - 1) + [True], name
        assert all((value == 0.5) <= flag for value, flag in zip(getattr(tables, name), flagged, strict=True))
    assert tables.quality[0].keys() == WEIGHTS.keys() | {"score"}


def test_phi_is_neutral_and_flagged_below_three_assets(days: list[DayHistory]) -> None:
    rng = np.random.default_rng(3)
    pair = [random_day(rng, k, assets=3) for k in range(12)]
    kept = [drop_asset(h, 2) for h in pair]
    universe = MANIFEST.universe[:2]
    tables = day_tables("2026-01-01", kept, MANIFEST, universe, SPECS)
    assert tables.kr_phi == (0.5,) * D
    assert all("kr_phi" in flags for flags in tables.neutral)
    assert not any("sq_score" in flags for flags in tables.neutral[:-1])


def drop_asset(h: DayHistory, asset: int) -> DayHistory:
    """A day without one asset."""
    window, said, paid = (
        h.key % MAX_ASSETS != asset,
        h.signal_key % MAX_ASSETS != asset,
        h.paid_key % MAX_ASSETS != asset,
    )
    cut = {n: getattr(h, n)[window] for n in ("key", "x", "rv", "mid2")}
    cut |= {n: getattr(h, n)[said] for n in ("detector", "signal_key", "s", "veto", "published", "mx", "crowd", "bins")}
    cut |= {n: getattr(h, n)[paid] for n in ("paid_detector", "paid_key", "ret", "payoff", "executed")}
    return replace(h, **cut)


def test_zero_denominators_are_neutral_and_flagged(days: list[DayHistory]) -> None:
    flat = [
        replace(h, s=np.full_like(h.s, 0.5), ret=np.zeros_like(h.ret), payoff=np.zeros_like(h.payoff)) for h in days
    ]
    tables = day_tables("2026-01-01", flat[:12], MANIFEST, MANIFEST.universe, SPECS)
    for d in range(D - 1):
        names = {"sq_precision", "sq_stability", "sq_orthogonality", "sq_cost", "kr_novelty", "kr_phi"}
        assert names <= set(tables.neutral[d])
        parts = tables.quality[d]
        assert parts == dict.fromkeys(WEIGHTS, 0.5) | {"score": pytest.approx(0.5 * sum(WEIGHTS.values()))}
    alone = quality([matured(days[:12], 0)], 0, 6)
    assert alone[1] == ["orthogonality"]
    assert alone[0]["orthogonality"] == 0.5


def test_retired_detectors_are_in_nobodys_cohort_but_their_own(days: list[DayHistory]) -> None:
    """Detector 1 repeats detector 0: once it is retired, 0 is as orthogonal and as novel as if it had never been."""
    history, gone = days[-20:], SPECS[1].detector_id
    together = day_tables("2026-01-01", history, MANIFEST, MANIFEST.universe, SPECS)
    apart = day_tables("2026-01-01", history, MANIFEST, MANIFEST.universe, SPECS, {gone})
    never = [replace(h, detector=np.where(h.detector == 1, D + 1, h.detector)) for h in history]
    order = [np.argsort(h.detector, kind="stable") for h in never]
    signals = ("detector", "signal_key", "s", "veto", "published", "mx", "crowd", "bins")
    never = [replace(h, **{n: getattr(h, n)[k] for n in signals}) for h, k in zip(never, order, strict=True)]
    alone = day_tables("2026-01-01", never, MANIFEST, MANIFEST.universe, SPECS)
    for d in (0, 2, 3):
        assert apart.quality[d] == alone.quality[d]
        assert apart.kr_novelty[d] == alone.kr_novelty[d]
    assert apart.quality[0]["orthogonality"] > together.quality[0]["orthogonality"]
    assert apart.quality[1] == together.quality[1]
    assert apart.kr_novelty[1] == together.kr_novelty[1]
