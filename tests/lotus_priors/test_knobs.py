"""Knobs of policy and execution: which braids move them, how products are capped, and when they hold."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.manifest import Manifest
from lotus.priors.knobs import knob_values
from lotus.priors.types import ActiveBraid, Knob, Literal, Patch, Rule, priors_version

WEAVE = Manifest().weave
KEY = "policy:exploration"
ALWAYS, IN_ONE, IN_TWO = Rule(), Rule.of(Literal(0, 1, 1)), Rule.of(Literal(0, 2, 2))


def braid(name: str, mult: float, rule: Rule = ALWAYS, key: str = KEY) -> ActiveBraid:
    return ActiveBraid(name, "micro", "drift", 30, rule, Patch(knobs=(Knob(key, mult),)), scope="dm")


def values(*braids: ActiveBraid, bin_index: int = 1, time_ms: int = 0, owner: str = "drift") -> dict[str, float]:
    version = priors_version("main", 0, braids)
    return knob_values(version, "dm", owner, [bin_index], time_ms, WEAVE)


def test_multipliers_of_the_braids_that_fire_are_multiplied() -> None:
    found = values(braid("a", 1.05, IN_ONE), braid("b", 1.04), braid("c", 1.1, IN_TWO))
    assert found == {KEY: pytest.approx(1.05 * 1.04)}


def test_a_knob_that_no_firing_braid_moves_is_absent() -> None:
    assert values(braid("a", 1.05, IN_TWO)) == {}
    assert values(braid("a", 1.05), owner="other") == {}
    assert values(replace(braid("a", 1.05), scope="tr")) == {}


def test_a_braid_of_every_scope_moves_knobs_too() -> None:
    assert values(replace(braid("a", 1.05), scope="cross")) == {KEY: pytest.approx(1.05)}


def test_a_braid_acts_from_its_first_millisecond_to_the_one_before_its_last() -> None:
    short = replace(braid("a", 1.05), effective_from_ms=10, expires_at_ms=20)
    assert [bool(values(short, time_ms=ms)) for ms in (9, 10, 19, 20)] == [False, True, True, False]


@settings(deadline=None)
@given(st.lists(st.floats(0.9, 1.1), min_size=1, max_size=6))
def test_a_product_stays_within_its_caps(mults: list[float]) -> None:
    (found,) = values(*(braid(f"b{k}", mult) for k, mult in enumerate(mults))).values()
    expected = max(1 / WEAVE.phi_total, min(WEAVE.phi_total, math.prod(mults)))
    assert found == pytest.approx(expected)


def test_a_meta_braid_that_fires_replaces_its_parents() -> None:
    parents = braid("a", 1.06, IN_ONE), braid("b", 1.08)
    meta = ActiveBraid("m", "meta", "drift", 30, Rule(), Patch(), ("a",), op="ATTENUATE", strength=0.5, scope="dm")
    assert values(*parents, meta) == {KEY: pytest.approx(math.sqrt(1.06) * 1.08, rel=1e-3)}
    assert values(*parents, meta, bin_index=2) == {KEY: pytest.approx(1.08)}
