"""Half-space trees against an object-and-pointer version written from the paper, and their laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pace import examples

from lotus.errors import ConfigError
from lotus.tape_machine.machine import Machine
from lotus.tape_machine.ops.forest import forest_cuts
from lotus.tape_machine.program import compile_program

from ..oracle import NULL, column, equal_bits, node

TREES, DEPTH, WINDOW, SEED = 3, 4, 7, 11


def forest(k: int = 2, trees: int = TREES, depth: int = DEPTH, window: int = WINDOW, seed: int = SEED):
    return node("half_space", *(column(i) for i in range(k)), params=(trees, depth, window, seed))


def run(root, table: np.ndarray, split: int = 0) -> np.ndarray:
    machine = Machine(compile_program({"y": root}), 1)
    pieces = [table[i : i + split] for i in range(0, len(table), split)] if split else [table]
    return np.concatenate([machine.feed_table(0, piece)[:, 0] for piece in pieces])


class PaperTree:
    """Algorithms 1 to 3 of the paper with nodes as dictionaries; all masses change over at once at a window's end."""

    def __init__(self, cuts: np.ndarray, depth: int) -> None:
        self.root = self._node(cuts, 0, 0, depth)

    def _node(self, cuts: np.ndarray, k: int, level: int, depth: int) -> dict:
        made = {"r": 0, "l": 0, "level": level, "children": None}
        if level < depth:
            made["q"], made["p"] = int(cuts[k, :1].view(np.int64)[0]), cuts[k, 1]
            made["children"] = [self._node(cuts, 2 * k + c, level + 1, depth) for c in (1, 2)]
        return made

    def path(self, x: np.ndarray):
        at = self.root
        while at is not None:
            yield at
            at = at["children"][0 if x[at["q"]] < at["p"] else 1] if at["children"] else None

    def renew(self, at: dict) -> None:
        at["r"], at["l"] = at["l"], 0
        for child in at["children"] or ():
            self.renew(child)


def paper(table: np.ndarray, trees: int, depth: int, window: int, seed: int) -> np.ndarray:
    inner = 2**depth - 1
    cuts = np.array(forest_cuts(seed, trees, depth, table.shape[1])).reshape(trees, inner, 2)
    grown = [PaperTree(cuts[t], depth) for t in range(trees)]
    out, latest, reference = [], 0, None
    for i, x in enumerate(table):
        if i > 0 and i % window == 0:
            for tree in grown:
                tree.renew(tree.root)
            reference, latest = latest, 0
        score = NULL
        if np.isfinite(x).all():
            density = 0.0
            for tree in grown:
                path = list(tree.path(x))
                end = next(v for v in path if v is path[-1] or v["r"] <= 0.1 * (reference or 0))
                density += end["r"] * 2.0 ** end["level"]
                for v in path:
                    v["l"] += 1
            latest += 1
            if reference is not None and reference > 0 and 2 * reference >= window:
                score = 1.0 / (1.0 + density / trees / reference)
        out.append(score)
    return np.array(out)


@settings(max_examples=examples(80), deadline=None)
@given(
    st.integers(1, 60).flatmap(
        lambda n: arrays(np.float64, (n, 2), elements=st.sampled_from((0.0, 0.1, 0.5, 0.52, 0.9, 1.0, NULL)))
    ),
    st.integers(0, 10**9),
)
def test_scores_are_those_of_the_paper(table: np.ndarray, seed: int) -> None:
    wanted = paper(table, TREES, DEPTH, WINDOW, seed)
    np.testing.assert_allclose(run(forest(seed=seed), table), wanted, rtol=1e-14)


def test_the_same_bits_for_every_split() -> None:
    rng = np.random.default_rng(0)
    table = np.where(rng.random((300, 3)) < 0.02, NULL, rng.random((300, 3)))
    whole = run(forest(3), table)
    assert np.isfinite(whole).mean() > 0.8
    for split in (1, 2, 7, 255):
        assert equal_bits(run(forest(3), table, split), whole)


def test_a_rare_place_is_more_unusual_than_a_dense_one() -> None:
    rng = np.random.default_rng(1)
    table = np.clip(0.3 + 0.05 * rng.standard_normal((400, 2)), 0, 1)
    table[399] = 0.95
    score = run(forest(trees=8, depth=6, window=200), table)
    assert np.isnan(score[:200]).all()
    assert np.all((score[200:] >= 0) & (score[200:] <= 1))
    assert score[399] > 0.9 > np.median(score[200:399]) + 0.5


def test_memory_ends_after_two_windows() -> None:
    rng = np.random.default_rng(2)
    one, other = rng.random((50, 2)), rng.random((50, 2))
    other[50 - 3 * WINDOW :] = one[50 - 3 * WINDOW :]
    shift = 50 % WINDOW  # both begin a window at the same row
    assert equal_bits(run(forest(), one[shift:])[-WINDOW:], run(forest(), other[shift:])[-WINDOW:])


def test_trees_come_from_the_seed_and_cut_the_cube() -> None:
    cuts = forest_cuts(5, 4, 3, 2)
    assert cuts == forest_cuts(5, 4, 3, 2) != forest_cuts(6, 4, 3, 2)
    assert len(cuts) == 4 * 7 * 2
    assert set(np.array(cuts[::2]).view(np.int64).tolist()) == {0, 1}
    roots = np.array(cuts).reshape(4, 7, 2)[:, 0, 1]
    assert np.all((roots >= 0) & (roots < 1))


@pytest.mark.parametrize("bad", [{"trees": 0}, {"depth": 9}, {"window": 18_001}, {"seed": 0.5}, {"k": 0}])
def test_bad_forests_are_refused(bad: dict) -> None:
    with pytest.raises(ConfigError, match=r"half_space|trees"):
        compile_program({"y": forest(**bad)})
