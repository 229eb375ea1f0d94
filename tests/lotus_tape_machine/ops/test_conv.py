"""The incremental convolution against the whole one in plain NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.errors import ConfigError
from lotus.tape_machine.machine import Machine
from lotus.tape_machine.ops.conv import soft_sign
from lotus.tape_machine.program import compile_program

from ..oracle import NULL, column, equal_bits, node

SHAPES = st.lists(st.tuples(st.integers(1, 16), st.integers(1, 9)), min_size=0, max_size=2)


def net(inputs: int, shape: list[tuple[int, int]], weights: list[np.ndarray]):
    flat = [v for pair in shape for v in pair]
    values = [w for part in weights for w in part.ravel()]
    return node("conv1d", *(column(k) for k in range(inputs)), params=(len(shape), *flat, *values))


def drawn(inputs: int, shape: list[tuple[int, int]], seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    before = [inputs, *(outputs for outputs, _ in shape)]
    return [rng.normal(size=(k, b, o)) for (o, k), b in zip(shape, before, strict=False)]


def run(root, table: np.ndarray, split: int = 0) -> np.ndarray:
    machine = Machine(compile_program({"y": root}), 1)
    pieces = [table[i : i + split] for i in range(0, len(table), split)] if split else [table]
    return np.concatenate([machine.feed_table(0, piece)[:, 0] for piece in pieces])


def plain(table: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    """The net on every window of rows that are all known, from scratch."""
    window = 1 + sum(len(w) - 1 for w in weights)
    out = np.full(len(table), NULL)
    for i in range(window - 1, len(table)):
        x = table[i - window + 1 : i + 1]
        if np.isnan(x).any():
            continue
        for w in weights:
            k = len(w)
            x = np.array([sum(x[t - j] @ w[j] for j in range(k)) for t in range(k - 1, len(x))])
            if w is not weights[-1]:
                y = np.clip(x, -3, 3)
                x = y * (27 + y**2) / (27 + 9 * y**2)
        out[i] = x[0, 0]
    return out


@settings(max_examples=examples(40), deadline=None)
@given(st.integers(1, 6), SHAPES, st.integers(1, 12), st.integers(0, 2**32))
def test_the_net_is_the_convolution_of_the_last_rows(inputs, hidden, taps, seed) -> None:
    shape = [*hidden, (1, taps)]
    weights = drawn(inputs, shape, seed)
    rng = np.random.default_rng(seed + 1)
    table = np.where(rng.random((60, inputs)) < 0.01, NULL, rng.normal(size=(60, inputs)))
    root = net(inputs, shape, weights)
    whole = run(root, table)
    np.testing.assert_allclose(whole, plain(table, weights), rtol=1e-9, atol=1e-9)
    for split in (1, 7):
        assert equal_bits(run(root, table, split), whole)
    np.testing.assert_array_equal(run(root, -table), -whole)


def test_a_gap_starts_the_window_again() -> None:
    weights = drawn(1, [(1, 5)], 3)
    table = np.ones((20, 1))
    table[8] = NULL
    known = np.isfinite(run(net(1, [(1, 5)], weights), table))
    assert known.nonzero()[0].tolist() == [4, 5, 6, 7, 13, 14, 15, 16, 17, 18, 19]


def test_the_rational_tanh_is_near_and_bounded() -> None:
    x = np.linspace(-6, 6, 2_001)
    y = np.array([soft_sign(v) for v in x])
    assert np.abs(y - np.tanh(x)).max() < 0.024
    assert np.all(np.diff(y) >= 0)
    assert y[0] == -1
    assert y[-1] == 1


@pytest.mark.parametrize(
    ("inputs", "shape"),
    [(17, [(1, 1)]), (2, [(17, 1), (1, 1)]), (2, [(2, 1)]), (2, [(4, 33), (1, 33)]), (2, [(2, 2)] * 3 + [(1, 1)])],
)
def test_nets_out_of_bounds_are_refused(inputs: int, shape: list[tuple[int, int]]) -> None:
    with pytest.raises(ConfigError, match="conv1d"):
        compile_program({"y": net(inputs, shape, drawn(inputs, shape, 0))})


def test_weights_left_out_or_infinite_are_refused() -> None:
    whole = net(1, [(1, 3)], [np.ones((3, 1, 1))])
    for params in (whole.params[:-1], (*whole.params[:-1], float("inf"))):
        with pytest.raises(ConfigError, match="conv1d"):
            compile_program({"y": node("conv1d", column(0), params=params)})
