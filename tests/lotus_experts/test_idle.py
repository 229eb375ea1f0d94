"""Idle experts: nothing is computed for them, everything else keeps its bits, live equals batch."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.errors import ConfigError
from lotus.experts.annotation_spec import A_FIRED, A_Z
from lotus.experts.compiler import compile_experts
from lotus.experts.fusion import default_experts
from lotus.experts.idle import without_idle
from lotus.experts.machine import ExpertMachine, annotate
from lotus.experts.weekly.learned import (
    InForce,
    LearnedSettings,
    experts_with,
    learned_from_json,
    learned_to_json,
    set_under,
)
from lotus.manifest import Manifest
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.samples import sample_events
from lotus.microtape.frames.spec import I_ASSET
from lotus.tape_machine.program import nodes_of

NAMES = default_experts().names
CADENCE = Manifest().kernel.cadence_ms


def in_force(off):
    return InForce("2026-01-03", "2026-01-01", LearnedSettings(default_experts().version, off=tuple(off)))


def under(off, idle):
    return set_under(in_force(off), {name: {"idle"} for name in idle})


@pytest.fixture(scope="module")
def frames():
    return build_frames(sample_events(4, 6_000), Manifest(), Manifest().universe)


@pytest.mark.parametrize("seed", range(6))
def test_idle_experts_are_null_and_nobody_else_changes_a_bit(frames, seed: int) -> None:
    rng = np.random.default_rng(seed)
    off = sorted(rng.choice(NAMES, int(rng.integers(1, 20)), replace=False).tolist())
    idle = off[: int(rng.integers(1, len(off) + 1))]
    full, less = annotate(frames, experts_with(in_force(off).learned)), annotate(frames, under(off, idle))
    at = [NAMES.index(name) for name in idle]
    assert np.isnan(less.windows.z[:, at]).all()
    others = [k for k in range(len(NAMES)) if k not in at]
    assert less.windows.z[:, others].tobytes() == full.windows.z[:, others].tobytes()
    bits = sum(1 << k for k in at)
    assert (less.values[:, A_FIRED].astype(np.int64) == full.values[:, A_FIRED].astype(np.int64) & ~bits).all()
    heard = np.isfinite(less.values[:, :A_FIRED]).all(axis=1)
    assert less.values[heard, :A_FIRED].tobytes() == full.values[heard, :A_FIRED].tobytes()
    assert heard.mean() > 0.5


def test_live_is_batch(frames) -> None:
    experts = under(("rare_book", "impulse"), ("rare_book",))
    batch, machine = annotate(frames, experts), ExpertMachine(len(frames.universe), CADENCE, experts)
    rows = np.flatnonzero(frames.ints[:, I_ASSET] == 0)[:400]
    fed = np.array([machine.feed(frames.ints[row], frames.floats[row]).copy() for row in rows])
    assert fed[:, :A_Z].tobytes() == batch.values[rows].tobytes()
    assert np.isnan(fed[:, A_Z + NAMES.index("rare_book")]).all()


def test_what_only_idle_experts_use_is_not_run() -> None:
    program = compile_experts(default_experts(), CADENCE)
    sizes = [without_idle(program, NAMES, NAMES[:k]).n_nodes for k in (0, 5, 15, len(NAMES))]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == program.n_nodes
    assert sizes[-1] < 40
    less = without_idle(program, NAMES, ("rare_book",))
    assert less.n_nodes < program.n_nodes
    assert sum(1 for _ in nodes_of(less.code)) == less.n_nodes
    assert set(less.slots.items()) < set(program.slots.items())
    assert without_idle(program, NAMES, ()) is program
    with pytest.raises(ConfigError, match="nobody"):
        without_idle(program, NAMES, ("nobody",))


def test_only_who_has_no_vote_is_idle_and_settings_keep_their_bytes() -> None:
    base = in_force(("rare_book",)).learned
    assert "idle" not in learned_to_json(base)
    steered = base.steered({"rare_book": ["idle"], "impulse": ["idle"], "micro_lean": ["off"]})
    assert (steered.idle, steered.off) == (("rare_book",), ("rare_book", "micro_lean"))
    assert learned_from_json(learned_to_json(steered)) == steered
    assert experts_with(steered).version != experts_with(replace(steered, idle=())).version
    assert base.steered({}) is base
    assert set_under(None, {}) is default_experts()
    assert set_under(None, {"nobody": ["idle"]}) is default_experts()
