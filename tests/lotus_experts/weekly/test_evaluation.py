"""The judgement of days of a market whose pattern pays: the expert is found; twins and those below the floor go off."""

from dataclasses import replace

import numpy as np
import pytest
import yaml

from lotus.experts.compiler import label_rules
from lotus.experts.fusion import ExpertSet, Fusion, Voice, default_experts
from lotus.experts.spec import parse_spec
from lotus.experts.weekly.evaluation import Judge
from lotus.experts.weekly.reliability import EVALUATIONS, reliability_of
from lotus.microtape.frames import spec as f
from lotus.microtape.frames.batch import FrameBatch

from ..specs import raw
from ..test_machine_patterns import market

NAMES = ("sweep_stall", "absorption")


def two_experts() -> ExpertSet:
    specs = tuple(e for e in default_experts().experts if e.expert_id in NAMES)
    return ExpertSet(specs, Fusion({name: Voice(1.0, 1.0) for name in NAMES}, 1.0))


def day(seed: int, pays: float) -> FrameBatch:
    """Forty sweeps that stall and lean, each followed by a step of `pays` bps in the direction of the lean."""
    rng = np.random.default_rng(seed)
    changes = []
    for k in range(40):
        side, at = float(rng.choice([-1, 1])), 50 + 100 * k
        changes += [
            (slice(at, at + 1), {"sweep": side}),
            (slice(at + 4, at + 9), {"imb_1": -0.5 * side}),
            (slice(at + 30, at + 31), {"ret_bps": -side * pays}),
        ]
    return market(4_100, *changes)


def judged(pays: float, runs: dict[str, int], days: int = 3):
    judge = Judge(two_experts())
    for k in range(days):
        judge.add_day(day(k, pays), 0)
    return judge.evaluate(("SOL",), runs)


def test_the_paying_expert_is_found_and_the_silent_one_is_not() -> None:
    found = judged(6.0, {})
    by = {(s.expert_id, s.asset): s for s in found.stats}
    assert by.keys() == {(n, a) for n in NAMES for a in ("", "SOL")}
    paying, silent = by["sweep_stall", ""].found, by["absorption", ""].found
    rule = label_rules(two_experts())[0]
    assert paying == reliability_of([np.ones(paying.calls)], rule).overall
    assert paying.calls > 100
    assert silent.calls == 0
    assert not silent.excludes_half
    assert all(s.status == "active" for s in found.stats)
    assert found.refits is None
    assert "rows to fit" in found.refused
    assert [s.proposed for s in found.stats] == [s.weight for s in found.stats] == [1.0] * 4
    assert found.experts.weights == two_experts().weights


def test_an_expert_below_its_floor_often_enough_is_switched_off() -> None:
    for before in range(EVALUATIONS):
        found = judged(-6.0, {"sweep_stall": before})
        stats = {s.expert_id: s for s in found.stats}
        assert stats["sweep_stall"].found.high < 0.5
        assert stats["sweep_stall"].run == before + 1
        assert (stats["sweep_stall"].status == "off") == (before + 1 == EVALUATIONS)
        assert stats["absorption"].run == 0
    assert stats["sweep_stall"].proposed == 0.0
    assert stats["absorption"].proposed == 1.0
    assert found.experts.weights == found.experts.votes == (0.0, 1.0)
    assert found.experts.fusion.voices["sweep_stall"].weight == 1.0  # kept for the day it comes back


def quoted(seed: int, n: int = 12_000, follows: float = 0.0) -> FrameBatch:
    """Frames of a market that leans to one side of the book for a while, and moves that way by `follows` bps."""
    rng = np.random.default_rng(seed)
    changes = []
    for at in range(100, n - 100, 50):
        lean = float(rng.choice([-0.5, 0.5]) * (0.5 + rng.random()))
        right = 1.0 if rng.random() < 0.8 else -1.0
        changes += [
            (slice(at, at + 50), {"micro_drift_bps": lean}),
            (slice(at + 27, at + 28), {"ret_bps": right * np.sign(lean) * follows}),
        ]
    return market(n, *changes)


def leaning(*copies: str) -> ExpertSet:
    """micro_lean under several names, the later ones upside down."""
    specs = []
    for k, name in enumerate(copies):
        keys = raw("micro_lean") | {"expert_id": name}
        keys["z"] = f"{'-' if k else ''}1 * ({keys['z']})"
        specs.append(parse_spec(yaml.safe_dump(keys, sort_keys=False), f"{name}.yaml"))
    return ExpertSet(tuple(specs), Fusion({name: Voice(0.5, 1.0) for name in copies}, 1.0))


def test_twins_leave_the_more_reliable() -> None:
    judge = Judge(leaning("first", "other"))
    judge.add_day(quoted(1), 0)
    found = judge.evaluate(("SOL",), {})
    stats = {s.expert_id: s for s in found.stats if s.asset == ""}
    kept, left = sorted(stats, key=lambda name: (-stats[name].found.mean, name))
    assert (stats[left].twin, stats[left].status) == (kept, "off")
    assert (stats[kept].twin, stats[kept].status) == ("", "active")
    assert found.experts.weights[found.experts.names.index(left)] == 0.0


def test_what_wins_on_unseen_days_comes_into_the_set() -> None:
    judge = Judge(leaning("alone"))
    for k in range(7):
        frames = quoted(k, 40_000, follows=3.0)
        judge.add_day(replace(frames, ints=shifted(frames, k * 86_400_000)), 0)
    found = judge.evaluate(("SOL",), {})
    assert found.refits is not None
    won = found.refits.winner
    assert won is not None
    assert won.verdict.low > 0
    assert found.experts.weights == (float(won.weights[0]),)
    assert found.experts.fusion.evidence == won.evidence
    assert [f.expert_id for f in found.confidence] == ["alone"]
    better = found.confidence[0].verdict.is_better
    assert (found.experts.fusion.confidence or {}) == ({"alone": found.confidence[0].knots} if better else {})


def shifted(frames: FrameBatch, by_ms: int) -> np.ndarray:
    """The integer columns of frames that lie so much later."""
    ints = frames.ints.copy()
    ints[:, f.I_FRAME] += by_ms // frames.cadence_ms
    ints[:, f.I_END] += by_ms
    return ints


@pytest.mark.parametrize("late", [0, 10_000_000])
def test_calls_and_windows_of_the_warm_up_do_not_count(late: int) -> None:
    judge = Judge(two_experts())
    judge.add_day(day(0, 6.0), late)
    found = judge.evaluate(("SOL",), {})
    assert (found.stats[0].found.calls == 0) == (late > 0)
    assert (found.refused.startswith("(0, 0, 0)")) == (late > 0)
