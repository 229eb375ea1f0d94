"""Decayed ranks and quantiles against decayed counting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from ..oracle import NULL, column, equal_bits, nasty_columns, node, run


def clean(x: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(x), x, NULL)


def rank(w: int):
    return node("rank", column(0), params=(w,))


def quantile(q: float, w: int):
    return node("quantile", column(0), params=(q, w))


def decayed_shares(x: np.ndarray, w: int, rows: np.ndarray) -> np.ndarray:
    """Weighted share below x[i] + half of the ties, weights halving every w / 2 rows."""
    out = []
    for i in rows:
        weights = 0.5 ** (2.0 * np.arange(i, -1, -1) / w)
        past = x[: i + 1]
        known = past == past
        out.append((weights[(past < x[i])].sum() + 0.5 * weights[past == x[i]].sum()) / weights[known].sum())
    return np.array(out)


KINDS = ("normal", "price", "heavy tails", "few values", "ten decades", "mostly 0", "with nulls")


@pytest.mark.parametrize("kind", KINDS)
def test_decayed_rank_is_within_three_hundredths(kind: str) -> None:
    rng, n, w = np.random.default_rng(5), 20_000, 601  # long enough for masses to be divided by 2**40
    x = {
        "normal": rng.normal(size=n),
        "price": 64_000 + np.cumsum(rng.normal(size=n)),
        "heavy tails": rng.standard_cauchy(n),
        "few values": rng.integers(0, 5, n).astype(float),
        "ten decades": 10.0 ** rng.uniform(-5, 5, n),
        "mostly 0": np.where(rng.random(n) < 0.6, 0.0, rng.normal(size=n)),
        "with nulls": np.where(rng.random(n) < 0.3, NULL, rng.normal(size=n)),
    }[kind]
    found = run(rank(w), x)
    assert np.isnan(found[: w - 1]).all()
    rows = rng.choice(np.flatnonzero(x == x)[w:], 300)
    np.testing.assert_allclose(found[rows], decayed_shares(x, w, rows), atol=1e-12 if kind == "few values" else 0.03)


@pytest.mark.parametrize("q", [0.05, 0.5, 0.99])
def test_decayed_quantile_has_its_share_below(q: float) -> None:
    rng, n, w = np.random.default_rng(6), 12_000, 2000
    x = 100.0 + rng.normal(size=n)
    found = run(quantile(q, w), x)
    for i in range(w, n, 997):
        weights = 0.5 ** (2.0 * np.arange(i, -1, -1) / w)
        assert weights[x[: i + 1] < found[i]].sum() / weights.sum() == pytest.approx(q, abs=0.02)


@settings(max_examples=examples(60), deadline=None)
@given(nasty_columns(longest=200), st.floats(0.0, 1.0))
def test_decayed_histogram_takes_whatever_comes(x: np.ndarray, q: float) -> None:
    long = np.resize(x, 2000)
    found, value = run(rank(700), long), run(quantile(q, 700), long)
    assert (np.isnan(found) | ((found >= 0.0) & (found <= 1.0))).all()
    known = clean(long)
    if (known == known).any():
        assert (np.isnan(value) | ((value >= np.nanmin(known)) & (value <= np.nanmax(known)))).all()


def test_decayed_rank_does_not_depend_on_the_scale() -> None:
    x = np.random.default_rng(8).standard_cauchy(5000)
    assert equal_bits(run(rank(800), x), run(rank(800), x * 2.0**40))
