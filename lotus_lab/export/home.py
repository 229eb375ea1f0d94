"""The priors in force of a home as the data of an export: rules, caps, edges of the bins, and a test vector.

The vector's answers are those of the kernels that score live (`lotus.priors.compiled`), not of the exported code.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lotus import mathx
from lotus.detectors.daily.asset_groups import groups_by_name
from lotus.detectors.daily.tables import DayTables
from lotus.errors import BeliefError
from lotus.hashing import key64
from lotus.manifest import Manifest
from lotus.priors.asset_context import describe_with, is_about_asset
from lotus.priors.claims import fired_claims, total_of
from lotus.priors.compiled import CAP_TILT, CompiledPriors, apply_priors, caps_of, compile_priors, fired_braids
from lotus.priors.gate import cap_gate, gate_of, level_of
from lotus.priors.segment_context import rule_words
from lotus.priors.types import ActiveBraid, PriorsVersion, scoring
from lotus.priors.vocabulary import DEFAULT, NULL_BIN
from lotus.timebase import DAY_MS, day_start_ms
from lotus_lab.export.carried import FORMAT, hash_of

VALID_DAYS = 2  # edges of bins are made every day
_EVIDENCE = 0.5  # of the micro-experts, where a detector's penalty is not told
_RANDOM_ROWS = 12


def home_data(
    version: PriorsVersion,
    tables: DayTables,
    manifest: Manifest,
    claims_bps: Mapping[str, float],
    valid_days: int = VALID_DAYS,
) -> dict[str, Any]:
    """Return the data of an export of a version with the newest tables; `claims_bps` by braid.

    It is valid from the version's swap for `valid_days` days after the day of the tables, and no longer than its last
    braid. Raises `BeliefError` for a version without a rule that acts on a score, and for one about a segment.
    """
    braids = {name: scoring(version, name) for name in tables.detector_ids}
    acting = [b for own in braids.values() for b in own]
    if not acting:
        raise BeliefError(
            f"priors {version.priors_ver} hold no rule that acts on a score", "one or more", "no lesson yet"
        )
    if tables.segments and any(is_about_asset(b.rule) for b in acting):
        found = f"priors {version.priors_ver} hold a rule about a segment"
        raise BeliefError(found, "rules of the twelve features and of coins", "an export carries no list of segments")
    edges_end = day_start_ms(tables.day) + (1 + valid_days) * DAY_MS
    last = max(b.expires_at_ms for b in acting)
    if min(edges_end, last) <= version.effective_from_ms:
        found = f"edges of {tables.day} serve until {edges_end} ms, the last rule until {last} ms"
        begins = f"a time after {version.effective_from_ms} ms, when the version begins"
        raise BeliefError(found, begins, "a day that is not scored yet, or rules that ended")
    words = rule_words(manifest)
    data: dict[str, Any] = {
        "format": FORMAT,
        "of": f"branch {version.branch}, priors {version.priors_ver}, tables {tables.tables_ver} of {tables.day}",
        "from_ms": version.effective_from_ms,
        "until_ms": min(edges_end, last),
        "why_until": f"edges of {tables.day} serve {valid_days} days" if edges_end < last else "the last rule ends",
        "features": [
            {"name": f.name, "unit": f.unit, "aligned": f.aligned, "values": {}, "rest": NULL_BIN}
            for f in DEFAULT.features
        ],
        "edges": {
            asset: {f.name: list(e) for f, e in zip(DEFAULT.features, own, strict=True)}
            for asset, own in zip(tables.assets, tables.edges, strict=True)
        },
        "groups": {name: int(group) for name, group in groups_by_name(tables).items()},
        "caps": caps_data(manifest),
        "detectors": {
            name: {
                "temperature": tables.temperature[d],
                "theta1": max(0.0, tables.theta0[d] - manifest.score.gamma_mx * _EVIDENCE),
                "braids": [
                    braid_data(b, claims_bps.get(b.braid_id), describe_with(b.rule, words)) for b in braids[name]
                ],
            }
            for d, name in enumerate(tables.detector_ids)
        },
    }
    data["vector"] = _vector(version, data, manifest, claims_bps)
    return {**data, "hash": hash_of(data)}


def caps_data(manifest: Manifest) -> dict[str, Any]:
    """Return the caps and exponents that the kernels read."""
    theta_total, phi_total, theta_min, theta_max, *whole, _ = caps_of(manifest.weave).tolist()
    return {
        "theta_total": theta_total, "phi_total": phi_total, "theta_min": theta_min, "theta_max": theta_max,
        "whole_tilt": whole, "penalty_a": manifest.score.penalty_a, "sq_share": manifest.score.sq_share,
    }  # fmt: skip


def braid_data(braid: ActiveBraid, claim_bps: float | None, words: str) -> dict[str, Any]:
    """Return one braid as plain values, in canonical order of its detector's braids."""
    return {
        "id": braid.braid_id, "type": braid.braid_type, "op": braid.op, "words": words, "lesson": braid.lesson_id,
        "rule": [[x.feature, x.low, x.high] for x in braid.rule.literals],
        "theta": braid.patch.theta_delta, "phi": braid.patch.phi_mult, "gate": braid.acting_gate, "level": braid.level,
        "parents": list(braid.parents), "weights": list(braid.weights), "strength": braid.strength,
        "theta_min_mult": braid.caps.theta_min_mult, "phi_max_mult": braid.caps.phi_max_mult,
        "from_ms": braid.effective_from_ms, "until_ms": braid.expires_at_ms,
        "claim_bps": claim_bps if braid.braid_type == "micro" else None,
    }  # fmt: skip


def _vector(
    version: PriorsVersion, data: Mapping[str, Any], manifest: Manifest, claims_bps: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Return windows with the answers of the kernels: one inside each rule, and some at random, by a fixed seed."""
    detectors = sorted(name for name, own in data["detectors"].items() if own["braids"])
    compiled, caps = (
        compile_priors(version, list(dict.fromkeys([*detectors, *_others(version)]))),
        caps_of(manifest.weave),
    )
    rng = np.random.default_rng(key64("vector", version.priors_ver))
    rows = []
    for d, name in enumerate(detectors):
        own = data["detectors"][name]
        anywhere = {"rule": [], "from_ms": data["from_ms"], "until_ms": data["until_ms"]}
        for braid in [*own["braids"], *([anywhere] * _RANDOM_ROWS)]:
            bins = rng.integers(0, 3, len(DEFAULT.features) + 1).astype(np.uint8)
            for feature, low, _ in braid["rule"]:
                bins[feature] = low
            begin, end = max(data["from_ms"], braid["from_ms"]), min(data["until_ms"], braid["until_ms"])
            now_ms = int(rng.integers(begin, end)) if begin < end else data["from_ms"]
            theta1 = round(float(rng.uniform(0.05, 0.85)), 6)
            advice = kernel_advice(compiled, d, bins, theta1, now_ms, caps, own["temperature"], manifest)
            claims = fired_claims(version, name, advice[4], claims_bps)
            names = [b.braid_id for b in fired_braids(version, name, advice[4])]
            rows.append({
                "detector": name, "bins": bins[:-1].tolist(), "group": int(bins[-1]), "now_ms": now_ms,
                "theta1": theta1, "advice": [*advice[:4], total_of(claims)[0], names],
            })  # fmt: skip
    return rows


def _others(version: PriorsVersion) -> Sequence[str]:
    return sorted({b.detector_id for b in version.braids if b.scope == "sig"})


def kernel_advice(
    compiled: CompiledPriors,
    detector: int,
    bins: "np.typing.NDArray[np.uint8]",
    theta1: float,
    now_ms: int,
    caps: "np.typing.NDArray[np.float64]",
    temperature: float,
    manifest: Manifest,
) -> tuple[float, float, float, float, int]:
    """Return (tilt, gate, theta', phi', mask of braids) of one window as the daemon has them; `bins` [12 and group]."""
    arrays = compiled.braids, compiled.first, compiled.count, 0, detector
    theta2, phi, fired = apply_priors(*arrays, bins[:-1], theta1, now_ms, caps, int(bins[-1]))
    gain = mathx.log(phi) + manifest.score.penalty_a * mathx.log((1.0 - theta2) / (1.0 - theta1))
    limit = float(caps[CAP_TILT])
    tilt = min(max((1.0 - manifest.score.sq_share) * gain / temperature, -limit), limit) if temperature > 0.0 else 0.0
    level = level_of(*arrays, fired)
    gate = cap_gate(gate_of(*arrays, fired), tilt, level, caps) if level and temperature > 0.0 else 0.0
    return tilt + gate, gate, theta2, phi, int(fired)
