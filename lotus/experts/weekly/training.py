"""Offline training of the small convolution: mini-batches of windows, logistic loss, Adam, in plain NumPy.

The net has no biases and an odd activation, so it can only say the opposite of a market turned upside down; its output
is a log-likelihood ratio of "up". Judged on days that were not trained on. Deterministic: the seed is an argument. The
operation that runs the weights is `lotus/tape_machine/ops/conv.py`. D. Kingma, J. Ba, "Adam", ICLR 2015.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.experts.model import Weights
from lotus.hashing import round_learned

SHAPE: Final = ((8, 4), (8, 4), (1, 6))  # (outputs, taps) of each layer: a window of 12 rows
EPOCHS: Final[int] = 4
BATCH: Final[int] = 256
RATE: Final[float] = 2e-3
DECAY: Final[float] = 1e-3  # of all weights, per step and unit of RATE
_BETA_1, _BETA_2, _TINY = 0.9, 0.999, 1e-8

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """Weights, rows of both parts, mean log losses on the unseen part (1/2 loses ln 2) and the share of signs right."""

    weights: Weights
    rows: tuple[int, int]
    loss: float
    loss_trained: float
    hit_rate: float


def window_rows(shape: Sequence[tuple[int, int]] = SHAPE) -> int:
    """Return how many rows one output depends on."""
    return 1 + sum(taps - 1 for _, taps in shape)


def windows(table: Floats, rows: NDArray[np.int64], length: int) -> Floats:
    """Return f8[m, length, k]: the rows that end at each of `rows` i8[m] of table f8[n, k]."""
    return np.asarray(table[rows[:, None] - length + 1 + np.arange(length)])


def train(
    x: Floats, up: NDArray[np.bool_], unseen: NDArray[np.bool_], seed: int, shape: Sequence[tuple[int, int]] = SHAPE
) -> Trained:
    """Return the net trained on windows x f8[m, window, k] with outcomes up bool[m], judged on those marked `unseen`.

    Raises `SchemaError` for windows of another length, nulls, or an empty part.
    """
    if x.ndim != 3 or x.shape[1] != window_rows(shape) or not np.isfinite(x).all():
        raise SchemaError(f"windows {x.shape}", f"[m, {window_rows(shape)}, k] without nulls")
    seen = np.flatnonzero(~unseen)
    if not len(seen) or len(seen) == len(x):
        raise SchemaError(f"{len(seen)} of {len(x)} windows to train on", "some, and some to judge by")
    rng = np.random.Generator(np.random.Philox(seed))
    inputs = [x.shape[2], *(outputs for outputs, _ in shape)]
    weights = [rng.normal(0.0, (k * i) ** -0.5, (k, i, o)) for i, (o, k) in zip(inputs, shape, strict=False)]
    first, second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    step = 0
    for _ in range(EPOCHS):
        order = rng.permutation(seen)
        for start in range(0, len(order) - BATCH + 1, BATCH):
            step += 1
            rows = order[start : start + BATCH]
            for k, slope in enumerate(gradients(weights, x[rows], up[rows])):
                first[k] = _BETA_1 * first[k] + (1.0 - _BETA_1) * slope
                second[k] = _BETA_2 * second[k] + (1.0 - _BETA_2) * slope * slope
                mean, square = first[k] / (1.0 - _BETA_1**step), second[k] / (1.0 - _BETA_2**step)
                weights[k] = weights[k] - RATE * (mean / (np.sqrt(square) + _TINY) + DECAY * weights[k])
    kept = tuple(round_learned(w, 6) for w in weights)
    layers_out = outputs_of(kept, x)
    losses = np.logaddexp(0.0, np.where(up, -layers_out, layers_out))
    right = (layers_out > 0.0) == up
    return Trained(
        kept, (len(seen), int(unseen.sum())), float(losses[unseen].mean()), float(losses[~unseen].mean()),
        float(right[unseen].mean()),
    )  # fmt: skip


def outputs_of(weights: Sequence[Floats], x: Floats) -> Floats:
    """Return the net's output f8[m] of windows f8[m, window, k]."""
    return _forward(weights, x)[-1][:, 0, 0]


def gradients(weights: Sequence[Floats], x: Floats, up: NDArray[np.bool_]) -> list[Floats]:
    """Return the slope of the mean log loss in the weights of every layer."""
    columns = _forward(weights, x)
    outputs = columns[-1][:, 0, 0]
    back = ((1.0 / (1.0 + np.exp(-outputs)) - up) / len(up))[:, None, None]
    slopes: list[Floats] = []
    for k in range(len(weights) - 1, -1, -1):
        taps, before = len(weights[k]), columns[k]
        rows, given = back.shape[1], np.zeros_like(before)
        slope = np.empty_like(weights[k])
        active = before if k == 0 else soft_sign(before)
        for j in range(taps):
            place = slice(taps - 1 - j, taps - 1 - j + rows)
            slope[j] = np.einsum("mti,mto->io", active[:, place], back)
            given[:, place] += back @ weights[k][j].T
        slopes.append(slope)
        back = given if k == 0 else given * _soft_sign_slope(before)
    return slopes[::-1]


def soft_sign(x: Floats) -> Floats:
    """Return the activation of the operation `conv1d`."""
    y = np.clip(x, -3.0, 3.0)
    return np.asarray(y * (27.0 + y * y) / (27.0 + 9.0 * y * y))


def _soft_sign_slope(x: Floats) -> Floats:
    square = np.minimum(x * x, 9.0)
    return np.asarray((square - 9.0) ** 2 / (9.0 * (square + 3.0) ** 2))


def _forward(weights: Sequence[Floats], x: Floats) -> list[Floats]:
    """Return the inputs, then what every layer gives before its activation, f8[m, rows, outputs]."""
    columns = [x]
    for k, w in enumerate(weights):
        before = columns[-1] if k == 0 else soft_sign(columns[-1])
        rows, taps = before.shape[1] - len(w) + 1, len(w)
        columns.append(sum((before[:, taps - 1 - j : taps - 1 - j + rows] @ w[j] for j in range(taps)), np.zeros(1)))
    return columns
