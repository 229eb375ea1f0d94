"""Family compositions: a lesson about one coin widened to all coins by what its siblings on others say.

Micro braids in force of any detectors, of one sign and one set of axes beside the coin, are a family when they speak of
two coins or detectors or more. Its rule is where the conditions of all of them hold, whatever the coin; its tilt is
their mean, weighed by quality. In each detector whose members all speak of coins it is a candidate to take their place
there: begun, counted and judged as other compositions are (`meta`), against what these members do as they are. What is
promoted is a braid with a patch of its own, for the rule of another detector does not fire in this one. In the
literature: partial pooling over related arms.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lotus.manifest import Manifest
from lotus.priors.asset_context import ASSET, is_about_asset
from lotus.priors.types import Literal, Rule
from lotus.weave.admission import DetectorDay, target_of
from lotus.weave.algebra import union_weights
from lotus.weave.braid import Braid
from lotus.weave.composition import Parts, parts_of

Axes = tuple[int, tuple[int, ...]]  # sign, features beside the coin


def families(micro: Sequence[Braid]) -> list[tuple[Rule, tuple[Braid, ...]]]:
    """Return every family with its rule, members by falling claim; none whose members never hold together."""
    groups: dict[Axes, list[Braid]] = {}
    for braid in sorted(micro, key=lambda b: (-abs(b.claim_bps), b.braid_id)):
        features = tuple(x.feature for x in braid.rule.literals if x.feature != ASSET)
        if features:
            groups.setdefault((braid.sign, features), []).append(braid)
    out = []
    for _, members in sorted(groups.items()):
        rule = _common(members)
        if rule is not None and len({(b.detector_id, _coin(b.rule)) for b in members}) > 1:
            out.append((rule, tuple(members)))
    return out


def widened(members: Sequence[Braid]) -> list[str]:
    """Return the detectors that a family may act in: those whose members all speak of coins."""
    names = sorted({b.detector_id for b in members})
    return [name for name in names if all(is_about_asset(b.rule) for b in members if b.detector_id == name)]


def pooled_tilt(members: Sequence[Braid]) -> float:
    """Return the mean of the members' tilts, weighed as a UNION weighs them."""
    return float(np.average(parts_of(members, ()).tilts, weights=union_weights(members)))


def family_braid(judged: Braid, parts: Parts, parents: Sequence[Braid], day: DetectorDay, manifest: Manifest) -> Braid:
    """Return the braid of a promoted family from that of a composition: a rule and a target of its own.

    Like a lesson it moves toward its target night by night, and acts from its first step on.
    """
    own = next(b for b in parents if b.detector_id == judged.detector_id)
    made = replace(
        judged, rule=parts.rules[0], sign=own.sign, horizon_s=own.horizon_s, delta_wanted=parts.tilts[0], weights=()
    )
    return replace(made, target=target_of(parts.tilts[0], made, day, manifest))


def _coin(rule: Rule) -> tuple[Literal, ...]:
    return tuple(x for x in rule.literals if x.feature == ASSET)


def _common(members: Sequence[Braid]) -> Rule | None:
    """Return the conditions beside the coin under which all members hold, None where they never do."""
    found = []
    for literals in zip(*([x for x in b.rule.literals if x.feature != ASSET] for b in members), strict=True):
        low, high = max(x.low for x in literals), min(x.high for x in literals)
        if low > high:
            return None
        found.append(Literal(literals[0].feature, low, high))
    return Rule(tuple(found))
