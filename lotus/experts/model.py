"""The trained or grown part of an expert: half-space trees or a small convolution over expressions of its spec.

A spec's `model` names its kind with the operands, and the spec may use the result as `score`. Weights of a convolution
are arrays in `weights/`, trained elsewhere (see `training`) and tied to the spec by their hash. No formula belongs
here: the operations are those of the tape machine.
"""

import io
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError
from lotus.experts.grammar import seconds
from lotus.experts.source import SpecSource
from lotus.experts.spec import ExpertSpec
from lotus.hashing import content_hash
from lotus.tape_machine.checker import LIMIT_MS
from lotus.tape_machine.node import Node

MODELS: Final[dict[str, tuple[str, ...]]] = {  # kind of the model -> its other keys
    "half_space": ("trees", "depth", "window", "seed"),
    "conv1d": ("weights", "hash"),
}
Weights = tuple[NDArray[np.float64], ...]  # of each layer, f8[taps, inputs, outputs]


def model_node(
    part: SpecSource, operand: Callable[[SpecSource], Node], cadence_ms: int, net: Weights | None = None
) -> Node:
    """Return the node of a spec's `model`; `operand` makes the node of one operand, `net` replaces packaged weights.

    Raises `ConfigError` at the place of a wrong key, number, file or hash.
    """
    kind = _kind(part)
    keys = part.keyed((kind, *MODELS[kind]))
    operands = tuple(operand(item) for item in operands_of(part))
    params = _half_space(keys, cadence_ms) if kind == "half_space" else _conv1d(keys, len(operands), net)
    return Node(kind, operands, params, "number", "1")


def operands_of(part: SpecSource) -> list[SpecSource]:
    """Return the expressions that a spec's `model` reads; raises `ConfigError` when it names no model."""
    return part.mapping()[_kind(part)].items()


def _kind(part: SpecSource) -> str:
    kind = next((name for name in part.mapping() if name in MODELS), "")
    if not kind:
        raise part.error("no model", " or ".join(MODELS))
    return kind


def _half_space(keys: Mapping[str, SpecSource], cadence_ms: int) -> tuple[float, ...]:
    window = max(1, round(1_000.0 * seconds(keys["window"], LIMIT_MS / 2_000.0) / cadence_ms))
    return (float(keys["trees"].whole()), float(keys["depth"].whole()), float(window), float(keys["seed"].whole()))


def shipped_net(spec: ExpertSpec) -> Weights:
    """Return the packaged weights of a convolution; raises `ConfigError` for a spec without one."""
    if spec.model is None or _kind(spec.model) != "conv1d":
        raise spec.fires.error("an expert without a convolution", "a spec with `model: conv1d`")
    return _load(spec.model.keyed(("conv1d", *MODELS["conv1d"])))


def _load(keys: Mapping[str, SpecSource]) -> Weights:
    try:
        return load_weights(keys["weights"].scalar, keys["hash"].scalar)
    except ConfigError as error:
        raise keys["weights"].error(error.found, error.expected, error.cause) from None


def _conv1d(keys: Mapping[str, SpecSource], inputs: int, net: Weights | None) -> tuple[float, ...]:
    layers = _load(keys) if net is None else net
    if layers[0].shape[1] != inputs:
        raise keys["conv1d"].error(f"{inputs} operands", f"{layers[0].shape[1]}, as it was trained")
    return net_params(layers)


def net_params(layers: Weights) -> tuple[float, ...]:
    """Return the parameters of the operation `conv1d`: layers, (outputs, taps) of each, all weights."""
    shape = [float(n) for w in layers for n in (w.shape[2], w.shape[0])]
    return (float(len(layers)), *shape, *(float(v) for w in layers for v in w.ravel()))


def weights_hash(layers: Weights) -> str:
    """Return the 128-bit hash of weights and their shapes."""
    columns = {f"layer {k} {w.shape}": w.ravel() for k, w in enumerate(layers)}
    return content_hash(columns)


def load_weights(name: str, wanted: str) -> Weights:
    """Return the weights of a file of `lotus/experts/weights`; raises `ConfigError` when it has another hash."""
    file = files("lotus.experts") / "weights" / name
    if "/" in name or not file.is_file():
        raise ConfigError(f"no file {name!r}", "a file in lotus/experts/weights", "weights that were not packaged")
    return read_weights(file.read_bytes(), wanted)


def read_weights(data: bytes, wanted: str) -> Weights:
    """Return the weights of an exported file (NPZ, arrays w0, w1, ...); raises `ConfigError` for another hash."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        layers = tuple(np.asarray(arrays[f"w{k}"], np.float64) for k in range(len(arrays.files)))
    actual = weights_hash(layers)
    if actual != wanted:
        raise ConfigError(f"weights with hash {actual}", wanted, "another training run, or a damaged file")
    return layers


def export_weights(layers: Weights) -> bytes:
    """Return weights as a file that `read_weights` reads; equal weights give equal bytes."""
    out = io.BytesIO()
    np.savez(out, **{f"w{k}": w for k, w in enumerate(layers)})  # type: ignore[arg-type]
    return out.getvalue()
