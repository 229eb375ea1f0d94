"""Which patches of one detector hold together: the exact choice, against brute force."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.manifest import Manifest
from lotus.priors.types import Patch
from lotus.weave.conflict import choose, feasible

MANIFEST = Manifest()
WEAVE, SCORE = MANIFEST.weave, MANIFEST.score
thetas = st.floats(-0.12, 0.12)
phis = st.floats(1 / 1.06, 1.06)
patches = st.builds(Patch, thetas, phis)


@settings(max_examples=examples(30), deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 3.0), patches), min_size=1, max_size=7), st.integers(0, 99))
def test_conflict_resolution_equals_brute_force(braids: list[tuple[float, Patch]], seed: int) -> None:
    worth, own = [w for w, _ in braids], [p for _, p in braids]
    base = np.random.default_rng(seed).random((2, 60)) < 0.5
    noise = np.random.default_rng(seed + 1).random((len(braids), 60)) < 0.05
    masks = [base[i % 2] ^ noise[i] for i in range(len(braids))]
    choices = [c for c in product([False, True], repeat=len(braids)) if feasible(c, own, masks, WEAVE)]
    best = max(sum(w for w, c in zip(worth, choice, strict=True) if c) for choice in choices)
    picked = choose(worth, own, masks, WEAVE)
    assert feasible(picked, own, masks, WEAVE)
    assert sum(w for w, c in zip(worth, picked, strict=True) if c) == pytest.approx(best, abs=1e-6)


def test_each_constraint_binds_and_the_best_set_may_beat_the_greedy_one() -> None:
    def picked(worth: list[float], own: list[Patch], masks: list[np.ndarray]) -> list[bool]:
        return choose(worth, own, masks, WEAVE)

    apart = [np.arange(60) % 6 == i for i in range(4)]
    same = [np.arange(60) < 30] * 4
    small, full, deep = Patch(-0.01, 1.005), Patch(0.0, 1.06), Patch(-0.12, 1.0)
    assert picked([1.0] * 4, [small] * 4, apart) == [True] * 4
    assert picked([1.0, 3.0, 2.0, 1.0], [small] * 4, same) == [False, True, False, False]
    assert picked([1.0, 3.0, 2.0, 1.0], [full] * 4, apart) == [False, True, True, False]
    assert picked([1.0, 3.0, 2.0, 1.0], [deep] * 4, apart) == [False, True, True, False]
    half = [Patch(0.0, 1.06), Patch(0.0, 1.12), Patch(0.0, 1.06), Patch(0.0, 1.0)]
    assert picked([2.0, 3.0, 2.0, 0.1], half, apart) == [True, False, True, True], "greedy would take the second"
