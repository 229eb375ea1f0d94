"""Day tables: everything of a score that is frozen at day start, made from days before.

Edges of the context bins and the scale of surprise per asset; threshold, temperature, quality and slow kernel terms per
detector; and a flag for each term that stands at its neutral 0.5 for want of history. The value type and its JSON form
are here; the formulas are in `bins`, `kernel` and `quality`, the list of them in
`docs/reference/kernel_terms.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.hashing import natural_id

NEUTRAL = 0.5
CURATED: Final[Mapping[str, Any]] = {  # of a detector nobody speaks of
    "leakage_veto": False, "adv_fragility": 0.0, "stage_gate": "", "curator_nudge": {}, "curator_veto": (),
    "epsilon": 0.0,
}  # fmt: skip
_UNTOLD = {*CURATED, "asset_fifths", "asymmetry_weights", "segments"}  # what adds nothing to a name where it is empty
TERMS = ("sq_score", "kr_coherence", "kr_phi", "theta0", "kr_emergence", "kr_novelty", "tau_pub", "temperature")
Numbers = tuple[float, ...]


@dataclass(frozen=True)
class DayTables:
    """Tables of one day; tuples run over assets [A] or detectors [D] in the order of `assets` and `detector_ids`.

    `edges[asset][feature]`: upper edges of all bins but the last, empty without history. `hbar_m`, `hbar_s`: mean and
    deviation of ln(rv + 1e-4), NaN without history. `neutral[detector]` names the terms that stand at 0.5 (tau_pub and
    temperature: at their defaults). `quality`: the parts of sq_score, for explanation. `leakage_veto`, `adv_fragility`:
    what the curators know from the newest audit of an earlier day, empty without one. `stage_gate`: words of
    `lotus.detectors.stage_gate`, empty when every detector is open. `asset_fifths[asset]`: see
    `lotus.detectors.daily.asset_groups`, empty where coins have no fifths. `curator_nudge[detector]`: log nudges of the
    acts in force, by who acts; `curator_veto[detector]`: their veto bits by asset, empty where none is vetoed; both are
    empty on a day without such an act. `asymmetry_weights`: of the measured components of `meta_signals`, each in
    [0, 1], empty while the starting values hold. `epsilon[detector]`: floor of the propensity that an act says, 0 where
    none does, empty on a day without one. `segments[asset]`: flags of `lotus.detectors.daily.segment_list`, none of a
    coin without a list, empty where segments are no context.
    """

    day: str
    assets: tuple[str, ...]
    detector_ids: tuple[str, ...]
    edges: tuple[tuple[Numbers, ...], ...]
    hbar_m: tuple[float | None, ...]
    hbar_s: tuple[float | None, ...]
    sq_score: Numbers
    kr_coherence: Numbers
    kr_phi: Numbers
    theta0: Numbers
    kr_rho: Numbers
    kr_emergence: Numbers
    kr_novelty: Numbers
    tau_pub: Numbers
    temperature: Numbers
    neutral: tuple[tuple[str, ...], ...]
    quality: tuple[dict[str, float], ...]
    leakage_veto: tuple[bool, ...] = ()
    adv_fragility: Numbers = ()
    stage_gate: tuple[str, ...] = ()
    asset_fifths: tuple[int, ...] = ()
    curator_nudge: tuple[dict[str, float], ...] = ()
    curator_veto: tuple[tuple[int, ...], ...] = ()
    epsilon: Numbers = ()
    asymmetry_weights: Numbers = ()
    segments: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        for name in (*TERMS, "kr_rho", "neutral", "quality"):
            if len(getattr(self, name)) != len(self.detector_ids):
                raise SchemaError(f"day tables: {name} has {len(getattr(self, name))} values", "one per detector")
        counts = {len(self.leakage_veto), len(self.adv_fragility)}
        if len(counts) > 1 or not counts <= {0, len(self.detector_ids)}:
            raise SchemaError("day tables: curators speak of some detectors only", "of every detector, or of none")
        if len(self.stage_gate) not in (0, len(self.detector_ids)):
            raise SchemaError(f"day tables: {len(self.stage_gate)} gates", "one per detector, or none")
        acts = {len(self.curator_nudge), len(self.curator_veto)}
        if not acts <= {0, len(self.detector_ids)} or not {len(v) for v in self.curator_veto} <= {0, len(self.assets)}:
            raise SchemaError("day tables: acts on other detectors or assets", "all detectors, or none; every asset")
        if len(self.epsilon) not in (0, len(self.detector_ids)) or not all(0.0 <= e < 0.5 for e in self.epsilon):
            raise SchemaError(f"day tables: floors {self.epsilon}", "one per detector below one half, or none")
        if self.asymmetry_weights and not all(0.0 <= w <= 1.0 for w in self.asymmetry_weights):
            raise SchemaError(f"day tables: asymmetry weights {self.asymmetry_weights}", "each in [0, 1]")
        if len(self.asset_fifths) not in (0, len(self.assets)):
            raise SchemaError(f"day tables: {len(self.asset_fifths)} fifths", "one per asset, or none")
        if len(self.segments) not in (0, len(self.assets)):
            raise SchemaError(f"day tables: {len(self.segments)} lists of segments", "one per asset, or none")
        if not len(self.edges) == len(self.hbar_m) == len(self.hbar_s) == len(self.assets):
            raise SchemaError("day tables: bins or hbar scales are not one per asset", f"{len(self.assets)} assets")

    @cached_property
    def tables_ver(self) -> str:
        """128-bit hash of every value but the day; what nobody speaks of has none: equal tables, one version."""
        named = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "day"}
        values = [value for name, value in named.items() if value or name not in _UNTOLD]
        return natural_id("day_tables", msgspec.json.encode(values, order="deterministic"))

    def edge_array(self) -> NDArray[np.float64]:
        """Return f8 [A, 12, 4]: edges, NaN where a feature has none or fewer."""
        out = np.full((len(self.assets), len(self.edges[0]), 4), np.nan)
        for a, features in enumerate(self.edges):
            for f, edges in enumerate(features):
                out[a, f, : len(edges)] = edges
        return out

    def hbar_array(self) -> NDArray[np.float64]:
        """Return f8 [A, 2]: m and s, NaN without history."""
        pairs = zip(self.hbar_m, self.hbar_s, strict=True)
        return np.array([[np.nan if x is None else x for x in pair] for pair in pairs])


def tables_to_json(tables: DayTables) -> bytes:
    """Return the canonical JSON of the tables, with their version."""
    return msgspec.json.encode({"tables_ver": tables.tables_ver, "tables": tables}, order="deterministic")


def tables_from_json(raw: bytes | str) -> DayTables:
    """Read tables back; raises `SchemaError` when unreadable or when the content does not hash to its version."""
    try:
        stored = msgspec.json.decode(raw, type=_Stored)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise SchemaError(f"day tables are unreadable: {error}", "the form written by tables_to_json") from error
    if stored.tables.tables_ver != stored.tables_ver:
        raise SchemaError(f"day tables {stored.tables_ver} do not hash to their name", stored.tables.tables_ver)
    return stored.tables


@dataclass(frozen=True)
class _Stored:
    tables_ver: str
    tables: DayTables
