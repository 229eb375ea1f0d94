"""Markets with one micro-pattern that pays: what is planted, what is not, and that the expert of it is found."""

from collections import Counter

import numpy as np
import pytest

from lotus.errors import ConfigError
from lotus.experts.calls import calls_of
from lotus.experts.compiler import label_rules
from lotus.experts.fusion import default_experts
from lotus.experts.reliability import reliability_of
from lotus.manifest import Asset, Manifest
from lotus.microtape.decode import decode_lines
from lotus.microtape.frame_machine import build_frames
from lotus.simulation.layout import At
from lotus.simulation.micro_patterns import PATTERNS, PLANTABLE, STEP_BPS, MicroWorld, micro_episodes

HOUR_MS = 3_600_000


def test_the_same_seed_gives_the_same_tape_and_another_seed_another() -> None:
    texts = [b"".join(t for _, t in MicroWorld(seed, "absorption", 1).day_pieces(0)) for seed in (4, 4, 5)]
    assert texts[0] == texts[1] != texts[2]


def test_only_the_planted_pattern_and_its_foils_pay() -> None:
    for planted in PLANTABLE:
        for e in micro_episodes(planted, 20 * HOUR_MS, 3):
            pays = e.pattern.sign * STEP_BPS if e.pattern.expert_id == planted else 0
            assert e.step_bps == e.direction * pays
    assert all(e.step_bps == 0 for e in micro_episodes("", 20 * HOUR_MS, 3))
    with pytest.raises(ConfigError, match="micro-pattern"):
        micro_episodes("nothing", HOUR_MS, 3)


def test_episodes_stand_apart_and_are_drawn_evenly() -> None:
    found = micro_episodes("basis_pull", 200 * HOUR_MS, 8)
    ends = np.array([e.onset_ms + e.pattern.signal_ms for e in found])
    assert np.all(np.array([e.onset_ms for e in found[1:]]) - ends[:-1] >= 9_000)
    for counts in (Counter(e.pattern for e in found), Counter(e.direction for e in found)):
        assert min(counts.values()) > 0.8 * max(counts.values())
    assert set(PATTERNS) == {e.pattern for e in found}


def test_a_part_of_a_pattern_alone_predicts_nothing() -> None:
    found = [e for e in micro_episodes("sweep_stall", 400 * HOUR_MS, 9) if e.step_bps]
    swept = [e.step_bps * e.direction for e in found if "sweep" in e.pattern.shape]
    leaning = [e.step_bps * e.direction for e in found if "lean" in e.pattern.shape]
    assert abs(np.mean(swept)) < 0.05 * STEP_BPS
    assert abs(np.mean(leaning)) < 0.05 * STEP_BPS


def test_the_step_is_in_the_price_and_nowhere_else() -> None:
    paying, plain = MicroWorld(6, "sweep_stall", 1), MicroWorld(6, "", 1)
    one, other = (w.span(0, 0).path[:, 0] for w in (paying, plain))
    np.testing.assert_array_equal(np.delete(one, [At.BID], axis=1), np.delete(other, [At.BID], axis=1))
    moved = 1e4 * (np.log(one[:, At.BID]) - np.log(other[:, At.BID]))
    planted = sum(e.step_bps for e in paying.episodes)
    assert moved[-1] == pytest.approx(planted, abs=2.0)
    assert moved[0] == 0


@pytest.mark.parametrize("planted", PLANTABLE)
def test_the_expert_whose_pattern_pays_is_found(planted: str) -> None:
    world = MicroWorld(41, planted)
    universe = tuple(Asset(a.name, a.sz_decimals) for a in world.spec.assets)
    lines = b"".join(text for _, text in world.day_pieces(0))
    frames = build_frames(decode_lines(lines, universe)[0], Manifest(universe=universe), universe)
    experts = default_experts()
    calls, rules = calls_of(frames, experts), label_rules(experts)
    found = {n: reliability_of([calls.of(k)], rules[k]).overall for k, n in enumerate(experts.names)}
    assert found[planted].low > 0.5
    others = [found[name].excludes_half for name in PLANTABLE if name != planted]
    assert sum(others) == 0
