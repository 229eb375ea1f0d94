"""The detectors that exist: their specifications as data, read from the YAML files beside this module.

A specification fixes family, parameters, horizon, band and version; changing any of them is another version. No signal
is computed here. In the literature these are alpha factors with declared horizons.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import yaml
from numpy.typing import NDArray

from lotus import mathx
from lotus.errors import ConfigError
from lotus.hashing import natural_id
from lotus.manifest import Manifest

PARAMS: dict[str, tuple[str, ...]] = {
    "imbalance_persistence": ("span_s", "floor", "k_rms", "share"),
    "sweep_stall_reversal": ("look_s", "stall_s", "stall_sigma", "min_sweeps", "full_sweeps"),
    "depth_vacuum_momentum": ("drop", "tilt", "full_tilt"),
    "compressed_range": ("span_s", "hold_s", "ratio", "margin_sigma", "full_sigma"),
    "basis_shock": ("lag_s", "floor_bps", "z", "full_z"),
    "micro_drift": ("span_s", "floor_bps", "k_rms", "share"),
}
FAMILIES: tuple[str, ...] = tuple(PARAMS)
MAX_PARAMS = 5
JITTER: tuple[float, ...] = (1.0, 0.8, 0.9, 1.1, 1.2)  # the detector itself, then its K = 4 siblings
MAX_FRAME_SPAN_S = 30.0
MAX_WINDOW_SPAN_S = 900.0


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """One detector version; periods of `band_s` and `horizon_s` in seconds, `params` in the family's order."""

    detector_id: str
    family: str
    version: int
    horizon_s: int
    band_s: tuple[float, float]
    best_phase_deg: float
    depth: int
    nodes: int
    params: tuple[float, ...]

    @property
    def spec_id(self) -> str:
        """128-bit identity of everything that shapes the signal."""
        return natural_id("detector", repr(self))

    @property
    def rho(self) -> float:
        """kr_rho, complexity: logistic((depth - 8)/4 + (nodes - 48)/24), 0.5 at depth 8 and 48 nodes."""
        return mathx.logistic((self.depth - 8) / 4.0 + (self.nodes - 48) / 24.0)


def parse_spec(text: str, where: str) -> DetectorSpec:
    """Read one YAML specification; raises `ConfigError` naming `where` and the wrong key."""
    raw = yaml.safe_load(text)
    if not isinstance(raw, dict):
        raise ConfigError(f"{where} is no mapping", "the keys of a detector specification")
    wanted = {"detector_id", "family", "version", "horizon_s", "band_s", "best_phase_deg", "depth", "nodes", "params"}
    if set(raw) != wanted:
        raise ConfigError(f"{where} has keys {sorted(raw)}", ", ".join(sorted(wanted)))
    family = str(raw["family"])
    if family not in PARAMS:
        raise ConfigError(f"{where}: family {family!r}", ", ".join(FAMILIES))
    params = _params(raw["params"], family, where)
    low, high = (float(x) for x in raw["band_s"])
    if not 0.0 < low < high or int(raw["horizon_s"]) < 1 or int(raw["version"]) < 1:
        raise ConfigError(f"{where}: band {low}..{high} s, horizon {raw['horizon_s']} s", "positive, band rising")
    return DetectorSpec(
        detector_id=str(raw["detector_id"]),
        family=family,
        version=int(raw["version"]),
        horizon_s=int(raw["horizon_s"]),
        band_s=(low, high),
        best_phase_deg=float(raw["best_phase_deg"]),
        depth=int(raw["depth"]),
        nodes=int(raw["nodes"]),
        params=params,
    )


@cache
def shipped_detectors() -> tuple[DetectorSpec, ...]:
    """Return the shipped detectors in order of detector_id; this order is their index everywhere."""
    folder = resources.files("lotus.detectors") / "specs"
    found = [parse_spec(f.read_text("utf-8"), f.name) for f in folder.iterdir() if f.name.endswith(".yaml")]
    return tuple(sorted(found, key=lambda s: s.detector_id))


def specs_ver(detectors: Sequence[DetectorSpec]) -> str:
    """Return the identity of a set of detectors, in order."""
    return natural_id("detectors", *(d.spec_id for d in detectors))


def family_codes(detectors: Sequence[DetectorSpec]) -> NDArray[np.int64]:
    """Return the family index of each detector, int64 [D]."""
    return np.array([FAMILIES.index(d.family) for d in detectors], dtype=np.int64)


def param_table(detectors: Sequence[DetectorSpec], manifest: Manifest) -> NDArray[np.float64]:
    """Return f8 [D, 1 + K, MAX_PARAMS]: each detector and its siblings, times in frames or windows.

    A sibling multiplies every parameter by its jitter; shares stay at most 1. Spans of the families that read frames
    become frames, those that read windows become windows, at least 1.
    """
    out = np.zeros((len(detectors), len(JITTER), MAX_PARAMS))
    for d, spec in enumerate(detectors):
        by_window = spec.family in ("compressed_range", "basis_shock")
        unit_s = (manifest.kernel.window_ms if by_window else manifest.kernel.cadence_ms) / 1000.0
        for k, factor in enumerate(JITTER):
            for p, (name, value) in enumerate(zip(PARAMS[spec.family], spec.params, strict=True)):
                scaled = value * factor
                if name.endswith("_s"):
                    scaled = max(1.0, math.floor(scaled / unit_s + 0.5))
                elif name == "share":
                    scaled = min(scaled, 1.0)
                out[d, k, p] = scaled
    return out


def _params(raw: Mapping[str, float], family: str, where: str) -> tuple[float, ...]:
    names = PARAMS[family]
    if not isinstance(raw, Mapping) or set(raw) != set(names):
        raise ConfigError(f"{where}: params {raw}", ", ".join(names))
    limit = MAX_WINDOW_SPAN_S if family in ("compressed_range", "basis_shock") else MAX_FRAME_SPAN_S
    for name in names:
        if not math.isfinite(raw[name]) or (name.endswith("_s") and not 0 < raw[name] * max(JITTER) <= limit):
            raise ConfigError(f"{where}: {name} = {raw[name]}", f"finite, times positive and below {limit / 1.2} s")
    return tuple(float(raw[name]) for name in names)
