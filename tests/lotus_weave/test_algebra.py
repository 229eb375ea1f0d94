"""Laws of the algebra on patches as values, equality with what acts at run time, and boards that are refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weave_boards import MANIFEST, braid

from lotus.errors import BeliefError
from lotus.priors.compiled import apply_priors, caps_of, compile_priors
from lotus.priors.trace import trace_priors
from lotus.priors.types import IDENTITY, ActiveBraid, Literal, Patch, Rule, priors_version
from lotus.weave.algebra import MIN_WEIGHT, check_parents, compose, union_weights
from lotus.weave.braid import Quality

OPS = ("UNION", "INTERSECT", "EXCEPT", "ATTENUATE", "LIFT_ONLY", "PENALTY_ONLY")
patches = st.builds(Patch, st.floats(-0.12, 0.12), st.floats(1 / 1.06, 1.06))
weights = st.floats(0.01, 3.0)
shares = st.floats(0.01, 1.0)
groups = st.lists(st.tuples(patches, weights, st.booleans()), min_size=2, max_size=6)
CAPS = caps_of(MANIFEST.weave)


def near(first: Patch | None, second: Patch | None) -> bool:
    if first is None or second is None:
        return first is second
    close = math.isclose(first.theta_delta, second.theta_delta, abs_tol=1e-12)
    return close and math.isclose(first.phi_mult, second.phi_mult, rel_tol=1e-12)


@settings(deadline=None)
@given(groups, st.sampled_from(["UNION", "INTERSECT"]), st.randoms())
def test_the_order_of_parents_does_not_matter(group, op, random):
    shuffled = random.sample(group, len(group))
    one, two = (
        compose(op, [p for p, _, _ in g], [h for _, _, h in g], [w for _, w, _ in g]) for g in (group, shuffled)
    )
    assert one == two


@settings(deadline=None)
@given(groups)
def test_a_union_lies_within_its_firing_parents_and_of_one_is_that_one(group):
    parents, own, hit = ([x[i] for x in group] for i in range(3))
    made = compose("UNION", parents, hit, own)
    assert (made is None) == (not any(hit))
    if made is not None:
        thetas = [p.theta_delta for p, h in zip(parents, hit, strict=True) if h]
        phis = [p.phi_mult for p, h in zip(parents, hit, strict=True) if h]
        assert min(thetas) - 1e-12 <= made.theta_delta <= max(thetas) + 1e-12
        assert min(phis) - 1e-12 <= made.phi_mult <= max(phis) + 1e-12
    assert near(compose("UNION", parents[:2], [True, False], own[:2]), parents[0])


@settings(deadline=None)
@given(groups)
def test_an_intersection_adds_and_needs_all(group):
    parents, _, hit = ([x[i] for x in group] for i in range(3))
    assert (compose("INTERSECT", parents, hit) is None) == (not all(hit))
    made = compose("INTERSECT", parents, [True] * len(parents))
    assert made.theta_delta == pytest.approx(sum(p.theta_delta for p in parents), abs=1e-12)
    assert math.log(made.phi_mult) == pytest.approx(sum(math.log(p.phi_mult) for p in parents), abs=1e-12)
    assert near(compose("INTERSECT", [*parents, IDENTITY], [True] * (len(parents) + 1)), made)


@settings(deadline=None)
@given(patches, patches)
def test_except_is_the_first_alone(first, second):
    assert compose("EXCEPT", [first, second], [True, False]) == first
    assert compose("EXCEPT", [first, second], [True, True]) is None
    assert compose("EXCEPT", [first, second], [False, True]) is None


@settings(deadline=None)
@given(patches, shares, shares)
def test_attenuation_composes_and_by_one_changes_no_bit(patch, one, two):
    assert compose("ATTENUATE", [patch], [True], strength=1.0) == patch
    twice = compose("ATTENUATE", [compose("ATTENUATE", [patch], [True], strength=one)], [True], strength=two)
    assert near(twice, compose("ATTENUATE", [patch], [True], strength=one * two))


@settings(deadline=None)
@given(patches)
def test_lift_and_penalty_are_the_two_halves(patch):
    lift, penalty = compose("LIFT_ONLY", [patch], [True]), compose("PENALTY_ONLY", [patch], [True])
    assert (lift, penalty) == (Patch(0.0, patch.phi_mult), Patch(patch.theta_delta, 1.0))
    assert near(compose("INTERSECT", [lift, penalty], [True, True]), patch)


@settings(deadline=None)
@given(groups, st.sampled_from(OPS), shares, st.floats(0.0, 1.0))
def test_what_acts_is_the_algebra_under_the_caps_and_the_trace_sums_to_it(group, op, strength, theta1):
    group = group if op in OPS[:3] else group[:1]
    parents, own, hit = ([x[i] for x in group] for i in range(3))
    made = [ActiveBraid(f"p{i}", "micro", "d", 30, Rule.of(Literal(i, 0, 1)), patch) for i, patch in enumerate(parents)]
    names = tuple(b.braid_id for b in made)
    union = tuple(own) if op == "UNION" else ()
    meta = ActiveBraid("m", "meta", "d", 30, Rule(), IDENTITY, names, op=op, weights=union, strength=strength)
    version = priors_version("b", 0, (*made, meta))
    bins = np.array([0 if i < len(hit) and hit[i] else 2 for i in range(12)], dtype=np.uint8)
    compiled = compile_priors(version, ["d"])
    theta, phi, fired = apply_priors(compiled.braids, compiled.first, compiled.count, 0, 0, bins, theta1, 5, CAPS)
    trace = trace_priors(version, "d", bins.tolist(), theta1, 5, CAPS)
    assert (trace.theta2, trace.phi, trace.fired) == (theta, phi, fired)
    composed = compose(op, parents, hit, own if op == "UNION" else (), strength)
    if composed is not None:
        assert near(Patch(*trace.summed), composed)
        assert 1 / 1.15 - 1e-12 <= phi <= 1.15 + 1e-12
        assert abs(theta - theta1) <= 0.25 + 1e-12
    elif not any(hit):
        assert (theta, phi, fired) == (theta1, 1.0, 0)


def test_weights_of_a_union_are_the_quality_but_never_nothing():
    poor = replace(braid("x"), quality=Quality(0.0, 1.0, 0.0, 0.0))
    assert union_weights([braid("y"), poor]) == (braid("y").quality.bqs, MIN_WEIGHT)


def meta(name: str, parents: tuple[str, ...], kind: str = "meta", op: str = "INTERSECT"):
    return braid(name, braid_type=kind, parents=parents, op=op if kind == "meta" else "RULE")


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (meta("m", ("x", "gone")), "names the parent gone"),
        (meta("m", ("x", "n")), "meta braid n as parent"),
        (meta("m", ("x", "f")), "field braid f as parent"),
        (meta("m", ("x", "x")), "composes"),
        (meta("m", ()), "has 0 parents"),
        (meta("f", ("f",), "field"), "own ancestor"),
        (braid("z", parents=("x",)), "micro braid z has 1 parents"),
    ],
)
def test_a_braid_with_wrong_parents_is_refused(made, found):
    board = {b.braid_id: b for b in (braid("x"), braid("y"), meta("n", ("x", "y")), meta("f", ("n",), "field"))}
    with pytest.raises(BeliefError, match=found):
        check_parents(made, {**board, made.braid_id: made})


def test_a_cycle_is_refused_whatever_its_scales_say():
    one, two = meta("one", ("two",), "field"), replace(meta("two", ("one", "x")), braid_type="meta")
    board = {"one": one, "two": two, "x": braid("x")}
    for b in (one, two):
        with pytest.raises(BeliefError):
            check_parents(b, board)


def test_micro_meta_field_is_deep_enough():
    board = {b.braid_id: b for b in (braid("x"), braid("y"), meta("n", ("x", "y")))}
    field = meta("f", ("n", "x"), "field")
    assert check_parents(field, {**board, "f": field}) is field
