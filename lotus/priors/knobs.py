"""Knobs of policy and execution under the priors: which multipliers hold in one context.

The decision and trading modules ask here what their own constants are to be multiplied with; the same rules, life and
caps as for scores, other keys. Nothing of a detector's score is touched here.
"""

import math
from collections.abc import Mapping, Sequence

from lotus.manifest import WeaveDefaults
from lotus.priors.trace import composed, fires
from lotus.priors.types import ActiveBraid, PriorsVersion, Scope


def knob_values(
    version: PriorsVersion, scope: Scope, owner: str, bins: Sequence[int], time_ms: int, weave: WeaveDefaults
) -> dict[str, float]:
    """Return the multiplier of every knob that a braid of `scope` (or cross) moves for `owner` in this context.

    `owner` is the detector or policy that the braids name. A meta braid that fires replaces its parents, knobs
    composing as phi does; multipliers of the rest multiply; each product stays within 1 / phi_total and phi_total. A
    knob that no firing braid moves is absent.
    """
    own_braids = [
        braid
        for braid in version.braids
        if braid.detector_id == owner
        and braid.scope in (scope, "cross")
        and braid.effective_from_ms <= time_ms < braid.expires_at_ms
    ]
    hold = {b.braid_id: b for b in own_braids if b.braid_type != "meta" and _holds(b, bins)}
    metas = [b for b in own_braids if b.braid_type == "meta" and fires(b.op, [name in hold for name in b.parents])]
    replaced = {name for meta in metas for name in meta.parents}
    logs: dict[str, float] = {}
    for braid in (*metas, *(b for name, b in hold.items() if name not in replaced)):
        for key, mult in _moved(braid, hold).items():
            logs[key] = logs.get(key, 0.0) + math.log(mult)
    limit = math.log(weave.phi_total)
    return {key: math.exp(max(-limit, min(limit, value))) for key, value in sorted(logs.items())}


def owner_in(owner: str, detector_id: str) -> str:
    """Return what a composition across modules names: the owner of a knob, in the plans of one detector.

    >>> owner_in("execution.entry_style", "sweep")
    'execution.entry_style@sweep'
    """
    return f"{owner}@{detector_id}"


def composed_knob(
    version: PriorsVersion, owner: str, detector_id: str, key: str, bins: Sequence[int], time_ms: int
) -> tuple[float, str] | None:
    """Return the multiplier that a composition sets for a detector's plans in this context, and its braid.

    It stands in the place of what the owner's own braids say. Of several that fire the least counts, ties by braid.
    None where none fires.
    """
    name = owner_in(owner, detector_id)
    firing = (
        braid
        for braid in version.braids
        if braid.scope == "cross"
        and braid.detector_id == name
        and braid.effective_from_ms <= time_ms < braid.expires_at_ms
        and _holds(braid, bins)
    )
    return min(((braid.patch.knob(key), braid.braid_id) for braid in firing), default=None)


def _holds(braid: ActiveBraid, bins: Sequence[int]) -> bool:
    return all(literal.holds(int(bins[literal.feature])) for literal in braid.rule.literals)


def _moved(braid: ActiveBraid, hold: Mapping[str, ActiveBraid]) -> dict[str, float]:
    """Return the multipliers of a firing braid; those of a meta braid come from its parents in `hold`."""
    if braid.braid_type != "meta":
        return {knob.key: knob.mult for knob in braid.patch.knobs}
    weights = braid.weights or (1.0,) * len(braid.parents)
    firing = [(hold[name].patch, w) for name, w in zip(braid.parents, weights, strict=True) if name in hold]
    if braid.op not in ("UNION", "INTERSECT"):
        firing = firing[:1]
    keys = {knob.key for patch, _ in firing for knob in patch.knobs}
    shares = [weight for _, weight in firing]
    return {k: composed(braid.op, [(0.0, p.knob(k)) for p, _ in firing], shares, braid.strength)[1] for k in keys}
