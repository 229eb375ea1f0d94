"""The policy in force: the file's values, with the two knobs moved as the decision-maker's priors say in a context.

Nothing is decided here. What a braid is and how knobs compose is `lotus.priors.knobs`.
"""

from collections.abc import Sequence

from lotus.decision.policy.policy import PREFIX, Policy
from lotus.knobs.experiment import KnobExperiment
from lotus.manifest import WeaveDefaults
from lotus.priors.knobs import knob_values
from lotus.priors.types import PriorsVersion


def moved_knobs(
    policy: Policy, version: PriorsVersion, bins: Sequence[int], time_ms: int, weave: WeaveDefaults
) -> dict[str, float]:
    """Return the multiplier of each knob of a policy that a version moves at an event time in a context (bins [12])."""
    moved: dict[str, float] = {}
    for name, _ in policy.knobs if version.braids else ():
        multipliers = knob_values(version, "dm", policy.owner_of(name), bins, time_ms, weave)
        moved |= {key: mult for key, mult in multipliers.items() if key == PREFIX + name and mult != 1.0}
    return moved


def policy_in_force(
    policy: Policy,
    version: PriorsVersion,
    bins: Sequence[int],
    time_ms: int,
    weave: WeaveDefaults,
    trial: KnobExperiment | None = None,
) -> Policy:
    """Return the policy that decides at an event time in a context; the very same one when nothing is moved.

    `bins` are those of the market (`lotus.priors.context.market_context`), for a policy is of the whole book. The knob
    under experiment is moved by its `trial` alone.
    """
    moved = moved_knobs(policy, version, bins, time_ms, weave)
    if trial is not None:
        moved = {key: mult for key, mult in moved.items() if key != trial.key}
        moved |= {trial.key: trial.mult} if trial.arm else {}
    return policy.with_knobs(moved) if moved else policy
