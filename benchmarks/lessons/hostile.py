"""Ordinary logs on which a careless learner is fooled: what the product's own night says of each, row by row.

`python -m benchmarks.lessons.hostile --row hostile-rare --seeds 1-200 [--json]`: one look at alpha = .04 over 40 days
of `lotus.simulation.hostile_world`, in which nothing is to be found (in `dead`: nothing any more). A world counts as
fooled when any lesson is accepted; what an audit refused and what either lane alone would have said stand beside it.
"""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import ROOT, Study
from benchmarks.lessons.worlds import ONE_LOOK, Figures, manifest_of
from lotus.learning.night import learn_night
from lotus.simulation.hostile_world import KINDS, hostile_scores


@dataclass(frozen=True, slots=True)
class Hostile:
    """A kind of hostile world and its days."""

    kind: str
    days: int = 40


def measure(world: Hostile, seed: int) -> Figures:
    """Return whether the night was fooled, what each lane alone says, and what the audits said."""
    night = learn_night(hostile_scores(world.kind, seed, world.days), manifest_of(ONE_LOOK))
    (audit,) = night.audits
    alone = [best > max(0.0, bar) for best, bar in zip(night.real_maximum, night.critical, strict=True)]
    return {
        "any": int(bool(night.lessons)),
        "proposed": int(bool(night.proposals)),
        "day_alone": int(alone[0]),
        "rest_alone": int(alone[1]),
        "alarm": int(audit.alarm),
        "without_paper": int(bool(audit.paper_note)),
        "asked_earlier": int(bool(audit.results_note)),
        "skewed": int(bool(audit.skew_note)),
    }


_HERE = (Path(__file__), ROOT / "lotus" / "simulation" / "hostile_world.py")
STUDIES = {
    f"hostile-{kind}": Study(f"hostile-{kind}", Hostile(kind), measure, _HERE, Hostile(kind, 12), 1.0) for kind in KINDS
}
CLAIMS = [
    claim
    for name in STUDIES
    for claim in (
        Claim(name, "any false lesson", total("any"), 0.05),
        Claim(name, "lane S alone, before gates and audits", total("day_alone")),
        Claim(name, "lane F alone, the same", total("rest_alone")),
        Claim(name, "blocked by an audit", total("alarm")),
        Claim(name, "any false proposal of the second channel", total("proposed")),
    )
]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
