"""Knobs learned on simulated trials: a true effect becomes a bounded braid, dies and expires; nothing gives nothing."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.knobs.nightly import knob_manifest
from lotus.manifest import Manifest
from lotus.priors.types import Literal, Rule

from .knob_lives import MANIFEST, RETRY, Effect, Life

pytestmark = pytest.mark.evidence("worlds of many nights")
VOL = Rule.of(Literal(0, 3, 4))


def in_high_volatility(bps: float, dies: int = 10**6) -> Effect:
    return lambda number, bins: bps if bins[0] >= 3 and number < dies else 0.0


@pytest.mark.parametrize("bps", [3.0, -3.0])
def test_a_true_effect_becomes_a_bounded_braid_and_is_reverted_when_it_dies(bps: float) -> None:
    life, weave = Life(1, in_high_volatility(bps, dies=18)), MANIFEST.weave
    sizes, kinds = [1.0], []
    for night in life.nights(18):
        sizes.append(life.value(4))
        kinds += [alert.kind for alert in night.woven.alerts]
    (braid,) = [b for b in life.board if b.in_force]
    assert (braid.detector_id, braid.rule, braid.sign, braid.scope) == (RETRY.owner, VOL, 1 if bps > 0 else -1, "tr")
    assert (braid.grade, kinds) == ("A", [])
    assert life.memory.learning_days == 18
    assert (sizes[-1] > 1.0) == (bps > 0)
    assert abs(np.log(sizes)).max() <= np.log(weave.phi_step) + 1e-9
    assert abs(np.diff(np.log(sizes))).max() <= np.log1p(weave.night_phi) + 1e-9
    assert life.value(0) == 1.0
    dead = [(i, alert.kind) for i, night in enumerate(life.nights(14)) for alert in night.woven.alerts]
    assert [kind for _, kind in dead] == ["reverted"]
    assert (life.value(4), life.version.braids) == (1.0, ())


def test_a_braid_ends_with_its_time_and_when_nobody_explores_any_more() -> None:
    short = replace(MANIFEST, weave=replace(MANIFEST.weave, ttl_days=4, extension_days=3))
    life = Life(1, in_high_volatility(3.0), short)
    kinds = [alert.kind for night in life.nights(24) for alert in night.woven.alerts]
    assert kinds[:2] == ["extended", "expired"]
    life = Life(1, in_high_volatility(3.0))
    list(life.nights(14))
    assert life.version.braids
    for night in life.nights(MANIFEST.weave.dry_days, plans=0):
        assert night.learned is None
    assert life.version.braids == ()
    assert life.memory.learning_days == 14, "days without evidence are no learning days"


@pytest.mark.parametrize("seed", [3, 4])
def test_nothing_to_find_gives_no_braid(seed: int) -> None:
    life = Life(seed, in_high_volatility(0.0))
    for night in life.nights(24):
        assert night.woven.braids == ()
        assert night.learned is not None
        assert night.learned.lessons == ()
    (effect,) = night.effects
    assert (effect.owner, effect.plans, effect.days) == (RETRY.owner, 24 * 400, 24)
    assert effect.ci95[0] < effect.mean_bps < effect.ci95[1]
    assert abs(effect.mean_bps) < 0.3
    assert life.memory.slots.rest.spent > 0, "it was looked at"


def test_an_effect_that_is_the_same_everywhere_is_shown_and_moves_nothing() -> None:
    life = Life(5, lambda number, bins: 1.5)
    *_, night = life.nights(14)
    (effect,) = night.effects
    assert effect.ci95[0] > 1.0
    assert [b for b in night.woven.braids if b.in_force] == []


def test_what_hurts_less_than_on_average_is_not_taken_up() -> None:
    life = Life(6, lambda number, bins: -1.0 if bins[0] >= 3 else -4.0)
    *_, night = life.nights(16)
    assert all(b.sign < 0 for b in night.woven.braids if b.in_force), "up never pays here"


def test_knobs_spend_an_alpha_of_their_own_with_as_many_slots() -> None:
    shipped = Manifest().learning
    own = knob_manifest(Manifest()).learning
    assert (own.alpha, own.draws, own.looks) == (shipped.knob_alpha, shipped.knob_draws, "nightly")
    assert own.alpha * (own.draws + 1) >= 16
    assert 2 * own.alpha + shipped.alpha + shipped.pooled_alpha <= 0.07 + 1e-9
