"""Weights of asymmetry as acts: what the weekly refit sets for the week from its first free day on.

A refit that finds nothing better renews what is in force, and where the shipped weights hold or win it says nothing:
what was set ends by itself. A person who lifts one of its acts puts the shipped weights back, and while the lift holds
nothing is set anew. Pure; the fit is `lotus.detectors.asymmetry_fit`.
"""

from collections.abc import Sequence

from lotus.curation.act import CurationAct, CurationKind
from lotus.curation.law import REFIT, check_act
from lotus.curation.night import ended, held_back_by
from lotus.curation.registry import powers
from lotus.detectors.asymmetry_fit import SHIPPED
from lotus.detectors.meta_signals import MEASURED
from lotus.timebase import next_day

IN_FORCE_DAYS = 7


def weight_acts(
    branch: str,
    day: str,
    from_day: str,
    weights: Sequence[float],
    reason: str,
    earlier: Sequence[CurationAct],
    standing: Sequence[CurationAct],
) -> list[CurationAct]:
    """Return what is to be written that `weights` are in force from `from_day` on; nothing where it stands already.

    `earlier`: acts that this night decided before; `standing`: people's lifts and the acts that they name. Shipped
    weights set nothing, and lift what the same night set before.
    """
    own = [act for act in earlier if act.actor == REFIT]
    gone = {act.revokes for act in own if act.kind == CurationKind.LIFT}
    decided = {(act.target, act.value): act for act in own if act.kind == CurationKind.WEIGHT}
    is_held = any(actor == REFIT for actor, _, _ in held_back_by(standing, from_day, day))
    values = () if is_held or tuple(weights) == SHIPPED else tuple(zip(MEASURED, weights, strict=True))
    until_day = next_day(from_day, IN_FORCE_DAYS)
    fresh = [
        check_act(
            CurationAct(
                "", branch, day, REFIT, CurationKind.WEIGHT, name, value, reason, f"meta_signals[{day}]", from_day,
                until_day,
            ),
            powers(), None,
        ).named()
        for name, value in values
        if (name, value) not in decided
    ]  # fmt: skip
    ends = [act for key, act in decided.items() if key not in values and act.act_id not in gone]
    return [*fresh, *(ended(act, from_day) for act in ends if from_day < act.until_day)]
