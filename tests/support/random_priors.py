"""Versions of priors drawn at random, and an oracle that applies them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lotus.priors.types import (
    MAX_GATE,
    MAX_LEVEL,
    ActiveBraid,
    FieldCaps,
    Patch,
    PriorsVersion,
    Rule,
    priors_version,
)
from lotus.priors.vocabulary import N_BINS, NULL_BIN, literals_of

DETECTORS = ("a", "b")
OPS = ("RULE", "UNION", "INTERSECT", "EXCEPT", "ATTENUATE", "LIFT_ONLY", "PENALTY_ONLY")


def random_rule(rng: np.random.Generator) -> Rule:
    """A rule of one to three random literals."""
    features = rng.choice(12, rng.integers(1, 4), replace=False)
    return Rule.of(*(literals_of(int(f))[rng.integers(len(literals_of(int(f))))] for f in features))


def random_bins(rng: np.random.Generator) -> np.ndarray:
    """Twelve bins, a tenth of them null."""
    bins = np.array([rng.integers(n) for n in N_BINS], dtype=np.uint8)
    bins[rng.random(12) < 0.1] = NULL_BIN
    return bins


def random_version(
    rng: np.random.Generator, micros: int = 8, metas: int = 3, start: int = 0, detectors: Sequence[str] = DETECTORS
) -> PriorsVersion:
    """A version with micro braids on every detector, meta braids of every operator and sometimes a field braid."""
    made: list[ActiveBraid] = []
    for d in detectors:
        own = []
        for k in range(micros):
            patch = Patch(float(rng.uniform(-0.12, 0.12)), float(rng.uniform(1 / 1.06, 1.06)))
            span = (int(rng.integers(0, 500)), int(rng.integers(500, 1000)))
            own.append(ActiveBraid(f"{d}{k}", "micro", d, 30, random_rule(rng), patch, (), *span))
        made += own
        for k in range(metas):
            op = OPS[rng.integers(len(OPS))]
            n = 1 if op in OPS[4:] else 2
            parents = tuple(own[i].braid_id for i in rng.choice(micros, n, replace=False))
            weights = tuple(float(w) for w in rng.uniform(0.01, 1.0, n)) if op == "UNION" else ()
            made.append(
                ActiveBraid(
                    f"{d}m{k}", "meta", d, 30, random_rule(rng), Patch(0.05, 0.97), parents,
                    op=op, weights=weights, strength=float(rng.uniform(0.1, 1.0)),
                )
            )  # fmt: skip
        if rng.random() < 0.5:
            caps = FieldCaps(float(rng.uniform(0.95, 1.05)), float(rng.uniform(0.95, 1.05)))
            made.append(ActiveBraid(f"{d}f", "field", d, 30, Rule(), Patch(), (), caps=caps))
    return priors_version("main", start, tuple(made))


def trusted(rng: np.random.Generator, version: PriorsVersion, share: float = 0.5) -> PriorsVersion:
    """The version with a gate on every braid that may have one, and a level on about `share` of them."""

    def with_trust(braid: ActiveBraid) -> ActiveBraid:
        if braid.braid_type == "field":
            return braid
        level = int(rng.integers(1, MAX_LEVEL + 1)) if rng.random() < share else 0
        return replace(braid, level=level, patch=replace(braid.patch, gate=float(rng.uniform(-MAX_GATE, MAX_GATE))))

    return priors_version(version.branch, version.effective_from_ms, tuple(map(with_trust, version.braids)))
