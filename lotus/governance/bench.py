"""The bench of micro-experts on a Monday: who loses the vote, who of those without one is computed, and the acts.

Voters are measured by masking and never switched to explore. While voters alone cost more than the quota, the one of
the least value per cost loses its vote; with `keep`, so does every voter not in it. Of the experts without a vote those
drawn within what voters leave are computed, others are idle. Pure.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lotus.curation.act import ALLOCATOR, CurationAct, CurationKind
from lotus.curation.law import Subjects, check_act
from lotus.governance.allocator import ArmsSeen, Belief, allocate, believed
from lotus.governance.systematic import Draw
from lotus.timebase import next_day

EXPERT: Final = "expert"
WEEK_DAYS: Final = 7
KEPT_DAYS: Final = 28  # of a vote lost to credit: until it is asked again


@dataclass(frozen=True, slots=True, eq=False)
class ComputeBench:
    """Arms (experts without a vote) in order, their draw, quota and belief; voters that lose their vote, with why."""

    arms: tuple[str, ...]
    draw: Draw
    quota: float
    belief: Belief
    demoted: Mapping[str, str]


def demoted_voters(
    voters: Mapping[str, float], cost: Mapping[str, float], quota: float, keep: Collection[str] | None
) -> dict[str, str]:
    """Return who loses the vote and why; `voters`: pooled value of each, bps a day; `keep`: by credit (None: all)."""
    out = {} if keep is None else {name: "credit" for name in sorted(voters) if name not in keep}
    left = sorted((n for n in voters if n not in out), key=lambda n: (voters[n] / max(cost.get(n, 0.0), 1.0), n))
    spent = sum(cost.get(name, 0.0) for name in left)
    while quota > 0.0 and left and spent > quota:
        name = left.pop(0)
        spent -= cost.get(name, 0.0)
        out[name] = "quota"
    return out


def bench_of(
    voters: Mapping[str, float], off: Sequence[str], cost: Mapping[str, float], quota: float, seen: Sequence[
        tuple[str, Sequence[float], float]], context: Sequence[float], keep: Collection[str] | None,
    name: Sequence[str],
) -> ComputeBench:  # fmt: skip
    """Return the bench of a Monday.

    `off`: experts without a vote; `seen`: (arm, context, reward) of earlier weeks in which it was computed; `name`
    keys the draw. Without a quota everybody on the bench is computed with q = 1.
    """
    demoted = demoted_voters(voters, cost, quota, keep)
    arms = tuple(sorted({*off, *demoted}))
    place = {arm: k for k, arm in enumerate(arms)}
    usable = [one for one in seen if one[0] in place and np.isfinite([*one[1], one[2]]).all()]
    rows = ArmsSeen(
        np.array([place[arm] for arm, _, _ in usable], np.int64),
        np.array([x for _, x, _ in usable], np.float64).reshape(-1, len(context)),
        np.array([r for _, _, r in usable], np.float64),
    )
    left = quota - sum(cost.get(n, 0.0) for n in voters if n not in demoted)
    costs = np.array([cost.get(arm, np.nan) for arm in arms])
    costs = np.where(np.isfinite(costs), costs, np.nan)  # what is not known is drawn least
    now = np.array(context, np.float64)
    belief = believed(rows, now, len(arms))
    if quota <= 0.0 or not arms:
        everybody = Draw(np.ones(len(arms), np.bool_), np.ones(len(arms)))
        return ComputeBench(arms, everybody, left, belief, demoted)
    draw = allocate(rows, now, costs, max(left, 0.0), name)
    return ComputeBench(arms, draw, left, belief, demoted)


def acts_of(bench: ComputeBench, branch: str, day: str, from_day: str, experts: Sequence[str]) -> list[CurationAct]:
    """Return the allocator's acts of a Monday within the law: votes lost, and who is idle until the next one."""
    subjects = Subjects((), (), tuple(experts))
    until = next_day(from_day, WEEK_DAYS)
    evidence, made = f"compute_allocations[{day}]", []
    for expert, why in bench.demoted.items():
        days = KEPT_DAYS if why == "credit" else WEEK_DAYS
        text = {
            "credit": "not shown to pay in two detectors over four weeks",
            "quota": "least value for its cost while voters cost more than the quota",
        }[why]
        made.append((CurationKind.OFF, expert, text, next_day(from_day, days)))
    for expert, drawn, q in zip(bench.arms, bench.draw.drawn.tolist(), bench.draw.q.tolist(), strict=True):
        if not drawn:
            made.append((CurationKind.IDLE, expert, f"not drawn for the week, q = {q:.3f}", until))
    return [
        check_act(
            CurationAct("", branch, day, ALLOCATOR, kind, expert, 0.0, why, evidence, from_day, end),
            {}, subjects,
        ).named()
        for kind, expert, why, end in made
    ]  # fmt: skip
