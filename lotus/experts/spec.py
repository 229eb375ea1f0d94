"""Expert specs: the parameters of every micro-expert, read from the YAML files that ship with the package.

A spec is data; the predicates that use its numbers are kernels (`fsm`, `anomaly`, `divergence`). Seconds become
frames and half-lives become decays here, once. No expert may remember more than 2 h (contracts.md 6).
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from lotus import mathx
from lotus.errors import ConfigError
from lotus.experts.state import PARAMS_DTYPE
from lotus.hashing import natural_id

EXPERTS: Final = ("sweep_stall", "absorption", "depth_vacuum", "anomaly", "rsi_divergence")
NODES: Final = ("idle", "armed", "fired")
SYMBOLS: Final = ("quiet", "trigger", "confirm", "break", "timeout")
LIMIT_S: Final[float] = 7_200.0
_LN2: Final[float] = 0.6931471805599453


@dataclass(frozen=True, slots=True)
class ExpertSpec:
    """One expert: identity, its weight and vote in the fusion, its parameters and, with states, its table."""

    expert_id: str
    kind: str
    version: int
    idea: str
    weight: float
    vote: float
    params: tuple[tuple[str, float], ...]
    transitions: tuple[tuple[str, str, str], ...] = ()
    limits_s: tuple[tuple[str, float], ...] = ()
    llr: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ExpertSet:
    """All experts of a running set and their fusion; `version` is the hash of every number."""

    experts: tuple[ExpertSpec, ...]
    votes_needed: float

    @property
    def version(self) -> str:
        """128-bit hash of the specs."""
        return natural_id(repr(self))


@cache
def default_experts() -> ExpertSet:
    """Return the shipped experts in column order; raises `ConfigError` naming a missing or unknown key."""
    folder = files("lotus.experts") / "specs"
    raw = {name: yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8")) for name in EXPERTS}
    fusion = yaml.safe_load((folder / "fusion.yaml").read_text(encoding="utf-8"))
    return ExpertSet(tuple(parse_spec(raw[name]) for name in EXPERTS), float(fusion["votes_needed"]))


def parse_spec(raw: dict[str, Any]) -> ExpertSpec:
    """Return one spec from its YAML mapping; raises `ConfigError` for a key, node or symbol that does not exist."""
    known = set(ExpertSpec.__dataclass_fields__)
    name = str(raw.get("expert_id"))
    _refuse(name, set(raw) - known, known)
    _refuse(name, {"expert_id", "kind", "version", "idea", "weight", "vote", "params"} - set(raw), known)
    edges = tuple((node, by, to) for node, row in raw.get("transitions", {}).items() for by, to in row.items())
    for node, by, to in edges:
        _refuse(name, {node, to} - set(NODES), set(NODES))
        _refuse(name, {by} - set(SYMBOLS), set(SYMBOLS))
    return ExpertSpec(
        name,
        str(raw["kind"]),
        int(raw["version"]),
        str(raw["idea"]),
        float(raw["weight"]),
        float(raw["vote"]),
        tuple((key, float(value)) for key, value in raw["params"].items()),
        edges,
        tuple((node, float(value)) for node, value in raw.get("limits_s", {}).items()),
        tuple((node, float(value)) for node, value in raw.get("llr", {}).items()),
    )


def compile_experts(experts: ExpertSet, cadence_ms: int) -> NDArray[np.void]:
    """Return the one-element parameter record that the kernels run on; raises `ConfigError` for a bad set or number."""
    if tuple(spec.expert_id for spec in experts.experts) != EXPERTS:
        raise ConfigError(f"experts {[spec.expert_id for spec in experts.experts]}", f"{EXPERTS} in this order")
    params = np.zeros(1, PARAMS_DTYPE)
    params["votes_needed"] = experts.votes_needed
    for k, spec in enumerate(experts.experts):
        params["weight"][0, k], params["vote"][0, k] = spec.weight, spec.vote
        _fill(params[spec.expert_id], spec, cadence_ms)
    return params


def _fill(record: NDArray[np.void], spec: ExpertSpec, cadence_ms: int) -> None:
    names = set(record.dtype.names or ()) - {"fsm"}
    values = dict(_compiled(spec.expert_id, key, value, cadence_ms) for key, value in spec.params)
    _refuse(spec.expert_id, set(values) ^ names, names)
    for key, value in values.items():
        record[key] = value
    if "fsm" not in (record.dtype.names or ()):
        return
    table = record["fsm"]["table"][0]
    table[:] = np.arange(len(NODES))[:, None]
    for node, by, to in spec.transitions:
        table[NODES.index(node), SYMBOLS.index(by)] = NODES.index(to)
    for node, seconds in spec.limits_s:
        record["fsm"]["limit"][0, NODES.index(node)] = _frames(seconds, cadence_ms)
    for node, value in spec.llr:
        record["fsm"]["llr"][0, NODES.index(node)] = value


def _compiled(name: str, key: str, value: float, cadence_ms: int) -> tuple[str, float]:
    if not key.endswith("_s"):
        return key, value
    memory = 5.0 * value if key == "half_life_s" else value
    if not 0.0 < memory <= LIMIT_S:
        raise ConfigError(f"{name}.{key} = {value}", f"a memory above 0 and at most {LIMIT_S:g} s", "contracts.md 6")
    if key == "half_life_s":
        return "decay", mathx.exp(-_LN2 * cadence_ms / (1_000.0 * value))
    return key.removesuffix("_s") + "_n", float(_frames(value, cadence_ms))


def _frames(seconds: float, cadence_ms: int) -> int:
    return max(1, round(1_000.0 * seconds / cadence_ms))


def _refuse(name: str, wrong: set[str], known: set[str]) -> None:
    if wrong:
        raise ConfigError(f"expert {name}: {sorted(wrong)[0]!r} is missing or unknown", f"{', '.join(sorted(known))}")
