"""A small causal convolution over the last rows, run incrementally: one new column per layer and row.

Every layer keeps its last inputs in a ring, so nothing is computed twice. Between layers a rational tanh; no biases, so
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
from lotus.tape_machine.ops_elementwise import finite_or_null

Column = NDArray[np.float64]
Ints = NDArray[np.int64]

LANES = 4  # outputs summed side by side; channels are padded to a multiple of it
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
    before, wide, at, rings = inputs, inputs, 0, 0
    for many, k in zip(outputs, taps, strict=True):
        padded = np.zeros((k, wide, -(-many // LANES) * LANES))
        padded[:, :before, :many] = np.array(weights[at : at + k * before * many]).reshape(k, before, many)
        heads += [float(wide), float(padded.shape[2]), float(k)]
        flat += padded.ravel().tolist()
        at, rings = at + k * before * many, rings + k * wide
        before, wide = many, padded.shape[2]
    return (*heads, *flat), rings


@kernel
def soft_sign(x: float) -> float:
    """Return x (27 + x^2) / (27 + 9 x^2), which is +-1 at +-3 and kept there: tanh within 0.024."""
    if x >= 3.0:
        return 1.0
    if x <= -3.0:
        return -1.0
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
        a, b, c, d = 0.0, 0.0, 0.0, 0.0
        w, place = weights + lane, at
        for _ in range(taps):
            row = ring + place * inputs
            for k in range(inputs):
                x = floats[row + k]
                a += x * params[w]
                b += x * params[w + 1]
                c += x * params[w + 2]
                d += x * params[w + 3]
                w += outputs
            place = place - 1 if place > 0 else taps - 1
        floats[to + lane], floats[to + lane + 1], floats[to + lane + 2], floats[to + lane + 3] = a, b, c, d


@kernel
def conv1d(
    out: Column, registers: NDArray[np.float64], args: Ints, params: Column, floats: Column, ints: Ints, n: int
) -> None:
    """The net's one output; null while fewer rows in turn than its window were known (a null row begins anew).

    params: layers, window, LAYER numbers per layer, the weights of every layer. floats: LANES numbers, then the ring
    f8[taps, inputs] of each layer.
    """
    layers, window = int(params[0]), int(params[1])
    for i in range(n):
        known = True
        for k in range(len(args)):
            known &= registers[args[k], i] == registers[args[k], i]
        if not known:
            ints[COUNT] = 0
            out[i] = math.nan
            continue
        ints[COUNT] = min(ints[COUNT] + 1, window)
        ring, weights = LANES, 2 + LAYER * layers
        for k in range(len(args)):
            floats[ring + ints[PLACES] * len(args) + k] = registers[args[k], i]
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
        out[i] = finite_or_null(floats[0]) if ints[COUNT] == window else math.nan
