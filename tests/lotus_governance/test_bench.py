"""The bench: draws that learn, voters that lose their vote, acts within the law, the same week twice."""

import numpy as np

from lotus.curation.act import ALLOCATOR
from lotus.curation.in_force import expert_states
from lotus.governance.allocation_value import LoggedWeek, estimates, gain_on_uniform, uniform
from lotus.governance.allocator import Seen, allocate, believed
from lotus.governance.bench import acts_of, bench_of, demoted_voters

CONTEXT = (1.0, 0.3)
ARMS = tuple(f"e{k:02d}" for k in range(12))
COST = dict.fromkeys(ARMS, 10.0) | {"v1": 30.0, "v2": 30.0, "v3": 5.0}


def test_a_week_is_drawn_the_same_again_and_another_otherwise() -> None:
    given = ({"v1": 3.0}, ARMS, COST, 100.0, [], CONTEXT, None)
    first, again = (bench_of(*given, ("main", "2026-01-12")) for _ in range(2))
    assert first.draw.drawn.tobytes() == again.draw.drawn.tobytes()
    others = [bench_of(*given, ("main", f"w{k}")).draw.drawn.tobytes() for k in range(8)]
    assert len(set(others)) > 1
    assert first.quota == 70.0
    spent = sum(COST[a] for a, drawn in zip(first.arms, first.draw.drawn, strict=True) if drawn)
    assert spent <= 70.0


def test_without_a_quota_nobody_is_idle() -> None:
    bench = bench_of({"v1": 3.0}, ARMS, COST, 0.0, [], CONTEXT, None, ("main", "x"))
    assert bench.draw.drawn.all()
    assert acts_of(bench, "main", "2026-01-12", "2026-01-14", (*ARMS, "v1")) == []


def test_voters_lose_their_vote_by_value_per_cost_and_by_credit() -> None:
    voters = {"v1": 3.0, "v2": 1.0, "v3": 0.4}
    assert demoted_voters(voters, COST, 65.0, None) == {}
    assert demoted_voters(voters, COST, 40.0, None) == {"v2": "quota"}
    assert demoted_voters(voters, COST, 65.0, {"v1"}) == {"v2": "credit", "v3": "credit"}
    assert demoted_voters(voters, COST, 0.0, None) == {}


def test_acts_say_who_is_idle_for_a_week_and_who_has_no_vote() -> None:
    bench = bench_of({"v1": 3.0, "v2": 1.0}, ARMS, COST, 50.0, [], CONTEXT, None, ("main", "2026-01-12"))
    acts = acts_of(bench, "main", "2026-01-12", "2026-01-14", tuple(COST))
    assert {act.actor for act in acts} == {ALLOCATOR}
    states = expert_states(acts, "2026-01-20")
    idle = {arm for arm, drawn in zip(bench.arms, bench.draw.drawn, strict=True) if not drawn}
    assert {name for name, kinds in states.items() if "idle" in kinds} == idle
    assert "off" in states["v2"]
    assert expert_states(acts, "2026-01-21") == {}


def test_beliefs_come_to_the_truth_and_unsupported_arms_lean_on_the_others() -> None:
    rng = np.random.default_rng(1)
    arm = np.repeat(np.arange(8), 40)
    truth = np.linspace(-1.0, 2.0, 8)
    seen = Seen(arm, np.ones((320, 1)), truth[arm] + rng.normal(0.0, 0.5, 320))
    belief = believed(seen, np.ones(1), 9)
    np.testing.assert_allclose(belief.mean[:8], truth, atol=0.3)
    assert abs(belief.mean[8] - truth.mean()) < 0.5
    assert belief.covariance[8, 8] > 10 * belief.covariance[0, 0]


def test_estimates_off_the_policy_are_unbiased() -> None:
    rng, n = np.random.default_rng(2), 20
    cost, truth = rng.uniform(0.5, 2.0, n), rng.exponential(1.0, n)
    nothing = Seen(np.zeros(0, np.int64), np.zeros((0, 1)), np.zeros(0))
    weeks = []
    for k in range(200):
        draw = allocate(nothing, np.ones(1), cost, 0.5 * cost.sum(), ("u", str(k)))
        reward = np.where(draw.drawn, truth + rng.normal(0.0, 0.5, n), np.nan)
        weeks.append(LoggedWeek(draw.q, cost, np.full(n, 0.3), draw.drawn, reward))
    found = np.array([estimates(w) for w in weeks])
    np.testing.assert_allclose(found.mean(axis=0), truth, atol=6 * found.std(axis=0).max() / 14)
    gain, wanted = gain_on_uniform(weeks), sum(((w.q - uniform(w)) * truth).sum() for w in weeks)
    assert gain.low < wanted < gain.high


def test_an_arm_of_unknown_cost_has_the_least_probability() -> None:
    cost = np.array([1.0, 1.0, np.nan, 1.0])
    nothing = Seen(np.zeros(0, np.int64), np.zeros((0, 1)), np.zeros(0))
    draw = allocate(nothing, np.ones(1), cost, 10.0, ("x",))
    assert draw.q[2] == 0.05
    assert not np.isfinite(cost).all()
    assert allocate(nothing, np.ones(1), np.full(2, np.nan), 0.0, ("x",)).drawn.sum() == 0
