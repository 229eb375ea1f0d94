"""A small causal convolution over the last rows, run incrementally: one new column per layer and row.

Every layer keeps its last inputs in a ring, so nothing is computed twice; many rows go layer by layer, with the same
sums in the same order. Between layers a rational tanh; no biases, so
the whole net is an odd function: inputs with the other sign give the result with the other sign. Sums run over taps,
then inputs, each output in a lane of its own (weights output-major). Weights are trained elsewhere and stand in the
program. A. van den Oord et al., "WaveNet", 2016 (causal convolution); T. Paine et al., "Fast WaveNet generation
algorithm", 2016 (cached activations).
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.tape_machine.nulls import finite_or_null

Column = NDArray[np.float64]
Code = NDArray[np.uint32]
Table = NDArray[np.float64]
Ints = NDArray[np.int64]

LANES = 8  # outputs summed side by side for one row; channels are padded to a multiple of it
MAX_LAYERS, MAX_CHANNELS, MAX_WINDOW = 3, 16, 64
LAYER = 3  # numbers that head a layer in the parameters: inputs, outputs (padded), taps
COUNT, PLACES = 0, 1  # ints: known rows in turn up to the window, then each layer's place in its ring


def packed_net(
    inputs: int, outputs: Sequence[int], taps: Sequence[int], weights: Sequence[float]
) -> tuple[tuple[float, ...], int]:
    """Return the heads and padded weights of all layers as the kernel takes them, and the floats of their rings.

    `weights`: f8[taps, inputs, outputs] of every layer, one after the other, flat.
    """
    heads: list[float] = []
    flat: list[float] = []
    before, wide, place, rings = inputs, inputs, 0, 0
    for many, k in zip(outputs, taps, strict=True):
        padded = np.zeros((k, wide, -(-many // LANES) * LANES))
        padded[:, :before, :many] = np.array(weights[place : place + k * before * many]).reshape(k, before, many)
        heads += [float(wide), float(padded.shape[2]), float(k)]
        flat += padded.ravel().tolist()
        place, rings = place + k * before * many, rings + k * wide
        before, wide = many, padded.shape[2]
    return (*heads, *flat), rings


@kernel
def soft_sign(x: float) -> float:
    """Return x (27 + x^2) / (27 + 9 x^2), which is +-1 at +-3 and kept there: tanh within 0.024."""
    x = 3.0 if x > 3.0 else x
    x = -3.0 if x < -3.0 else x
    square = x * x
    return x * (27.0 + square) / (27.0 + 9.0 * square)


@kernel
def layer_column(
    params: Column, weights: int, inputs: int, outputs: int, taps: int, floats: Column, ring: int, at: int, to: int
) -> None:
    """Write one layer's outputs for the present row to floats[to:]; its newest input stands at place `at` of its ring.

    weights f8[taps, inputs, outputs] from params[weights], tap j for the input j rows ago.
    """
    for lane in range(0, outputs, LANES):
        a, b, c, d, e, f, g, h = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        w, place = weights + lane, at
        for _ in range(taps):
            row = ring + place * inputs
            for k in range(inputs):
                x = floats[row + k]
                a += x * params[w]
                b += x * params[w + 1]
                c += x * params[w + 2]
                d += x * params[w + 3]
                e += x * params[w + 4]
                f += x * params[w + 5]
                g += x * params[w + 6]
                h += x * params[w + 7]
                w += outputs
            place = place - 1 if place > 0 else taps - 1
        first = to + lane
        floats[first], floats[first + 1], floats[first + 2], floats[first + 3] = a, b, c, d
        floats[first + 4], floats[first + 5], floats[first + 6], floats[first + 7] = e, f, g, h


@kernel
def layer_block(
    params: Column, weights: int, outputs: int, taps: int, ring: Column, at: int, x: Table, y: Table, many: int, m: int
) -> None:
    """Write the first `many` outputs of one layer for m rows to y f8[outputs, >= m], with the sums of `layer_column`.

    x f8[inputs, >= m]: the rows' inputs, which take their places in the ring f8[taps * inputs] from place `at` on.
    """
    inputs = len(ring) // taps
    head = min(taps - 1, m)
    for o in range(many):
        for j in range(head):
            y[o, j] = 0.0
            w = weights + o
            for tap in range(taps):
                place = at + j - tap
                row = (place + taps if place < 0 else place) * inputs
                for k in range(inputs):
                    if tap <= j:
                        y[o, j] += x[k, j - tap] * params[w]
                    else:
                        y[o, j] += ring[row + k] * params[w]
                    w += outputs
        whole_rows(params, weights + o, outputs, taps, x, inputs, head, y[o, head:m])
    for j in range(max(0, m - taps), m):
        for k in range(inputs):
            ring[(at + j) % taps * inputs + k] = x[k, j]


@kernel
def whole_rows(params: Column, w: int, outputs: int, taps: int, x: Table, inputs: int, first: int, out: Column) -> None:
    """Write one output for the rows from `first` = taps - 1 on, whose taps all stand in x, four inputs at a time.

    The sums are those of one input after the other.
    """
    n = len(out)
    for j in range(n):
        out[j] = 0.0
    for tap in range(taps):
        start, k = first - tap, 0
        while k + 4 <= inputs:
            a, b, c, d = params[w], params[w + outputs], params[w + 2 * outputs], params[w + 3 * outputs]
            p, q = x[k, start : start + n], x[k + 1, start : start + n]
            r, s = x[k + 2, start : start + n], x[k + 3, start : start + n]
            for j in range(n):
                out[j] = (((out[j] + p[j] * a) + q[j] * b) + r[j] * c) + s[j] * d
            w, k = w + 4 * outputs, k + 4
        while k < inputs:
            a, p = params[w], x[k, start : start + n]
            for j in range(n):
                out[j] += p[j] * a
            w, k = w + outputs, k + 1


@kernel
def net_row(floats: Column, ints: Ints, params: Column) -> float:
    """Return the output for one row, whose operands stand at its place of the first ring."""
    layers, ring = int(params[0]), LANES
    weights = 2 + LAYER * layers
    for layer in range(layers):
        head = 2 + LAYER * layer
        inputs, outputs, taps = int(params[head]), int(params[head + 1]), int(params[head + 2])
        at, next_ring, to = ints[PLACES + layer], ring + taps * inputs, 0
        if layer + 1 < layers:
            to = next_ring + ints[PLACES + layer + 1] * outputs
        layer_column(params, weights, inputs, outputs, taps, floats, ring, at, to)
        if layer + 1 < layers:
            for k in range(outputs):
                floats[to + k] = soft_sign(floats[to + k])
        ints[PLACES + layer] = at + 1 if at + 1 < taps else 0
        weights += taps * inputs * outputs
        ring = next_ring
    return float(floats[0])


@kernel
def net_block(floats: Column, ints: Ints, params: Column, x: Table, y: Table, m: int) -> None:
    """Write the outputs for m rows to x[0]; the rows' operands stand in x f8[channels, >= m], y is room for as much."""
    layers, ring = int(params[0]), LANES
    weights = 2 + LAYER * layers
    for layer in range(layers):
        head = 2 + LAYER * layer
        inputs, outputs, taps = int(params[head]), int(params[head + 1]), int(params[head + 2])
        at, last = ints[PLACES + layer], layer + 1 == layers
        rows = floats[ring : ring + taps * inputs]
        layer_block(params, weights, outputs, taps, rows, at, x, y, 1 if last else outputs, m)
        for k in range(1 if last else outputs):
            to, made = x[k], y[k]
            for j in range(m):
                to[j] = made[j] if last else soft_sign(made[j])
        ints[PLACES + layer] = (at + m) % taps
        weights += taps * inputs * outputs
        ring += taps * inputs
    floats[0] = x[0, m - 1]


@kernel
def conv1d(
    out: Column, room: Table, registers: Table, args: Code, params: Column, floats: Column, ints: Ints, n: int
) -> None:
    """The net's one output; null while fewer rows in turn than its window were known (a null row begins anew).

    params: layers, window, LAYER numbers per layer, the weights of every layer. floats: LANES numbers, then the ring
    f8[taps, inputs] of each layer. room f8[2 MAX_CHANNELS, >= n].
    """
    window, m = int(params[1]), 0
    for i in range(n):
        known = True
        for k in range(len(args)):
            room[k, m] = registers[args[k], i]
            known &= room[k, m] == room[k, m]
        ints[COUNT] = min(ints[COUNT] + 1, window) if known else 0
        m += int(known)
        full = 1.0 if ints[COUNT] == window else 0.0
        out[i] = full if known else -1.0
    if m == 1:
        for k in range(len(args)):
            floats[LANES + ints[PLACES] * len(args) + k] = room[k, 0]
        room[0, 0] = net_row(floats, ints, params)
    elif m > 1:
        net_block(floats, ints, params, room[:MAX_CHANNELS], room[MAX_CHANNELS:], m)
    m = 0
    for i in range(n):
        full = out[i]
        out[i] = finite_or_null(room[0, m]) if full > 0.0 else math.nan
        m += int(full >= 0.0)
