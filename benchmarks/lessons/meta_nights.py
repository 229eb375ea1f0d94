"""Compositions under nightly slots: false ones, and how often and when a true one is found, over their whole life.

`python -m benchmarks.lessons.meta_nights --seeds 1-400`. Two braids with the rules A and B act from night 20 of a
budget year on; their INTERSECT and their UNION start together and are counted. Every night the windows of a day are
taken in, both enter the family, the night's slots are spent and verdicts given by the product's own functions, until
one is promoted or both ended (60 nights at most). The rules of the cube are left out: with them the bar is never lower,
so a rate shown here is the largest that the slots can give. The slots of the nights before went to draws. Worlds: those
of `meta`.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.lessons import meta
from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import ROOT, Study
from benchmarks.lessons.worlds import Figures
from lotus.learning.lanes import Both
from lotus.learning.members import joint
from lotus.learning.slots import SlotState, allowance, nightly_look
from lotus.manifest import LearningDefaults, WeaveDefaults
from lotus.priors.types import Op, Patch, Rule
from lotus.timebase import next_day
from lotus.weave.braid import Braid, Quality
from lotus.weave.composition import Parts
from lotus.weave.meta import MetaCandidate, MetaState, closed, judged, members, observed

SOON = 20  # days out of sample
OPS: tuple[Op, ...] = ("INTERSECT", "UNION")
TRUE = {"conjunction": "INTERSECT", "siblings": "UNION"}


@dataclass(frozen=True, slots=True)
class Nights:
    """A world of `meta`, its size, the night on which the compositions start, and what the learner is set to."""

    world: str
    windows: int = meta.WINDOWS
    effect_bps: float = 6.0
    first_night: int = 20
    learning: LearningDefaults = field(default_factory=LearningDefaults)
    weave: WeaveDefaults = field(default_factory=WeaveDefaults)


def life(setting: Nights, seed: int) -> Figures:
    """Return whether a false composition was promoted, whether the true one was, and on which day of its life."""
    _, world = meta.WORLDS[setting.world]
    board = [_parent("a", meta.A), _parent("b", meta.B)]
    parts = Parts((meta.A, meta.B), (0.4, 0.4), (0.5, 0.5))
    state = MetaState(
        tuple(
            MetaCandidate(op, "d", op, ("a", "b"), parts, 0.25, meta.START, counted)
            for counted, op in enumerate(OPS, 1)
        ),
        started=2,
    )
    spent, day, night = _spent(setting, seed), meta.START, setting.first_night
    slots = Both(spent, spent)
    promoted: dict[str, int] = {}
    while state.running and not promoted:
        day, night = next_day(day), night + 1
        rows = meta.day_rows(day, seed, world, setting.effect_bps, setting.windows)
        state = observed(state, board, {"d": rows}, day)
        candidates, none = members(state, setting.learning), np.full(setting.learning.draws, -np.inf)
        looks = []
        for lane in (0, 1):
            real, draws = joint(-np.inf, none, [(m.m[lane], m.draws[lane]) for m in candidates])
            looks.append(nightly_look(slots[lane], night, real, draws, setting.learning.alpha))
        slots = Both(looks[0].state, looks[1].state)
        bars = Both(looks[0].critical, looks[1].critical)
        verdicts = judged(state, board, bars, setting.learning, setting.weave)
        promoted = {c.candidate_id: c.days for c in verdicts if c.verdict == "promoted"}
        state = closed(state, verdicts)
    true = TRUE.get(setting.world, "")
    return {
        "false": int(bool(promoted.keys() - {true})),
        "found": int(true in promoted),
        "soon": int(promoted.get(true, SOON + 1) <= SOON),
        "days": max(promoted.values(), default=0),
        "crossed": int(all(0 in lane.crossed for lane in slots)),
    }


def _spent(setting: Nights, seed: int) -> SlotState:
    """Return the slots as the nights before left them: spent on draws, which is all that a null family does."""
    used = allowance(setting.first_night, setting.learning.draws, setting.learning.alpha)
    picked = np.random.default_rng([seed, 1]).choice(setting.learning.draws, used, replace=False) + 1
    return SlotState(used, tuple(int(path) for path in picked))


def _parent(name: str, rule: Rule) -> Braid:
    patch = Patch(-0.03, 1.02)
    return Braid(
        braid_id=name,
        branch="b",
        braid_type="micro",
        detector_id="d",
        horizon_s=30,
        rule=rule,
        sign=1,
        lesson_id=name,
        grade="B",
        claim_bps=5.0,
        lcb_bps=2.0,
        ci95=(2.0, 8.0),
        support=500,
        quality=Quality(0.5, 0.0, 0.0, 0.1),
        target=patch,
        patch=patch,
        delta_wanted=0.4,
        delta_realised=(0.4, 0.4, 0.4),
        state="active",
        reason="accepted lesson",
        effective_from_ms=0,
        expires_at_ms=2**52,
        members_sample=(),
    )


_WEAVE = ROOT / "lotus" / "weave"
_HERE = (Path(__file__), Path(meta.__file__), _WEAVE / "meta.py", _WEAVE / "composition.py")


def _study(name: str, world: str) -> Study:
    small = Nights(world, 300, 12.0, learning=LearningDefaults(draws=100), weave=WeaveDefaults(meta_max_days=24))
    return Study(name, Nights(world), life, _HERE, small, 0.5)


STUDIES = {
    name: _study(name, world)
    for name, world in (
        ("meta-nothing", "nothing"),
        ("meta-first", "first"),
        ("meta-conjunction", "conjunction"),
        ("meta-siblings", "siblings"),
    )
}
CLAIMS = [
    Claim("meta-nothing", "a false composition over 60 nights, neither rule pays", total("false"), 0.05),
    Claim("meta-first", "a false composition over 60 nights, only the first pays", total("false"), 0.05),
    Claim("meta-conjunction", "a true conjunction found within 60 nights, e = .5 sd", total("found")),
    Claim("meta-conjunction", "found within 20 days", total("soon")),
    Claim("meta-siblings", "a true pair of siblings found within 60 nights, e = .5 sd", total("found")),
    Claim("meta-siblings", "found within 20 days", total("soon")),
    Claim("meta-conjunction", "a false composition where a true one is", total("false"), 0.05),
    Claim("meta-siblings", "a false composition where a true one is", total("false"), 0.05),
]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
