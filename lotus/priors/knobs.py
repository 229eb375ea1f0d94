"""Knobs of policy and execution under the priors: which multipliers hold in one context.

The decision and trading modules ask here what their own constants are to be multiplied with; the same rules, life and
caps as for scores, other keys. Nothing of a detector's score is touched here.
"""

import math
from collections.abc import Sequence

from lotus.manifest import WeaveDefaults
from lotus.priors.types import PriorsVersion, Scope


def knob_values(
    version: PriorsVersion, scope: Scope, owner: str, bins: Sequence[int], time_ms: int, weave: WeaveDefaults
) -> dict[str, float]:
    """Return the multiplier of every knob that a braid of `scope` (or cross) moves for `owner` in this context.

    `owner` is the detector or policy that the braids name. Multipliers of several braids multiply; each product stays
    within 1 / phi_total and phi_total. A knob that no firing braid moves is absent.
    """
    logs: dict[str, float] = {}
    for braid in version.braids:
        due = braid.effective_from_ms <= time_ms < braid.expires_at_ms
        if braid.detector_id != owner or braid.scope not in (scope, "cross") or not due:
            continue
        if all(literal.holds(int(bins[literal.feature])) for literal in braid.rule.literals):
            for knob in braid.patch.knobs:
                logs[knob.key] = logs.get(knob.key, 0.0) + math.log(knob.mult)
    limit = math.log(weave.phi_total)
    return {key: math.exp(max(-limit, min(limit, value))) for key, value in sorted(logs.items())}
