"""A lesson in doubt: what the claim counts under a tilt, how rarely a living one is reverted, how soon a dead one."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lotus.priors.vocabulary import rule_mask
from lotus.weave.doubt import DEAD_AT, HOUR_MS, Doubt, claimed, claimed_blocks, shortfalls
from tests.lotus_weave.boards import A, B, monitor, rows

DAY = "2026-01-20"


def nights(mean: float, seed: int, days: int, number: int = 1) -> int:
    """Nights until a doubt reverts or is over, negative when it is over; 24 hours a day with t3 noise around a mean."""
    doubt, draws = Doubt(number), np.random.default_rng(seed)
    for night in range(1, days + 1):
        doubt = doubt.after(tuple(mean + draws.standard_t(3, 24)))
        if doubt.dead or doubt.over:
            return night if doubt.dead else -night
    return 0


def test_a_living_lesson_is_hardly_ever_reverted_and_a_dead_one_within_days() -> None:
    assert sum(nights(0.0, seed, 40) > 0 for seed in range(200)) <= 10
    dead = [nights(0.6, seed, 40) for seed in range(100)]
    assert np.median(dead) <= 4
    alive = [nights(-0.6, seed, 40) for seed in range(100)]
    assert np.median(alive) >= -4
    assert max(alive) < 0


def test_each_further_doubt_needs_more_and_all_together_are_bounded() -> None:
    assert [Doubt(k).needed for k in (1, 2, 3)] == [DEAD_AT, 3 * DEAD_AT, 6 * DEAD_AT]
    assert sum(1.0 / Doubt(k).needed for k in range(1, 10_000)) <= 0.1
    assert Doubt(2, (math.log(59.0),) * 4).dead is False
    assert Doubt(1).after(()) == Doubt(1)


@pytest.mark.parametrize("others", [(), (A, B)])
def test_what_a_tilt_weighs_up_shows_the_same_uplift_for_the_claim(others: tuple[object, ...]) -> None:
    plain = rows(DAY, lambda bins: 0.0 * bins[:, 0])
    inside = rule_mask(A, plain.bins)
    p0 = 1.0 / (1.0 + np.exp(-plain.u0))
    p = np.where(inside, 0.5, p0)

    def paying(p: np.ndarray) -> float:
        h = p * (1.0 - p)
        seen = replace(plain, p=p, h=h, f=10.0 * h * inside)
        r, weight = claimed(seen, A, others)  # type: ignore[arg-type]
        assert not r[~inside].any()
        assert not weight[~inside].any()
        return float(r.sum() / weight.sum())

    assert paying(p) == pytest.approx(paying(p0))
    tilted = replace(plain, p=p, h=p * (1.0 - p), f=10.0 * p * (1.0 - p) * inside)
    r, _ = claimed(tilted, A, ())
    assert r.sum() / (tilted.weight * tilted.h)[inside].sum() < 0.97 * paying(p)


def test_hours_and_blocks_are_sums_of_the_same_windows() -> None:
    seen, watch = rows(DAY, lambda bins: 8.0 * rule_mask(A, bins)), monitor(claim_bps=2.0)
    r, h = claimed(seen, A, ())
    blocks = claimed_blocks(seen, A, (B, A))
    assert blocks.rest is None
    assert claimed_blocks(seen, A, ()).gain.sum() == pytest.approx(r.sum())
    short = shortfalls(r, h, (seen.end_ms - 1) // HOUR_MS, watch)
    assert 4 < len(short) <= 24
    (whole,) = shortfalls(r, h, 0 * seen.end_ms, watch)
    assert whole == pytest.approx((1.6 * h.sum() - r.sum()) / math.sqrt(watch.variance * h.sum()))
    assert shortfalls(r[:0], h[:0], seen.end_ms[:0], watch) == ()
