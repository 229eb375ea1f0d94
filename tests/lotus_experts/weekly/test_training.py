"""Training: slopes against differences, the same net as the tape machine runs, the same weights from the same seed."""

import numpy as np
import pytest

from lotus.errors import SchemaError
from lotus.experts.model import net_params
from lotus.experts.weekly.training import SHAPE, gradients, outputs_of, train, window_rows
from lotus.experts.weekly.training_set import examples
from lotus.manifest import Manifest
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.samples import sample_events
from lotus.tape_machine.machine import Machine
from lotus.tape_machine.node import Node
from lotus.tape_machine.program import compile_program

from ..specs import edited


def net(seed: int, shape=SHAPE, inputs: int = 3) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    before = [inputs, *(o for o, _ in shape)]
    return [rng.normal(0, 0.6, (k, i, o)) for i, (o, k) in zip(before, shape, strict=False)]


def loss(weights: list[np.ndarray], x: np.ndarray, up: np.ndarray) -> float:
    said = outputs_of(weights, x)
    return float(np.logaddexp(0, np.where(up, -said, said)).mean())


def test_slopes_are_those_of_small_differences() -> None:
    rng = np.random.default_rng(0)
    weights = net(1)
    x, up = rng.normal(size=(30, window_rows(), 3)), rng.random(30) < 0.5
    slopes = gradients(weights, x, up)
    for layer, at in ((0, (1, 2, 3)), (0, (3, 0, 0)), (1, (2, 5, 1)), (2, (4, 3, 0)), (2, (0, 0, 0))):
        moved = []
        for step in (1e-5, -1e-5):
            other = [w.copy() for w in weights]
            other[layer][at] += step
            moved.append(loss(other, x, up))
        assert slopes[layer][at] == pytest.approx((moved[0] - moved[1]) / 2e-5, rel=1e-4, abs=1e-9)


def test_the_tape_machine_runs_the_net_that_was_trained() -> None:
    weights = net(2)
    table = np.random.default_rng(3).normal(size=(80, 3))
    columns = tuple(Node("column", (), (float(k),), "number", "1") for k in range(3))
    root = Node("conv1d", columns, net_params(tuple(weights)), "number", "1")
    ran = Machine(compile_program({"y": root}), 1).feed_table(0, table)[:, 0]
    length = window_rows()
    assert np.isnan(ran[: length - 1]).all()
    x = np.stack([table[i - length + 1 : i + 1] for i in range(length - 1, 80)])
    np.testing.assert_allclose(ran[length - 1 :], outputs_of(weights, x), rtol=1e-9, atol=1e-12)


def test_a_planted_filter_is_learnt_and_the_seed_decides_the_weights() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(12_000, window_rows(), 2))
    signal = x[:, -1, 0] - x[:, -4, 0] + 0.5 * x[:, -2, 1]
    up = rng.random(12_000) < 1 / (1 + np.exp(-1.5 * signal))
    unseen = np.arange(12_000) >= 9_000
    found = train(x, up, unseen, seed=1)
    assert found.loss < 0.56
    assert found.hit_rate > 0.7
    again, other = train(x, up, unseen, seed=1), train(x, up, unseen, seed=2)
    assert all(np.array_equal(a, b) for a, b in zip(found.weights, again.weights, strict=True))
    assert not np.array_equal(found.weights[0], other.weights[0])
    shuffled = train(x, rng.permutation(up), unseen, seed=1)
    assert shuffled.loss > 0.69


def test_nothing_to_judge_by_is_refused() -> None:
    x = np.zeros((5, window_rows(), 2))
    for unseen in (np.zeros(5, bool), np.ones(5, bool)):
        with pytest.raises(SchemaError, match="judge"):
            train(x, np.ones(5, bool), unseen, 0)
    with pytest.raises(SchemaError, match="windows"):
        train(x[:, 1:], np.ones(5, bool), np.arange(5) > 2, 0)


def test_examples_are_whole_windows_and_what_came_after() -> None:
    frames = build_frames(sample_events(34, 20_000), Manifest(), Manifest().universe)
    found = examples(frames, edited("tape_filter").experts[0], horizon_s=2.0, stride=1)
    assert len(found.up) == len(found.x) > 500
    assert np.isfinite(found.x).all()
    assert np.abs(found.x).max() <= 1.0
    assert 0.3 < found.up.mean() < 0.7
    fewer = examples(frames, edited("tape_filter").experts[0], horizon_s=2.0, stride=7)
    assert 0 < len(fewer.up) < len(found.up) / 5
