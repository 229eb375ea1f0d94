"""The signal contract: schemas of what the alpha detector publishes, their validators, and payloads from scored rows.

`sigbus-1.0.0` is the whole record of one scored window (`sigbus-1.1.0` where acts were in force on it), `det-alpha-1.0`
its directional part, `ms-1.0` its budget cues, which carry no direction (`ms-1.1` where their weights were fitted). The
schemas are the JSON files of `schemas/` (draft 7). What a row does not hold (names of vetoes, thresholds, braids,
hashes) comes as `SignalFacts` from the detectors; nothing is scored or sent here.
(Literature: consumer-driven contract, schema registry.)
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

import fastjsonschema

from lotus import mathx
from lotus.errors import SchemaError

SIGBUS, DET_ALPHA, META = "sigbus-1.0.0", "det-alpha-1.0", "ms-1.0"
SIGBUS_CURATED = "sigbus-1.1.0"  # with `curation`
SIGNAL_SCHEMAS = (SIGBUS, DET_ALPHA, META)
SIGBUS_SCHEMAS = (SIGBUS, SIGBUS_CURATED)  # readers take both
META_FITTED = "ms-1.1"  # with `ms_asym_weights`, and the score by the side of the trend
META_SCHEMAS = (META, META_FITTED)  # readers take both
READ_SCHEMAS = (*SIGNAL_SCHEMAS, SIGBUS_CURATED, META_FITTED)
ASYMMETRY = ("Z_OI", "Z_F", "Z_B", "Z_D", "Z_W", "Z_C", "Z_U")
_WORD64 = 2**64 - 1

Payload = dict[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate of publication: threshold None means that being known is enough (`rule` = known)."""

    column: str
    threshold: float | None
    rule: str
    passed: bool


@dataclass(frozen=True, slots=True)
class SignalFacts:
    """What a payload holds beyond its row; `gates` by their names on the bus, `asymmetry` by component, in deviations.

    An asymmetry component that is missing was not measured; the score is None when no positioning is. `context`: the
    row's bins as text (`lotus.priors.context`). `claims` are those of the braids that
    fired, as they stand on the bus, `triggers` the entries that
    its detector proposes for its side. `nudges` are log nudges by who acts, `nudge` what they come to, `barred` the
    vetoes of acts, all of acts in force on the row. `asymmetry_weights` by component, empty while the shipped ones
    hold; `trend` is the row's, null as NaN.
    """

    band_s: tuple[float, float]
    recipe_hash: str
    experts_ver: str
    data_fingerprint: str
    card_ref: str
    vetoes: tuple[str, ...]
    gates: Mapping[str, Gate]
    braids_fired: tuple[str, ...]
    asymmetry: Mapping[str, float] = field(default_factory=dict)
    asymmetry_score: float | None = None
    context: str = 12 * "-"
    claims: tuple[Row, ...] = ()
    triggers: tuple[str, ...] = ()
    nudges: Mapping[str, float] = field(default_factory=dict)
    nudge: float = 0.0
    barred: tuple[str, ...] = ()
    asymmetry_weights: Mapping[str, float] = field(default_factory=dict)
    trend: float = math.nan


@cache
def signal_schema(schema_ver: str) -> Mapping[str, Any]:
    """Return a schema; raises `SchemaError` for an unknown name."""
    if schema_ver not in READ_SCHEMAS:
        raise SchemaError(f"there is no signal schema {schema_ver!r}", ", ".join(READ_SCHEMAS))
    text = (resources.files("lotus.modules") / "schemas" / f"{schema_ver}.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def check_signal(payload: Payload) -> Payload:
    """Return the payload when it is valid under the schema that it names.

    Raises `SchemaError` with the path of the first member that is not, and what the schema wants there.
    """
    ver = payload.get("schema_ver")
    if not isinstance(ver, str) or ver not in READ_SCHEMAS:
        raise SchemaError(f"data.schema_ver is {ver!r}", f"one of {', '.join(READ_SCHEMAS)}")
    broken = _not_finite(payload, "data")
    if broken:
        raise SchemaError(f"{broken} is no finite number", f"numbers of {ver}", "a null was not written as null")
    try:
        for validator in _validators(ver):
            validator(payload)
    except fastjsonschema.JsonSchemaValueException as problem:
        raise SchemaError(problem.message + _shown(problem.value), f"a payload of {ver}") from problem
    return payload


def sigbus_payload(row: Row, facts: SignalFacts) -> Payload:
    """Return the whole record of one row of SIGNAL_EVENTS (plain values, NaN = null), published or not."""
    gates = {
        name: {"value": _null(row[g.column]), "threshold": g.threshold, "rule": g.rule, "passed": g.passed}
        for name, g in facts.gates.items()
    }
    curation = _curation(facts)
    return {
        "schema_ver": SIGBUS_CURATED if curation else SIGBUS,
        **_identity(row),
        **_direction(row, facts),
        **_sigma(row),
        "eligibility": {"publish": bool(row["eligible"]), "vetoes": list(facts.vetoes), "gates": gates},
        "publication": {
            **{name: float(row[name]) for name in ("pi", "u0", "u", "draw", "tau_pub", "temperature", "ln_sigma_0")},
            "ln_sigma": float(row["ln_sigma_tilde"]),
            **({"gate": float(row["gate"])} if row["gate"] else {}),
            "published": bool(row["published"]),
        },
        **curation,
        "quality": {name: float(row[column]) for name, column in _QUALITY.items()},
        "cues": {
            "ms_kairos": _null(row["kairos"]),
            "ms_entrain_r": _null(row["entrain"]),
            "ms_uncert": float(row["uncert"]),
            "mx_confirm": _null(row["mx_confirm"]),
        },
        "cond_key": f"{int(row['cond_key']) & _WORD64:016x}",
        "braids_fired": list(facts.braids_fired),
        "priors_ver": str(row["priors_ver"]),
        "tables_ver": str(row["tables_ver"]),
        "provenance": _provenance(row, facts),
        "card_ref": facts.card_ref,
    }


def det_alpha_payload(row: Row, facts: SignalFacts) -> Payload:
    """Return the directional part of a published row; `claims` is there only when a braid with a claim fired."""
    return {
        "schema_ver": DET_ALPHA,
        **_identity(row),
        **_direction(row, facts),
        **_sigma(row),
        "pi": float(row["pi"]),
        "context": facts.context,
        "suggested_triggers": list(facts.triggers),
        **({"claims": [dict(claim) for claim in facts.claims]} if facts.claims else {}),
        "priors_ver": str(row["priors_ver"]),
        "provenance": _provenance(row, facts),
        "card_ref": facts.card_ref,
    }


def meta_payload(row: Row, facts: SignalFacts) -> Payload:
    """Return the budget cues of a published row: values without sign."""
    return {
        "schema_ver": META_FITTED if facts.asymmetry_weights else META,
        **_identity(row),
        "ms_kairos": _null(row["kairos"]),
        "ms_entrain_r": _null(row["entrain"]),
        "ms_uncert": float(row["uncert"]),
        "ms_hbar": float(row["kr_hbar"]),
        "ms_asym_score": facts.asymmetry_score,
        "ms_asym_components": {name: facts.asymmetry.get(name, 0.0) for name in ASYMMETRY},
        "ms_asym_absent": [name for name in ASYMMETRY if name not in facts.asymmetry],
        **_fitted(facts),
        "provenance": _provenance(row, facts),
        "card_ref": facts.card_ref,
    }


BUILDERS: Mapping[str, Callable[[Row, SignalFacts], Payload]] = {
    SIGBUS: sigbus_payload,
    DET_ALPHA: det_alpha_payload,
    META: meta_payload,
}

_QUALITY = {
    name: name
    for name in (
        "sq_score", "kr_hbar", "kr_coherence", "kr_phi", "kr_theta", "kr_rho", "kr_emergence", "kr_novelty",
        "kr_delta_phi", "phi_mult", "crowd_share",
    )
} | {"theta_1": "theta1", "theta_2": "theta2"}  # fmt: skip


@cache
def _validators(schema_ver: str) -> tuple[Callable[[Payload], object], ...]:
    """Return the compiled schema without its cross conditions, then whole: a wrong member is named before its kin."""
    whole = signal_schema(schema_ver)
    return tuple(fastjsonschema.compile(s, use_default=False, use_formats=False) for s in (_members_only(whole), whole))


def _members_only(schema: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in schema.items() if name not in ("allOf", "not")}
    if "properties" in kept:
        kept["properties"] = {name: _members_only(member) for name, member in kept["properties"].items()}
    return kept


def _identity(row: Row) -> Payload:
    return {
        "event_id": str(row["event_id"]),
        "branch": str(row["branch"]),
        "detector_id": str(row["detector_id"]),
        "spec_version": int(row["spec_version"]),
        "asset": str(row["asset"]),
        "asof_ts": _utc(int(row["window_end_ms"])),
    }


def _direction(row: Row, facts: SignalFacts) -> Payload:
    s = float(row["s"])
    return {
        "signal": s,
        "direction": (s > 0.0) - (s < 0.0),
        "strength": abs(s),
        "horizon_s": int(row["horizon_s"]),
        "band_s": list(facts.band_s),
    }


def _sigma(row: Row) -> Payload:
    return {
        "det_sigma": float(row["det_sigma"]),
        "curated_sigma": min(float(mathx.exp(float(row["ln_sigma_tilde"]))), 1.0),
    }


def _curation(facts: SignalFacts) -> Payload:
    """Return who vetoes and who nudges by an act in force, each by its name, and what the nudges come to."""
    if not facts.nudges and not facts.barred:
        return {}
    nudges = [{"actor": actor, "log": log} for actor, log in sorted(facts.nudges.items())]
    return {"curation": {"vetoes": list(facts.barred), "nudges": nudges, "log": facts.nudge}}


def _fitted(facts: SignalFacts) -> Payload:
    """Return what fitted weights add to the cues: the score on the side of the trend, 0 on the other, and the weights.

    Both sides are null where the score or the trend is.
    """
    if not facts.asymmetry_weights:
        return {}
    score, trend = facts.asymmetry_score, facts.trend
    sides: Payload = {"ms_asym_up": None, "ms_asym_down": None}
    if score is not None and math.isfinite(trend):
        sides = {"ms_asym_up": score if trend > 0.0 else 0.0, "ms_asym_down": score if trend < 0.0 else 0.0}
    return {**sides, "ms_asym_weights": dict(facts.asymmetry_weights)}


def _provenance(row: Row, facts: SignalFacts) -> Payload:
    return {
        "window": {"start_ms": int(row["window_start_ms"]), "end_ms": int(row["window_end_ms"])},
        "close_recv_ns": str(int(row["close_recv_ns"])),
        "close_seq": int(row["close_seq"]),
        "recipe_hash": facts.recipe_hash,
        "experts_ver": facts.experts_ver,
        "data_fingerprint": facts.data_fingerprint,
    }


def _null(value: float) -> float | None:
    return None if value != value else float(value)


def _utc(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03d}Z"


def _not_finite(value: object, path: str) -> str:
    """Return the path of the first number that is not finite, "" when there is none."""
    if isinstance(value, float):
        return "" if math.isfinite(value) else path
    inner: list[tuple[str, object]] = []
    if isinstance(value, dict):
        inner = [(f"{path}.{key}", item) for key, item in value.items()]
    elif isinstance(value, list):
        inner = [(f"{path}[{k}]", item) for k, item in enumerate(value)]
    return next((broken for name, item in inner if (broken := _not_finite(item, name))), "")


def _shown(value: object) -> str:
    """Return the value that was found, "" for objects and lists (the message names the member)."""
    return "" if isinstance(value, dict | list) else f", not {str(value)[:80]!r}"
