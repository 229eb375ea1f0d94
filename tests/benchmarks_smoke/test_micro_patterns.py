"""Markets with one micro-pattern that pays: what is planted, that no part of it predicts, that its expert sees it."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from benchmarks.micro_patterns import PATTERNS, PLANTABLE, STEP_BPS, micro_episodes
from benchmarks.micro_world import MicroWorld
from lotus.errors import ConfigError
from lotus.experts.compiler import label_rules
from lotus.experts.fusion import ExpertSet, default_experts
from lotus.experts.weekly.calls import Calls, calls_of
from lotus.experts.weekly.reliability import reliability_of
from lotus.manifest import Asset, Manifest
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.wire.decode import decode_lines

HOUR_MS = 3_600_000
FRAME_MS = 200
EXPERTS = default_experts()


def called(world: MicroWorld, experts: ExpertSet) -> Calls:
    """Return the calls of all experts in a market."""
    universe = tuple(Asset(a.name, a.sz_decimals) for a in world.spec.assets)
    lines = b"".join(text for _, text in world.day_pieces(0))
    return calls_of(build_frames(decode_lines(lines, universe)[0], Manifest(universe=universe), universe), experts)


@pytest.fixture(scope="module")
def unpaid() -> tuple[MicroWorld, Calls]:
    """A long market in which nothing pays."""
    world = MicroWorld(41, "", 12)
    return world, called(world, EXPERTS)


def test_only_the_planted_pattern_and_its_foils_pay() -> None:
    for planted in PLANTABLE:
        for e in micro_episodes(planted, 20 * HOUR_MS, 3):
            pays = e.pattern.sign * STEP_BPS if e.pattern.expert_id == planted else 0
            assert e.step_bps == e.direction * pays
    assert all(e.step_bps == 0 for e in micro_episodes("", 20 * HOUR_MS, 3))
    with pytest.raises(ConfigError, match="micro-pattern"):
        micro_episodes("nothing", HOUR_MS, 3)


def test_episodes_stand_apart_and_are_drawn_by_weight() -> None:
    found = micro_episodes("basis_pull", 2_000 * HOUR_MS, 8)
    ends = np.array([e.onset_ms + max(e.pattern.signal_ms, e.pattern.pay_ms) for e in found])
    assert np.all(np.array([e.onset_ms for e in found[1:]]) - ends[:-1] >= 25_000 - FRAME_MS)
    assert all(e.onset_ms % FRAME_MS == 0 for e in found)
    up = np.mean([e.direction > 0 for e in found])
    assert up == pytest.approx(0.5, abs=0.02)
    experts = Counter(e.pattern.expert_id for e in found)
    assert experts.pop("basis_pull") > 5 * max(experts.values())
    assert min(experts.values()) > 0.9 * max(experts.values())
    shown = Counter(e.pattern for e in found)
    for expert in experts:
        rates = [shown[p] / p.weight for p in PATTERNS if p.expert_id == expert]
        assert min(rates) > 0.8 * max(rates)


def test_the_direction_of_no_part_predicts_the_step() -> None:
    """Summed over a pattern and its foils, what follows a part's direction pays nothing."""
    for expert in PLANTABLE:
        sums: dict[tuple[str, int], int] = defaultdict(int)
        for p in (p for p in PATTERNS if p.expert_id == expert):
            for act in p.acts:
                if act.kind in ("sweep", "run", "tilt", "move", "flash"):
                    place = sum(other.kind == act.kind for other in p.acts[: p.acts.index(act)])
                    sums[act.kind, place] += p.weight * p.sign * (1 if act.value > 0 else -1)
        if expert == "depth_vacuum":  # every part shows the same direction, the foil that pays shows it bit by bit
            assert all(act.value > 0 for p in PATTERNS if p.expert_id == expert for act in p.acts)
            assert sum(p.weight * p.sign for p in PATTERNS if p.expert_id == expert) == 0
        else:
            assert not any(sums.values()), (expert, dict(sums))


def test_a_move_inside_a_pattern_comes_back_as_often_as_it_goes_on() -> None:
    for expert in PLANTABLE:
        nodes: dict[tuple[tuple[int, float], ...], int] = defaultdict(int)
        for p in (p for p in PATTERNS if p.expert_id == expert):
            moves = [(act.from_ms, act.value) for act in p.acts if act.kind == "move"]
            for k, (_, value) in enumerate(moves):
                if k:
                    nodes[tuple(moves[:k])] += p.weight * (1 if value > 0 else -1)
        assert not any(nodes.values()), (expert, dict(nodes))


@pytest.mark.parametrize("expert", [name for name in PLANTABLE if name != "basis_pull"])
def test_an_expert_sees_its_pattern_and_hardly_its_foils(unpaid: tuple[MicroWorld, Calls], expert: str) -> None:
    world, calls = unpaid
    mine = calls.expert == EXPERTS.names.index(expert)
    start_ms = world.spec.spans_ms(0)[0][0]
    times, sides = (calls.frame_idx[mine] + 1) * FRAME_MS - start_ms, calls.side[mine]
    seen, shown = Counter[str](), Counter[str]()
    for e in (e for e in world.episodes if e.pattern.expert_id == expert):
        shown[e.pattern.shape] += 1
        during = (times > e.onset_ms) & (times <= e.onset_ms + max(e.pattern.signal_ms, e.pattern.pay_ms))
        seen[e.pattern.shape] += bool(np.any(during & (sides == e.direction)))
    pattern, *foils = (p.shape for p in PATTERNS if p.expert_id == expert)
    rate = seen[pattern] / shown[pattern]
    assert rate >= 0.25, (seen, shown)
    assert sum(seen[f] for f in foils) / sum(shown[f] for f in foils) <= rate / 2, (seen, shown)


def test_the_expert_whose_pattern_pays_is_found() -> None:
    found = called(MicroWorld(41, "micro_trade_divergence", 4), EXPERTS)
    rules = label_rules(EXPERTS)
    mine = EXPERTS.names.index("micro_trade_divergence")
    assert reliability_of([found.of(mine)], rules[mine]).overall.low > 0.7
