"""The value of acts: the propensity moved exactly as the kernel would, sums that find a planted effect, intervals."""

import numpy as np
import pytest

from lotus.curation.value import gained, moved_propensity, over_days, propensity_without_veto
from lotus.detectors.scoring.step import propensity


def windows(n: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Windows as they are logged, a few vetoed, some at a floor."""
    rng = np.random.default_rng(seed)
    out = {"ln_sigma_tilde": rng.normal(-1.0, 0.3, n), "tau_pub": np.full(n, 0.45), "gate": rng.normal(0, 0.2, n)}
    out["temperature"] = np.where(np.arange(n) % 7 == 0, 0.0, 0.12)
    ln_tau = np.log(out["tau_pub"])
    drawn = zip(out["ln_sigma_tilde"], ln_tau, out["temperature"], out["gate"], strict=True)
    out["pi"] = np.array([propensity(x, t, temp, 0.02, g) for x, t, temp, g in drawn])
    out["veto"] = np.where(np.arange(n) % 11 == 0, 1, 0)
    out["pi"][out["veto"] != 0] = 0.0
    return out


def test_a_moved_window_has_the_propensity_of_the_kernel() -> None:
    events, change = windows(500), np.random.default_rng(2).normal(0, 0.05, 500)
    found = moved_propensity(events, change, 0.02)
    for k in range(500):
        wanted = propensity(
            events["ln_sigma_tilde"][k] + change[k], np.log(events["tau_pub"][k]), events["temperature"][k], 0.02,
            events["gate"][k],
        )  # fmt: skip
        assert found[k] == (0.0 if events["pi"][k] == 0.0 else pytest.approx(wanted, abs=1e-9))
    np.testing.assert_array_equal(moved_propensity(events, np.zeros(500), 0.02), events["pi"])
    held = {**events, "pi": np.full(500, 0.02)}
    is_held = (np.abs(held["pi"] - events["pi"]) > 1e-9) & (events["veto"] == 0)
    np.testing.assert_array_equal(moved_propensity(held, change, 0.02)[is_held], 0.02)


def test_the_logit_of_a_vetoed_window_is_its_propensity_without_the_veto() -> None:
    assert propensity_without_veto({"u": np.array([0.0, 2.0])}) == pytest.approx([0.5, 0.8807970779778823])


def test_the_sum_finds_what_a_nudge_is_worth() -> None:
    """A planted edge: windows pay 2 bps; raising pi by .1 is worth .2 bps a window, whatever P is worth as a model."""
    rng, totals = np.random.default_rng(3), []
    for _ in range(200):
        n = 400
        pi = rng.uniform(0.1, 0.6, n)
        published, y = rng.uniform(size=n) < pi, 2.0 + rng.normal(0, 5, n)
        p = y * 0.3 + rng.normal(0, 2, n)
        totals.append(gained(pi, pi - 0.1, published, p, np.where(published, y, np.nan)).sum())
    error = np.std(totals) / np.sqrt(len(totals))
    assert abs(np.mean(totals) - 0.1 * 2.0 * 400) < 4 * error
    nothing = gained(np.array([0.5]), np.array([0.1]), np.array([True]), np.array([np.nan]), np.array([1.0]))
    assert nothing.tolist() == [0.0]


def test_intervals_are_over_days() -> None:
    rng = np.random.default_rng(4)
    found = [over_days(rng.normal(1.0, 3.0, 10).tolist()) for _ in range(1_000)]
    covered = np.mean([f.low <= 10.0 <= f.high for f in found if f.low is not None and f.high is not None])
    assert 0.93 <= covered <= 0.97
    assert over_days([1.0] * 4).low is None
    assert over_days([]).total == 0.0


def test_payoffs_that_are_not_known_are_stood_for_by_those_that_are() -> None:
    """Three in ten executions never came in and the model promises 2 bps too much: the truth is found all the same."""
    rng, n = np.random.default_rng(8), 200_000
    pi, other = np.full(n, 0.3), np.full(n, 0.1)
    published = rng.random(n) < pi
    paid = rng.normal(1.0, 2.0, n)
    executed = np.where(published & (rng.random(n) < 0.7), paid, np.nan)
    truth = 0.2 * n
    assert gained(pi, other, published, paid + 2.0, executed).sum() == pytest.approx(truth, rel=0.06)
    nothing = gained(pi, other, published, paid + 2.0, np.full(n, np.nan))
    assert nothing.sum() == pytest.approx(0.2 * (paid + 2.0).sum()), "without any the model stands alone"
