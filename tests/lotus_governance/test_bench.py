"""The bench: draws that learn, voters that lose their vote, acts within the law, the same week twice."""

from lotus.curation.act import ALLOCATOR
from lotus.curation.in_force import expert_states
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
