"""The two numbers of a decision: independence of its views, and use of its capacity."""

import pytest

from lotus.decision.fusion import Fused
from lotus.decision.intelligence import dm_capacity_risk, dm_fuse_quality


def fused(views: int, effective: float, mu: float) -> Fused:
    """A fused view."""
    return Fused("BTC", 300, mu, mu, (), views, effective)


def test_fuse_quality_is_the_share_of_independent_views() -> None:
    assert dm_fuse_quality([]) is None
    assert dm_fuse_quality([fused(4, 1.0, 10.0)]) == 0.25
    assert dm_fuse_quality([fused(4, 1.0, 30.0), fused(2, 2.0, 10.0)]) == pytest.approx(0.25 * 0.75 + 0.25)
    assert dm_fuse_quality([fused(2, 1.0, 0.0)]) == 0.5


def test_capacity_risk_is_zero_flat_and_one_at_the_cap() -> None:
    assert dm_capacity_risk([]) == 0.0
    assert dm_capacity_risk([(0.2, 1.0, 1.0), (0.0, 0.0, 1.0)]) == 1.0
    assert dm_capacity_risk([(0.1, 0.5, 0.5), (0.3, 0.0, 1.0)]) == pytest.approx(0.25 * 0.75)
