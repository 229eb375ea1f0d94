"""Day tables: nothing of the day itself, the publication share, bins, and every daily formula against an oracle."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.detectors import daily_kernel, daily_quality
from lotus.detectors.daily import day_tables
from lotus.detectors.daily_bins import threshold
from lotus.detectors.daily_quality import Matured
from lotus.detectors.daytables import tables_from_json, tables_to_json
from lotus.detectors.history import MAX_ASSETS, DayHistory
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.score import score_windows
from lotus.errors import LookAheadError, SchemaError
from lotus.manifest import ScoreDefaults
from lotus.priors.types import priors_0
from lotus.priors.vocabulary import ALIGNED, FEATURE_NAMES, N_BINS

DETECTORS = shipped_detectors()
SCORE = ScoreDefaults()
SLOW = ("sq_score", "kr_coherence", "kr_phi", "theta0", "kr_emergence", "kr_novelty")


def made(payoff, ret=None, s=None, key=None, day=None, bins=None) -> Matured:
    n = len(payoff)
    return Matured(
        key=np.arange(n) * MAX_ASSETS if key is None else key,
        s=np.ones(n) if s is None else s,
        ret=payoff if ret is None else ret,
        payoff=payoff,
        day=np.arange(n) * 12 // n if day is None else day,
        bins=np.zeros((n, 12), np.uint8) if bins is None else bins,
        published=np.zeros(n, bool),
        executed=np.full(n, np.nan),
    )


def test_a_day_never_enters_its_own_tables(chain) -> None:
    m = chain.manifest
    again = day_tables(chain.tables[9].day, chain.history[:9], m, m.universe, DETECTORS)
    assert again == chain.tables[9]
    with pytest.raises(LookAheadError):
        day_tables(chain.history[8].day, chain.history[:9], m, m.universe, DETECTORS)
    with pytest.raises(LookAheadError):
        day_tables("2025-12-01", chain.history[:9][::-1], m, m.universe, DETECTORS)


def test_json_round_trip_and_version(chain) -> None:
    for tables in (chain.tables[0], chain.tables[12]):
        raw = tables_to_json(tables)
        assert tables_from_json(raw) == tables
        assert replace(tables, day="2031-01-01").tables_ver == tables.tables_ver
        with pytest.raises(SchemaError):
            tables_from_json(raw.replace(b'"tau_pub":[0', b'"tau_pub":[1', 1))
    assert len({t.tables_ver for t in chain.tables}) == 13


def test_cold_start_is_neutral_and_flagged(chain) -> None:
    first, warm, full = chain.tables[0], chain.tables[5], chain.tables[12]
    assert all(edges == () for features in first.edges for edges in features)
    assert first.hbar_m == (None, None, None)
    assert first.temperature == (0.12,) * 6
    for tables in (first, warm):
        for name in SLOW:
            assert getattr(tables, name) == (0.5,) * 6
            assert all(name in flags for flags in tables.neutral)
    assert all("tau_pub" in flags for flags in first.neutral)
    assert not any("tau_pub" in flags for flags in warm.neutral)
    assert not any(set(flags) & {"sq_score", "kr_coherence", "kr_phi", "theta0"} for flags in full.neutral)
    assert all("kr_emergence" in flags for flags in full.neutral)


def test_publication_share_is_thirteen_percent(chain) -> None:
    m = chain.manifest
    assert np.mean([e["pi"][e["eligible"]].mean() for e in chain.events[3:]]) == pytest.approx(0.13, abs=0.03)
    pooled = []
    for day in range(5, 12):
        events = score_windows(chain.windows[day], m, m.universe, chain.tables[12], [priors_0("main")], "main")
        pooled.append(events["pi"][events["eligible"]])
    assert np.concatenate(pooled).mean() == pytest.approx(0.13, abs=0.005)


def test_threshold_solves_its_equation_and_bounds_the_temperature() -> None:
    rng = np.random.default_rng(4)
    for sd, expected in ((0.01, 0.05), (0.3, 0.15), (5.0, 0.25)):
        x = rng.normal(-1.5, sd, 4000)
        tau, t = threshold(x, SCORE)
        assert t == pytest.approx(expected, rel=0.05)
        p = np.clip(1 / (1 + np.exp(-(x - np.log(tau)) / t)), 0.02, 0.98)
        assert p.mean() == pytest.approx(0.13, abs=1e-6)
    assert threshold(np.zeros(199), SCORE) is None


def test_edges_are_quantiles_symmetric_where_signed(chain) -> None:
    tables, recent = chain.tables[12], chain.history[5:12]
    for a, features in enumerate(tables.edges):
        for f, edges in enumerate(features):
            assert len(edges) == N_BINS[f] - 1
            assert list(edges) == sorted(edges)
            if ALIGNED[f]:
                assert edges == tuple(-x for x in edges[::-1])
            x = np.concatenate([h.x[h.key % MAX_ASSETS == a, f] for h in recent])
            if FEATURE_NAMES[f] in ("vol", "depth_slope", "oi", "spread"):
                share = np.bincount(np.searchsorted(edges, x[np.isfinite(x)]), minlength=5) / np.isfinite(x).sum()
                assert share == pytest.approx(0.2, abs=0.002)
        assert features[FEATURE_NAMES.index("session")] == (0.5, 1.5, 2.5)


def test_quality_parts_by_hand() -> None:
    rng = np.random.default_rng(2)
    s = rng.choice([-1.0, -0.5, 0.5, 1.0], 600)
    ret = 4.0 * s + rng.normal(0, 10, 600)
    ret[:5] = 0.0
    payoff = np.sign(s) * ret - 2.0
    m = made(payoff, ret, s)
    right = np.where(ret == 0, 0.5, np.sign(ret) == np.sign(s))
    assert daily_quality.accuracy(m) == pytest.approx(np.average(right, weights=np.abs(s)))
    slope, cut = np.polyfit(s, ret, 1)
    white = np.sqrt(np.sum(((s - s.mean()) * (ret - cut - slope * s)) ** 2)) / np.sum((s - s.mean()) ** 2)
    assert daily_quality.precision(m, 0) == pytest.approx(min(slope / white / 4, 1.0))
    ratios = np.array([payoff[m.day == d].mean() / payoff[m.day == d].std() for d in range(12)])
    mean = max(ratios.mean(), 0)
    assert daily_quality.stability(m) == pytest.approx(mean / (mean + ratios.std(ddof=1) / np.sqrt(12)))
    gross = (np.sign(s) * ret).mean()
    assert daily_quality.cost_share(m) == pytest.approx(2.0 / (2.0 + gross))
    other = made(payoff + rng.normal(0, 10, 600), ret, s, key=m.key)
    stranger = made(rng.normal(0, 1, 600), key=m.key + 10**9 * MAX_ASSETS)
    corr = np.corrcoef(payoff, other.payoff)[0, 1]
    assert daily_quality.orthogonality([m, other, stranger], 0) == pytest.approx(1 - corr)
    assert daily_quality.orthogonality([m, stranger], 0) is None
    parts, missing = daily_quality.quality([m, other], 0, 6)
    assert not missing
    weights = np.array([0.35, 0.25, 0.20, 0.20, -0.20])
    names = ("accuracy", "precision", "stability", "orthogonality", "cost")
    assert parts["score"] == pytest.approx(weights @ [parts[name] for name in names])
    short = made(payoff, ret, s, day=np.arange(600) * 9 // 600)
    assert daily_quality.quality([short], 0, 6)[0]["score"] == 0.5


def test_newey_west_against_a_dense_matrix() -> None:
    rng = np.random.default_rng(7)
    time = np.sort(rng.choice(300, 200))
    score = rng.normal(size=200)
    u = np.bincount(time, weights=score, minlength=300)
    gap = np.abs(np.subtract.outer(np.arange(300), np.arange(300)))
    weight = np.maximum(1 - gap / 7.0, 0.0)
    assert daily_quality.newey_west(time, score, 6) == pytest.approx(u @ weight @ u)


def synthetic_day(rng, n=2100, follow=0.0, start=0) -> DayHistory:
    """One day of two assets in which the next return follows the signal by `follow`."""
    key = np.sort(np.concatenate([(start + np.arange(n)) * MAX_ASSETS + a for a in range(2)]))
    s = np.repeat(rng.choice([-1.0, 0.0, 1.0], -(-len(key) // 16)), 16)[: len(key)]
    mid2 = np.empty(len(key), np.int64)
    for a in range(2):
        mine = key % MAX_ASSETS == a
        steps = rng.normal(0, 2e-4, mine.sum()) + follow * 2e-4 * s[mine]
        mid2[mine] = 1e9 * np.exp(np.concatenate([[0.0], np.cumsum(steps[:-1])]))
    fires = s != 0
    empty = np.zeros(0)
    return DayHistory(
        "2025-03-03", key, np.zeros((len(key), 12)), np.ones(len(key)), mid2,
        np.zeros(fires.sum(), np.int64), key[fires], s[fires],
        np.zeros(fires.sum(), np.uint32), np.zeros(fires.sum(), bool), empty, empty,
        np.zeros((fires.sum(), 12), np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int64), empty, empty, empty,
        np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1),
    )  # fmt: skip


def test_coherence_sees_what_follows_and_nothing_else() -> None:
    rng = np.random.default_rng(6)
    noise = [synthetic_day(rng, start=k * 10_000) for k in range(6)]
    follow = [synthetic_day(rng, follow=2.0, start=k * 10_000) for k in range(6)]
    assert daily_kernel.segment_length((20, 160), 5.0) == 64
    for days, low, high in ((noise, 0.0, 0.03), (follow, 0.4, 1.0)):
        cut = daily_kernel.segments(days, 64)
        assert len(cut[0]) == 6 * 2 * (2099 // 64)
        assert low <= daily_kernel.coherence(days, 0, cut, (40, 160), 5.0) <= high
    assert daily_kernel.coherence(noise[:1], 0, daily_kernel.segments(noise[:1], 1024), (60, 2000), 5.0) is None


def test_phi_finds_a_dependence_that_context_does_not_explain() -> None:
    rng = np.random.default_rng(8)
    n = 5000
    windows, change, x = np.arange(n), rng.normal(size=n), rng.normal(size=(n, 12))
    key = windows * MAX_ASSETS
    for effect, low, high in ((0.0, 0.0, 0.05), (1.0, 0.65, 0.75)):
        m = made(effect * change + rng.normal(size=n) + 5 * x[:, 3], key=key)
        assert low <= daily_kernel.phi(m, (key, x), (windows, change)) <= high
    through = made(rng.normal(size=n) + 3 * x[:, 2], key=key)
    assert daily_kernel.phi(through, (key, x), (windows, change + 3 * x[:, 2])) < 0.06
    assert daily_kernel.phi(made(rng.normal(size=60), day=np.zeros(60)), (key, x), (windows, change)) is None


def test_dispersion_needs_three_assets(chain) -> None:
    windows, change = daily_kernel.dispersion(chain.history[:3], 5000)
    assert len(windows) == len(change) > 500
    k = len(windows) // 2
    day = next(h for h in chain.history[:3] if windows[k] * MAX_ASSETS in h.key)

    def spread(window: int) -> float:
        ends, starts = ([day.key.searchsorted(w * MAX_ASSETS + a) for a in range(3)] for w in (window, window - 60))
        return float(np.std(1e4 * (day.mid2[ends] / day.mid2[starts] - 1)))

    assert change[k] == pytest.approx(spread(int(windows[k])) - spread(int(windows[k]) - 1))
    pair = [replace_assets(h) for h in chain.history[:3]]
    assert len(daily_kernel.dispersion(pair, 5000)[0]) == 0


def replace_assets(h: DayHistory) -> DayHistory:
    keep = h.key % MAX_ASSETS < 2
    return replace(h, key=h.key[keep], mid2=h.mid2[keep], x=h.x[keep], rv=h.rv[keep])


def test_theta_is_low_when_publications_spread_over_contexts(chain) -> None:
    hbar, session = FEATURE_NAMES.index("hbar"), FEATURE_NAMES.index("session")

    def days(bins) -> list[DayHistory]:
        n = len(bins)
        fields = dict.fromkeys(("detector", "signal_key"), np.zeros(n, np.int64))
        day = replace(chain.history[0], bins=bins, published=np.ones(n, bool), **fields)
        return [replace(day, day=str(k)) for k in range(10)]

    spread = np.zeros((60, 12), np.uint8)
    spread[:, hbar], spread[:, session] = np.arange(60) % 3, np.arange(60) // 3 % 4
    one_cell = np.zeros((60, 12), np.uint8)
    assert daily_kernel.theta0(days(spread), 0) == pytest.approx(0.0)
    assert daily_kernel.theta0(days(one_cell), 0) == 0.9
    few = [replace(h, published=np.arange(60) < 25) for h in days(spread)]
    entropy = np.log(3) + np.log(4)
    cells = np.bincount(spread[:25, hbar] * 4 + spread[:25, session], minlength=12) / 25
    partial = -np.sum(cells * np.log(cells)) / entropy
    assert daily_kernel.theta0(few, 0) == pytest.approx(min(1 - 0.5 * partial, 0.9))
    assert daily_kernel.theta0(days(spread)[:9], 0) is None


def test_emergence_and_novelty(chain) -> None:
    rng = np.random.default_rng(9)

    def days(values):
        return [replace(chain.history[0], median_sigma=np.array([v])) for v in values]

    up = daily_kernel.emergence(days(0.3 + 0.01 * np.arange(15) + rng.normal(0, 0.01, 15)), 0)
    down = daily_kernel.emergence(days(0.3 - 0.01 * np.arange(15) + rng.normal(0, 0.01, 15)), 0)
    assert up > 0.95 > 0.05 > down
    assert daily_kernel.emergence(days(np.full(15, 0.3)), 0) is None
    assert daily_kernel.emergence(days(np.full(9, 0.3)), 0) is None
    bins = rng.integers(0, 3, (3000, 12)).astype(np.uint8)
    pattern = 5.0 * (bins[:, 0] == 2)
    same, twin, opposite = (made(p + rng.normal(0, 0.1, 3000), bins=bins) for p in (pattern, pattern, -pattern))
    profiles = [daily_kernel.payoff_profile(m) for m in (same, twin)]
    assert daily_kernel.novelty(profiles, 0) < 0.02
    assert daily_kernel.novelty([profiles[0], daily_kernel.payoff_profile(opposite)], 0) > 0.98
    assert daily_kernel.novelty([profiles[0], np.zeros(57)], 0) is None
