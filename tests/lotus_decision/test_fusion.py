"""Fusion: weights, blocks of like sources, anchors and tilts; order never matters, signs mirror, no edge stays none."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.decision.fusion import blend_weights, blocks_of, fuse
from lotus.decision.knowledge.calibration import DmAlpha
from lotus.decision.policy.policy import shipped_policy

RULE = shipped_policy().fusion


def view(source: str, mu: float, *, sigma: float = 20.0, reliability: float = 0.5, horizon_s: int = 300,
         coin: str = "BTC", event: str = "", until: int = 0) -> DmAlpha:  # fmt: skip
    """A calibrated view."""
    return DmAlpha(
        source=source, coin=coin, horizon_s=horizon_s, event_id=event or f"{source}-{horizon_s}-{coin}",
        lifecycle_id="t", mu_bps=mu, raw_mu_bps=mu, shrinkage=1.0, sigma_bps=sigma, half_life_s=300.0,
        reliability=reliability, support=100, cell=(source, horizon_s, ""), valid_until_ms=until,
    )  # fmt: skip


def one(views: list[DmAlpha], correlations: dict[tuple[str, str], float] | None = None) -> float:
    """The fused expectation of the only coin."""
    (found,) = fuse(views, correlations or {}, RULE)
    return found.mu_bps


def test_views_weigh_by_reliability_over_variance() -> None:
    tau = RULE.tau0_bps**2
    a, b = 0.8 / (10.0**2 + tau), 0.2 / (30.0**2 + tau)
    found = one([view("det:a", 6.0, sigma=10.0, reliability=0.8), view("det:b", -3.0, sigma=30.0, reliability=0.2)])
    assert found == pytest.approx((a * 6.0 - b * 3.0) / (a + b))


def test_a_copy_changes_nothing() -> None:
    three = [view("det:a", 6.0), view("det:b", 6.0), view("det:c", -3.0)]
    assert one(three, {("det:a", "det:b"): 1.0}) == pytest.approx(one([three[0], three[2]]), abs=1e-3)
    (found,) = fuse(three, {("det:a", "det:b"): 1.0}, RULE)
    assert found.effective == pytest.approx(2.0, abs=1e-2)
    assert {p.source: p.block for p in found.parts} == {"det:a": "det:a+det:b", "det:b": "det:a+det:b", "det:c": ""}


def test_below_the_floor_correlation_counts_as_none() -> None:
    three = [view("det:a", 6.0), view("det:b", 6.0), view("det:c", -3.0)]
    assert one(three, {("det:a", "det:b"): 0.6}) == one(three)
    assert one(three, {("det:a", "det:b"): 0.61}) < one(three)


def test_the_residual_of_a_block_is_uncorrelated_with_its_blend() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        x = rng.normal(size=(50, 4)) + rng.normal(size=(50, 1)) * 2.0
        omega = np.cov(x.T) * np.outer(s := rng.uniform(0.5, 2.0, 4), s)
        v = blend_weights(omega)
        pull = omega @ v
        assert v.sum() == pytest.approx(1.0)
        assert (v >= 0.0).all()
        assert pull[v > 1e-9] == pytest.approx(np.full(int((v > 1e-9).sum()), v @ pull), rel=1e-5)
        assert (pull >= v @ pull - 1e-5 * abs(v @ pull)).all()  # Karush-Kuhn-Tucker: nobody left out would help


def test_blocks_are_connected_components() -> None:
    known = {("a", "b"): 0.7, ("b", "c"): -0.9, ("c", "d"): 0.5}
    assert blocks_of(["d", "c", "b", "a"], known, 0.6) == (("a", "b", "c"), ("d",))


def test_a_short_horizon_tilts_a_long_one_within_its_share() -> None:
    long, agrees = view("det:a", 12.0, horizon_s=3600), view("det:b", 1.0, horizon_s=300)
    assert one([long, agrees]) == pytest.approx(12.0)
    (found,) = fuse([long, replace(agrees, mu_bps=1.4)], {}, RULE)
    assert (found.horizon_s, found.anchor_bps) == (3600, 12.0)
    assert found.mu_bps == pytest.approx(12.4)
    assert one([long, replace(agrees, mu_bps=-10.0)]) == pytest.approx(12.0 - RULE.tilt_share * 10.0)
    assert one([agrees]) == 1.0


VIEWS = st.lists(
    st.builds(
        view, st.sampled_from(["det:a", "det:b", "human:c", "det:d"]), st.floats(-50, 50), sigma=st.floats(1, 100),
        reliability=st.floats(0, 1), horizon_s=st.sampled_from([30, 300, 3600]), coin=st.sampled_from(["BTC", "ETH"]),
        event=st.sampled_from(["x", "y", "z"]), until=st.integers(0, 3),
    ),
    max_size=12, unique_by=lambda v: (v.source, v.coin, v.horizon_s, v.event_id),
)  # fmt: skip
LIKE = st.fixed_dictionaries({("det:a", "det:b"): st.floats(-0.5, 1), ("det:b", "det:d"): st.floats(-0.5, 1)})


@settings(deadline=None)
@given(VIEWS, LIKE, st.randoms())
def test_order_does_not_matter(views: list[DmAlpha], like: dict[tuple[str, str], float], rng: random.Random) -> None:
    mixed = rng.sample(views, len(views))
    assert fuse(mixed, like, RULE) == fuse(views, like, RULE)


@settings(deadline=None)
@given(VIEWS, LIKE)
def test_signs_mirror_and_parts_add_up(views: list[DmAlpha], like: dict[tuple[str, str], float]) -> None:
    found = fuse(views, like, RULE)
    turned = fuse([replace(v, mu_bps=-v.mu_bps) for v in views], like, RULE)
    assert [f.mu_bps for f in turned] == pytest.approx([-f.mu_bps for f in found])
    for f in found:
        assert sum(p.weight * p.mu_bps for p in f.parts) == pytest.approx(f.mu_bps, abs=1e-6)
    assert all(f.mu_bps == 0.0 for f in fuse([replace(v, mu_bps=0.0) for v in views], like, RULE))


def test_views_nobody_trusts_say_nothing() -> None:
    assert fuse([view("human:ada", 50.0, reliability=0.0)], {}, RULE) == ()
