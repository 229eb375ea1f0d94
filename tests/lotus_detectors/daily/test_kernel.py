"""Daily terms on planted days: coherence, dependence, dispersion, spread over contexts, emergence and novelty."""

from dataclasses import replace

import numpy as np
import pytest
from made_days import made

from lotus.detectors.daily import kernel
from lotus.detectors.daily.history import MAX_ASSETS, DayHistory
from lotus.priors.vocabulary import FEATURE_NAMES


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
    assert kernel.segment_length((20, 160), 5.0) == 64
    for days, low, high in ((noise, 0.0, 0.03), (follow, 0.4, 1.0)):
        cut = kernel.segments(days, 64)
        assert len(cut[0]) == 6 * 2 * (2099 // 64)
        assert low <= kernel.coherence(days, 0, cut, (40, 160), 5.0) <= high
    assert kernel.coherence(noise[:1], 0, kernel.segments(noise[:1], 1024), (60, 2000), 5.0) is None


def test_phi_finds_a_dependence_that_context_does_not_explain() -> None:
    rng = np.random.default_rng(8)
    n = 5000
    windows, change, x = np.arange(n), rng.normal(size=n), rng.normal(size=(n, 12))
    key = windows * MAX_ASSETS
    for effect, low, high in ((0.0, 0.0, 0.05), (1.0, 0.65, 0.75)):
        m = made(effect * change + rng.normal(size=n) + 5 * x[:, 3], key=key)
        assert low <= kernel.phi(m, (key, x), (windows, change)) <= high
    through = made(rng.normal(size=n) + 3 * x[:, 2], key=key)
    assert kernel.phi(through, (key, x), (windows, change + 3 * x[:, 2])) < 0.06
    assert kernel.phi(made(rng.normal(size=60), day=np.zeros(60)), (key, x), (windows, change)) is None


def test_dispersion_needs_three_assets(chain) -> None:
    windows, change = kernel.dispersion(chain.history[:3], 5000)
    assert len(windows) == len(change) > 500
    k = len(windows) // 2
    day = next(h for h in chain.history[:3] if windows[k] * MAX_ASSETS in h.key)

    def spread(window: int) -> float:
        ends, starts = ([day.key.searchsorted(w * MAX_ASSETS + a) for a in range(3)] for w in (window, window - 60))
        return float(np.std(1e4 * (day.mid2[ends] / day.mid2[starts] - 1)))

    assert change[k] == pytest.approx(spread(int(windows[k])) - spread(int(windows[k]) - 1))
    pair = [replace_assets(h) for h in chain.history[:3]]
    assert len(kernel.dispersion(pair, 5000)[0]) == 0


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
    assert kernel.theta0(days(spread), 0) == pytest.approx(0.0)
    assert kernel.theta0(days(one_cell), 0) == 0.9
    few = [replace(h, published=np.arange(60) < 25) for h in days(spread)]
    entropy = np.log(3) + np.log(4)
    cells = np.bincount(spread[:25, hbar] * 4 + spread[:25, session], minlength=12) / 25
    partial = -np.sum(cells * np.log(cells)) / entropy
    assert kernel.theta0(few, 0) == pytest.approx(min(1 - 0.5 * partial, 0.9))
    assert kernel.theta0(days(spread)[:9], 0) is None


def test_emergence_and_novelty(chain) -> None:
    rng = np.random.default_rng(9)

    def days(values):
        return [replace(chain.history[0], median_sigma=np.array([v])) for v in values]

    up = kernel.emergence(days(0.3 + 0.01 * np.arange(15) + rng.normal(0, 0.01, 15)), 0)
    down = kernel.emergence(days(0.3 - 0.01 * np.arange(15) + rng.normal(0, 0.01, 15)), 0)
    assert up > 0.95 > 0.05 > down
    assert kernel.emergence(days(np.full(15, 0.3)), 0) is None
    assert kernel.emergence(days(np.full(9, 0.3)), 0) is None
    bins = rng.integers(0, 3, (3000, 12)).astype(np.uint8)
    pattern = 5.0 * (bins[:, 0] == 2)
    same, twin, opposite = (made(p + rng.normal(0, 0.1, 3000), bins=bins) for p in (pattern, pattern, -pattern))
    profiles = [kernel.payoff_profile(m) for m in (same, twin)]
    assert kernel.novelty(profiles, 0) < 0.02
    assert kernel.novelty([profiles[0], kernel.payoff_profile(opposite)], 0) > 0.98
    assert kernel.novelty([profiles[0], np.zeros(57)], 0) is None
