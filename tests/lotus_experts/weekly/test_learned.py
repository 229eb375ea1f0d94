"""Learned settings: the day's set, its identity, and a program whose parameters alone are changed."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.errors import ConfigError, SchemaError
from lotus.experts.annotation_spec import A_CONFIRM, A_EVIDENCE, A_LLR
from lotus.experts.compiler import compile_anew, compile_experts
from lotus.experts.fusion import default_experts
from lotus.experts.machine import annotate
from lotus.experts.model import shipped_net
from lotus.experts.weekly.learned import (
    InForce,
    LearnedSettings,
    experts_with,
    in_force_on,
    learned_from_json,
    learned_of,
    learned_to_json,
    net_of,
    set_of_day,
)
from lotus.manifest import Manifest
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.samples import sample_events
from lotus.microtape.frames.spec import I_ASSET
from lotus.tape_machine.machine import Machine

NET = "tape_filter"
CADENCE = Manifest().kernel.cadence_ms


def settings(seed: int) -> LearnedSettings:
    """Settings that change everything that can be learned."""
    rng, shipped = np.random.default_rng(seed), default_experts()
    layers = tuple(w + np.round(rng.normal(0.0, 0.1, w.shape), 6) for w in shipped_net(shipped.of(NET)))
    return LearnedSettings(
        base=shipped.version,
        weights=tuple((name, round(float(rng.random()), 9)) for name in shipped.names),
        off=("absorption", "impulse"),
        evidence=((0.2, 0.4), (0.8, 0.6)),
        confidence=(("squeeze", ((0.0, 0.0), (1.0, 0.5))),),
        nets=((NET, net_of(layers)),),
        votes_needed=1.375,
    )


def test_other_parameters_give_the_program_that_the_specs_give() -> None:
    experts = experts_with(settings(1))
    quick, slow = compile_experts(experts, CADENCE), compile_anew(experts, CADENCE)
    assert quick.names == slow.names
    frames = build_frames(sample_events(3, 6_000), Manifest(), Manifest().universe)
    said = []
    for program in (quick, slow):
        machine = Machine(program, 1)
        said.append(machine.feed_table(0, frames.floats[frames.ints[:, I_ASSET] == 0]).tobytes())
    assert said[0] == said[1]
    assert np.array_equal(quick.params, slow.params)
    shipped, other = annotate(frames), annotate(frames, experts)
    assert quick.version != compile_experts(default_experts(), CADENCE).version
    for column in (A_LLR, A_EVIDENCE, A_CONFIRM):
        assert not np.array_equal(shipped.values[:, column], other.values[:, column], equal_nan=True)
    k = experts.names.index(NET)
    same = [np.array_equal(shipped.windows.z[:, i], other.windows.z[:, i], equal_nan=True) for i in range(30)]
    assert [i for i, equal in enumerate(same) if not equal] == [k]
    net_slots = set(quick.slots) - set(compile_experts(default_experts(), CADENCE).slots)
    assert len(net_slots) == 1


def test_a_changed_weight_moves_the_fusion_by_its_share() -> None:
    frames = build_frames(sample_events(5, 6_000), Manifest(), Manifest().universe)
    shipped = default_experts()
    base = {name: v.weight for name, v in shipped.fusion.voices.items()}
    other = experts_with(LearnedSettings(shipped.version, weights=(("micro_lean", base["micro_lean"] + 1.0),)))
    a, b = annotate(frames), annotate(frames, other)
    at = np.isin(a.ints[:, 1], a.windows.ints[:, 1])
    k = shipped.names.index("micro_lean")
    key = {(int(x), int(y)): z for (x, y), z in zip(a.windows.ints, a.windows.z[:, k], strict=True)}
    seen = 0
    for row in np.flatnonzero(at):
        z = key.get((int(a.ints[row, 0]), int(a.ints[row, 1])), np.nan)
        if np.isfinite(z):
            seen += 1
            assert b.values[row, A_LLR] - a.values[row, A_LLR] == pytest.approx(z, abs=1e-12)
    assert seen > 20


def test_a_net_of_another_shape_is_refused() -> None:
    wrong = LearnedSettings(default_experts().version, nets=((NET, ((((0.5,),),),)),))
    with pytest.raises(ConfigError, match="conv1d of"):
        compile_experts(experts_with(wrong), CADENCE)


def test_settings_survive_json_and_name_their_set() -> None:
    learned = settings(2)
    again = learned_from_json(learned_to_json(learned))
    assert again == learned
    experts = experts_with(learned)
    assert experts_with(again) is experts
    assert learned_of(experts) == learned
    assert experts.version != experts_with(replace(learned, off=())).version != default_experts().version
    assert experts_with(learned_of(default_experts())).version == default_experts().version
    assert experts.votes[experts.names.index("absorption")] == 0.0 == experts.weights[experts.names.index("impulse")]
    with pytest.raises(SchemaError, match="unreadable"):
        learned_from_json("{}")
    with pytest.raises(SchemaError, match="nobody"):
        experts_with(replace(learned, off=("nobody",)))
    with pytest.raises(SchemaError, match="another release"):
        experts_with(replace(learned, base="0" * 32))


def test_the_set_of_a_day_is_the_latest_before_it() -> None:
    first = InForce("2026-01-14", "2026-01-12", settings(1))
    second = InForce("2026-01-21", "2026-01-19", settings(2))
    foreign = InForce("2026-01-22", "2026-01-19", replace(settings(3), base="0" * 32))
    for known in ([first, second, foreign], [foreign, second, first]):
        assert set_of_day("2026-01-13", known) is default_experts()
        assert set_of_day("2026-01-14", known) is set_of_day("2026-01-20", known) is experts_with(first.learned)
        assert in_force_on("2026-02-01", known) == second
    with pytest.raises(SchemaError, match="look-ahead"):
        InForce("2026-01-12", "2026-01-12", settings(1))
