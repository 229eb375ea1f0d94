"""The judgement of days of a market whose pattern pays: the expert is found; twins and those below the floor go off."""

import numpy as np
import pytest

from lotus.experts.compiler import label_rules
from lotus.experts.evaluation import Judge
from lotus.experts.fusion import ExpertSet, Fusion, Voice, default_experts
from lotus.experts.machine import WindowNotes
from lotus.experts.reliability import EVALUATIONS, reliability_of
from lotus.microtape import frame_spec as f
from lotus.microtape.frame_batch import FrameBatch

from .test_patterns import market

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


def notes(frames: FrameBatch, z: np.ndarray) -> WindowNotes:
    closing = frames.ints[:, f.I_END] % 5_000 == 0
    keys = np.ascontiguousarray(frames.ints[closing][:, [f.I_ASSET, f.I_FRAME]])
    return WindowNotes(two_experts(), keys, z[: len(keys)])


def judged(pays: float, runs: dict[str, int], days: int = 3):
    judge = Judge(two_experts())
    for k in range(days):
        frames = day(k, pays)
        z = np.random.default_rng(k).normal(size=(len(frames), 2))
        judge.add_day(frames, notes(frames, z), 0)
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
    assert found.refit is None
    assert "rows to fit" in found.refused
    assert [s.proposed for s in found.stats] == [s.weight for s in found.stats] == [1.0] * 4


def test_an_expert_below_its_floor_often_enough_is_proposed_off() -> None:
    for before in range(EVALUATIONS):
        stats = {s.expert_id: s for s in judged(-6.0, {"sweep_stall": before}).stats}
        assert stats["sweep_stall"].found.high < 0.5
        assert stats["sweep_stall"].run == before + 1
        assert (stats["sweep_stall"].status == "off") == (before + 1 == EVALUATIONS)
        assert stats["absorption"].run == 0
    assert stats["sweep_stall"].proposed == 0.0
    assert stats["absorption"].proposed == 1.0


def test_twins_leave_the_more_reliable() -> None:
    judge = Judge(two_experts())
    frames = day(0, 6.0)
    z = np.random.default_rng(1).normal(size=(len(frames), 1))
    judge.add_day(frames, notes(frames, np.hstack([z, -z])), 0)
    stats = {s.expert_id: s for s in judge.evaluate(("SOL",), {}).stats}
    assert (stats["absorption"].twin, stats["absorption"].status) == ("sweep_stall", "off")
    assert (stats["sweep_stall"].twin, stats["sweep_stall"].status) == ("", "active")


@pytest.mark.parametrize("late", [0, 10_000_000])
def test_calls_of_the_warm_up_do_not_count(late: int) -> None:
    judge = Judge(two_experts())
    frames = day(0, 6.0)
    judge.add_day(frames, notes(frames, np.zeros((len(frames), 2))), late)
    assert (judge.evaluate(("SOL",), {}).stats[0].found.calls == 0) == (late > 0)
