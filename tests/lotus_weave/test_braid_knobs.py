"""Braids of decision and trading: the whole of the weave, from lesson to version, on knobs of policy and execution."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples
from weave_boards import MANIFEST, NIGHT_MS, WEAVE, A, B, braid, day_of, lesson, monitor, rows, rows_of_days

from lotus.learning.lanes import Both
from lotus.priors.knobs import knob_values
from lotus.priors.types import IDENTITY, Knob, Patch, Scope, from_json, priors_version, to_json
from lotus.timebase import DAY_MS, next_day
from lotus.weave.algebra import compose
from lotus.weave.conflict import choose, feasible
from lotus.weave.night import NightInputs, WovenNight, weave_night
from lotus.weave.review import ReviewAct
from lotus.weave.watchdog import Evidence

KEYS = pytest.mark.parametrize(("scope", "key"), [("dm", "policy:stop_width"), ("tr", "execution:slice")])
INSIDE, OUTSIDE = [0] * 12, [3] * 12
DAY = "2026-01-18"


def weave(key: str, lessons=(), board=(), i: int = 0, manifest=MANIFEST, **inputs: object) -> WovenNight:
    """One night of a module: its policy `d` stands where a detector stands in sig."""
    owner = {"d": replace(day_of(), knob=key)}
    previous = priors_version("b", NIGHT_MS + (i - 1) * DAY_MS, tuple(b.active() for b in board if b.in_force))
    evidence = inputs.pop("evidence", Evidence(next_day("2026-01-20", i)))
    given_ = NightInputs(evidence=evidence, **inputs)  # type: ignore[arg-type]
    return weave_night(previous, board, list(lessons), owner, NIGHT_MS + i * DAY_MS, manifest, given_)


@KEYS
def test_a_lesson_becomes_a_knob_that_moves_within_the_limits_and_ends_with_its_time(scope: Scope, key: str) -> None:
    night, mults = weave(key, [lesson()]), []
    for i in range(1, 11):
        (own,) = night.braids
        mults.append(own.patch.knob(key))
        night = weave(key, (), night.braids, i)
    assert (own.scope, own.patch.theta_delta, own.patch.phi_mult) == (scope, 0.0, 1.0)
    assert own.target.knob(key) == pytest.approx(WEAVE.phi_step)
    steps = np.diff(np.log([1.0, *mults]))
    assert steps.max() <= math.log1p(WEAVE.night_phi) + 1e-9
    assert mults[-1] == pytest.approx(WEAVE.phi_step, rel=1e-3)
    assert own.delta_realised[1] == pytest.approx(WEAVE.max_tilt * math.log(mults[-1]) / math.log(WEAVE.phi_step))
    assert from_json(to_json(night.priors)) == night.priors
    at = NIGHT_MS + 11 * DAY_MS
    assert knob_values(night.priors, scope, "d", INSIDE, at, WEAVE)[key] == pytest.approx(mults[-1], rel=1e-3)
    assert knob_values(night.priors, scope, "d", OUTSIDE, at, WEAVE) == {}
    other: Scope = "tr" if scope == "dm" else "dm"
    assert knob_values(night.priors, other, "d", INSIDE, at, WEAVE) == {}
    assert knob_values(night.priors, scope, "d", INSIDE, own.expires_at_ms, WEAVE) == {}
    over = weave(key, (), night.braids, WEAVE.ttl_days)
    assert [(a.kind, a.scope) for a in over.alerts] == [("expired", scope)]
    assert over.priors.braids == ()


@KEYS
def test_watchdog_reviews_and_live_accounts_treat_knobs_alike(scope: Scope, key: str) -> None:
    full = Patch(knobs=(Knob(key, 1.06),))
    own = braid("x", scope=scope, target=full, patch=full)
    dead = weave(key, (), [replace(own, monitor=monitor(peak=25.0))])
    assert [(a.kind, a.scope) for a in dead.alerts] == [("reverted", scope)]
    assert dead.braids[0].patch == IDENTITY
    weaker = weave(key, (), [own], acts=(ReviewAct("a", "b", DAY, "attenuate", "x", "ann", factor=0.5),))
    assert 1.06**0.5 < weaker.braids[0].patch.knob(key) < 1.06
    wider = [replace(own, monitor=None)]
    for i in range(12):
        said = (ReviewAct("a", "b", DAY, "raise_cap", "x", "ann", factor=1.1),) if i == 0 else ()
        wider = list(weave(key, (), wider, i, acts=said).braids)
    assert wider[0].patch.knob(key) == pytest.approx(1.06**1.1, rel=1e-4)
    live = replace(MANIFEST, weave=replace(WEAVE, account="live"))
    assert weave(key, (), [own], manifest=live).braids[0].patch.knob(key) == pytest.approx(1.06**0.5)


@KEYS
def test_a_challenger_is_matched_on_what_the_knob_does(scope: Scope, key: str) -> None:
    small = braid("x", scope=scope, target=Patch(knobs=(Knob(key, 1.005),)), patch=Patch(knobs=(Knob(key, 1.005),)))
    window = rows_of_days(lambda bins: 10.0 * (bins[:, 7] <= 1))
    night = weave(key, [lesson(night=DAY)], [small], evidence=Evidence(DAY, {}, {"d": window}))
    assert {b.braid_id == "x": b.state for b in night.braids} == {True: "sunset", False: "active"}
    large = replace(small, target=Patch(knobs=(Knob(key, 1.06),)))
    kept = weave(key, [lesson(night=DAY)], [large], evidence=Evidence(DAY, {}, {"d": window}))
    assert {b.braid_id == "x": b.state for b in kept.braids} == {True: "active", False: "archived"}


@KEYS
def test_a_composition_of_knobs_is_found_out_of_sample_and_replaces_its_parents(scope: Scope, key: str) -> None:
    def both(bins):
        return 12.0 * ((bins[:, 7] <= 1) & (bins[:, 3] <= 1))

    patch = Patch(knobs=(Knob(key, 1.03),))
    board = [braid(n, rule, scope=scope, target=patch, patch=patch, monitor=None) for n, rule in (("x", A), ("y", B))]
    state, day = weave(key, (), board, evidence=Evidence(DAY)).meta_state, DAY
    assert [c.op for c in state.running] == ["INTERSECT"]
    for i in range(1, 14):
        day = next_day(day)
        given_ = Evidence(day, {"d": rows(day, both, n=2400)})
        night = weave(key, (), board, i, evidence=given_, meta=state, critical=Both(3.0, 3.0))
        board, state = list(night.braids), night.meta_state
    (meta,) = [b for b in board if b.braid_type == "meta"]
    assert (meta.state, meta.scope) == ("active", scope)
    at = NIGHT_MS + 14 * DAY_MS
    (one,) = {b.patch.knob(key) for b in board if b.braid_type == "micro"}
    assert knob_values(night.priors, scope, "d", INSIDE, at, WEAVE)[key] == pytest.approx(one * one)
    assert knob_values(night.priors, scope, "d", [0 if i == 7 else 3 for i in range(12)], at, WEAVE)[key] == one
    union = replace(meta, op="UNION", weights=(1.0, 3.0), braid_id="u")
    version = priors_version("b", 0, tuple(replace(b, expires_at_ms=at * 2).active() for b in [*board[:2], union]))
    assert knob_values(version, scope, "d", INSIDE, at, WEAVE)[key] == pytest.approx(one)


mults = st.floats(1 / 1.06, 1.06)
shares = st.floats(0.05, 1.0)


def knobs(one: float, two: float) -> Patch:
    return Patch(knobs=(Knob("execution:slice", one), Knob("policy:size", two)))


@settings(deadline=None)
@given(st.lists(st.tuples(mults, mults, shares), min_size=2, max_size=4), st.randoms())
def test_the_laws_of_the_algebra_hold_for_knobs(parts, random) -> None:
    patches, weights = [knobs(a, b) for a, b, _ in parts], [w for *_, w in parts]
    hit = [True] * len(parts)
    order = random.sample(range(len(parts)), len(parts))
    for op in ("UNION", "INTERSECT"):
        one = compose(op, patches, hit, weights)
        two = compose(op, [patches[i] for i in order], hit, [weights[i] for i in order])
        assert one == two
    union = compose("UNION", patches, hit, weights)
    assert union is not None
    every = [p.knob("policy:size") for p in patches]
    assert min(every) - 1e-12 <= union.knob("policy:size") <= max(every) + 1e-12
    both = compose("INTERSECT", patches, hit)
    assert both is not None
    assert both.knob("policy:size") == pytest.approx(math.prod(every))
    assert compose("ATTENUATE", patches[:1], [True], strength=1.0) == patches[0]
    half = compose("ATTENUATE", patches[:1], [True], strength=0.5)
    assert half is not None
    quarter = compose("ATTENUATE", [half], [True], strength=0.5)
    assert quarter is not None
    assert quarter.knob("policy:size") == pytest.approx(every[0] ** 0.25)
    assert compose("EXCEPT", patches[:2], [True, False]) == patches[0]
    assert compose("INTERSECT", [IDENTITY, patches[0]], [True, True]) == patches[0]


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 3.0), mults), min_size=1, max_size=6))
def test_conflicts_keep_the_total_bound_of_each_knob_and_equal_brute_force(given_) -> None:
    worth, own = [w for w, _ in given_], [Patch(knobs=(Knob("policy:size", m),)) for _, m in given_]
    masks = [np.arange(60) % (i + 2) == 0 for i in range(len(own))]
    picked = choose(worth, own, masks, WEAVE)
    up = sum(max(0.0, math.log(p.knob("policy:size"))) for p, c in zip(own, picked, strict=True) if c)
    assert up <= math.log(WEAVE.phi_total) + 1e-9
    best = max(
        sum(w for w, c in zip(worth, choice, strict=True) if c)
        for choice in product([False, True], repeat=len(own))
        if feasible(choice, own, masks, WEAVE)
    )
    assert sum(w for w, c in zip(worth, picked, strict=True) if c) == pytest.approx(best, abs=1e-6)
