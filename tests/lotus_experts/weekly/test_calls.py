"""The worth of calls against a plain walk, and the promise that a price without drift is worth the fair share."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.experts.compiler import label_rules
from lotus.experts.fusion import default_experts
from lotus.experts.spec import LabelRule
from lotus.experts.weekly.calls import calls_of, follow, joined

from ..specs import edited
from ..test_machine_patterns import market

RULE = LabelRule(2.0, 4.0, 3.0)  # 10 frames


def plain(fired, z, mid, reborn, horizon=10, gain=4.0, give=3.0):
    """Every call by hand: (row, side, worth)."""
    out, free = [], 0
    for i in range(len(fired)):
        new = fired[i] and (reborn[i] or i == 0 or not fired[i - 1])
        if i < free or not new or not z[i] or np.isnan(z[i]):
            continue
        side, worth, last = int(np.sign(z[i])), np.nan, i
        for j in range(i + 1, i + horizon + 1):
            if j >= len(mid) or reborn[j]:
                break
            last, move = j, side * 1e4 * (mid[j] / mid[i] - 1)
            if move >= gain - 1e-9 or move <= -give + 1e-9:
                worth = float(move > 0)
                break
            if j == i + horizon:
                worth = (move + give) / (gain + give)
        out.append((i, side, worth))
        free = last + 1
    return out


@settings(max_examples=examples(100), deadline=None)
@given(st.integers(0, 2**32), st.sampled_from((0.3, 2.5)))
def test_worths_are_those_of_a_plain_walk(seed: int, step: float) -> None:
    rng = np.random.default_rng(seed)
    n = 120
    fired, reborn = rng.random(n) < 0.3, rng.random(n) < 0.03
    z = rng.choice([-1.0, 0.0, 0.5, np.nan], n)
    mid = 1e4 * (1 + 1e-4 * np.cumsum(step * rng.standard_normal(n)))
    rows = list(zip(*follow(fired, z, mid, reborn, RULE, 200), strict=True))
    np.testing.assert_allclose(np.array(rows, float), np.array(plain(fired, z, mid, reborn), float), rtol=1e-9)


def test_a_price_without_drift_is_worth_the_fair_share_whatever_the_barriers() -> None:
    rng = np.random.default_rng(5)
    n = 400_000
    mid = 1e6 * np.exp(1e-4 * np.cumsum(0.05 * rng.choice([-1.0, 1.0], n)))  # steps divide the barriers
    fired = np.arange(n) % 2 == 0
    for rule in (LabelRule(60.0, 4.0, 3.0), LabelRule(20.0, 1.0, 4.0), LabelRule(2.0, 2.0, 2.0)):
        worth = follow(fired, np.ones(n), mid, np.zeros(n, bool), rule, 200)[2]
        worth = worth[np.isfinite(worth)]
        fair = rule.give_bps / (rule.gain_bps + rule.give_bps)
        assert abs(worth.mean() - fair) < 4 * worth.std() / np.sqrt(len(worth))


def test_a_sweep_that_stalls_and_comes_back_is_won() -> None:
    sweep = (slice(10, 11), {"sweep": 1.0, "ret_bps": 2.0})
    lean = (slice(14, 40), {"imb_1": -0.5})
    for move, worth in ((-5.0, 1.0), (3.5, 0.0), (-2.0, (2.0 + 3.0) / 7.0)):
        frames = market(400, sweep, lean, (slice(100, 101), {"ret_bps": move}))
        found = calls_of(frames, edited("sweep_stall"))
        assert found.frame_idx[0] == 15
        assert found.side[0] == -1
        assert found.worth[0] == pytest.approx(worth, abs=1e-3)
        assert found.of(0, 0).tolist() == found.worth[np.isfinite(found.worth)].tolist()
    assert not len(calls_of(frames, edited("sweep_stall"), first_ms=400 * 200))
    assert len(joined([])) == 0


def test_every_shipped_expert_has_a_rule() -> None:
    rules = label_rules(default_experts())
    assert all(0 < rule.horizon_s <= 300 and rule.gain_bps >= 1 and rule.give_bps >= 1 for rule in rules)
    assert rules[0] == LabelRule(45.0, 4.0, 3.0)
