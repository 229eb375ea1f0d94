"""The lessons of a report of one's own events as the data of an export: tilts, edges of the next day, a test vector."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lotus.errors import BeliefError
from lotus.manifest import Manifest
from lotus.own_signals.config import OTHER
from lotus.own_signals.groups import Grouping
from lotus.own_signals.recent import LastDays
from lotus.priors.types import MAX_LEVEL
from lotus.priors.vocabulary import NULL_BIN, Feature, Vocabulary, describe_rule
from lotus.timebase import DAY_MS
from lotus_lab.advice import Advised
from lotus_lab.export.carried import FORMAT, hash_of
from lotus_lab.export.home import VALID_DAYS, caps_data

_THETA, _ROWS = 0.5, 12


def own_data(
    advised: Sequence[Advised],
    detectors: Sequence[str],
    vocabulary: Vocabulary,
    recent: LastDays,
    groups: Mapping[str, Grouping],
    valid_days: int = VALID_DAYS,
) -> dict[str, Any]:
    """Return the data of an export of advised lessons, in force from the day after the last of the events on.

    `detectors` are all that were learned from: one without a lesson is advised nothing, and is no unknown one.
    Raises `BeliefError` when no lesson has a tilt.
    """
    acting = [x for x in advised if x.tilt]
    if not acting:
        reasons = "; ".join(x.reason for x in advised) or "no lesson passed"
        raise BeliefError("no lesson has a tilt", "one or more", reasons)
    start, manifest = recent.next_day * DAY_MS, Manifest()
    ends = start + manifest.weave.ttl_days * DAY_MS
    names = tuple(recent.assets)
    edges = {f.name: recent.edges(f) for f in vocabulary.features if f.name in recent.numbers}
    whole = manifest.weave.max_total_tilt
    data: dict[str, Any] = {
        "format": FORMAT,
        "of": f"{len(acting)} lessons of own events",
        "from_ms": start,
        "until_ms": min(start + valid_days * DAY_MS, ends),
        "why_until": f"edges of bins serve {valid_days} days",
        "features": [_feature(f, groups.get(f.name)) for f in vocabulary.features],
        "edges": {asset: {name: own[asset] for name, own in edges.items() if asset in own} for asset in names},
        "groups": {},
        "caps": {**caps_data(manifest), "whole_tilt": [whole] * (MAX_LEVEL + 1)},
        "detectors": {
            name: {
                "temperature": manifest.score.temperature,
                "theta1": _THETA,
                "braids": [_braid(x, vocabulary, start, ends) for x in acting if x.detector_id == name],
            }
            for name in sorted(detectors)
        },
    }
    data["vector"] = _vector(acting, vocabulary, data, whole)
    return {**data, "hash": hash_of(data)}


def _feature(feature: Feature, grouping: Grouping | None) -> dict[str, Any]:
    listed = grouping.values if grouping else tuple((label,) for label in feature.labels)
    rest = feature.labels.index(OTHER) if grouping and OTHER in feature.labels else NULL_BIN
    values = {value: k for k, values_of in enumerate(listed) for value in values_of}
    return {"name": feature.name, "unit": feature.unit, "aligned": False, "values": values, "rest": rest}


def _braid(x: Advised, vocabulary: Vocabulary, start: int, end: int) -> dict[str, Any]:
    return {
        "id": x.lesson_id, "type": "micro", "op": "RULE", "words": describe_rule(x.rule, vocabulary),
        "lesson": x.lesson_id, "rule": [[y.feature, y.low, y.high] for y in x.rule.literals],
        "theta": 0.0, "phi": 1.0, "gate": x.tilt, "level": 1, "parents": [], "weights": [], "strength": 1.0,
        "theta_min_mult": 1.0, "phi_max_mult": 1.0, "from_ms": start, "until_ms": end, "claim_bps": x.claim_bps,
    }  # fmt: skip


def _vector(
    acting: Sequence[Advised], vocabulary: Vocabulary, data: Mapping[str, Any], whole: float
) -> list[dict[str, Any]]:
    rng, rows = np.random.default_rng(len(acting)), []
    for name in sorted({x.detector_id for x in acting}):
        own = [x for x in acting if x.detector_id == name]
        for inside in [*own, *([None] * _ROWS)]:
            bins = [int(rng.integers(0, f.bins)) for f in vocabulary.features]
            for y in inside.rule.literals if inside else ():
                bins[y.feature] = y.low
            held = [x for x in own if all(y.holds(bins[y.feature]) for y in x.rule.literals)]
            tilt = min(max(sum((x.tilt for x in held), 0.0), -whole), whole)
            claim = sum((x.claim_bps for x in held), 0.0)
            advice = [tilt, tilt, _THETA, 1.0, claim, [x.lesson_id for x in held]]
            now_ms = int(rng.integers(data["from_ms"], data["until_ms"]))
            rows.append(
                {
                    "detector": name,
                    "bins": bins,
                    "group": NULL_BIN,
                    "now_ms": now_ms,
                    "theta1": _THETA,
                    "advice": advice,
                }
            )
    return rows
