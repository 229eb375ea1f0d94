"""Other people's methods in the same worlds, same machine, same run: do they report rules where there are none?

`python -m benchmarks.lessons.peers --row peer-lotus --seeds 1-30`. Null, confounded and planted world of a seed (40
days, e = .5 sd); each method hands over its rules as masks over the windows, found as its users would: no correction
that it does not have itself. A method of a package that is not installed is skipped. Time is CPU time of the method
alone, a world; memory is the peak of the process so far, so run one method a process to compare it.
"""

import importlib.util
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.lessons.claims import Claim, sums, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import Study
from benchmarks.lessons.peer_methods import METHODS, Found
from benchmarks.lessons.worlds import ONE_LOOK, Figures
from lotus.learning.rows import DetectorRows, rows_by_detector
from lotus.manifest import LearningDefaults
from lotus.priors.types import Rule
from lotus.simulation.learning_world import FULL_DAY, market, planted_rules, scores_of, track


@dataclass(frozen=True, slots=True)
class Contest:
    """A method and the worlds it meets."""

    method: str
    days: int = 40
    windows: int = FULL_DAY
    effect_bps: float = 6.0
    learning: LearningDefaults = ONE_LOOK


def measure(contest: Contest, seed: int) -> Figures:
    """Return whether the method reports anything in null and confounded worlds, and what of the planted it finds."""
    place = market(seed, contest.days, contest.windows)
    lessons = planted_rules(seed, place, contest.effect_bps)
    out: Figures = {}
    took = 0.0
    for kind in ("null", "conf", "plant"):
        one = track(place, kind, lessons=lessons if kind == "plant" else ())
        scores = scores_of(place, one)
        rows = rows_by_detector(scores, contest.days)["d0"]
        began = time.process_time()
        found = METHODS[contest.method].run(scores, rows, contest.learning)
        took += time.process_time() - began
        if kind == "plant":
            out |= _recovered(rows, found, lessons)
        else:
            out[f"{kind}_any"] = int(bool(found))
    scale = 1024.0 if sys.platform == "linux" else 1024.0**2
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
    return out | {"cpu_s": round(took / 3.0, 3), "peak_mb": round(peak)}


def _recovered(rows: DetectorRows, found: Sequence[Found], lessons: Sequence[tuple[Rule, float]]) -> Figures:
    out: Figures = {"rules": len(found)}
    for rule, bps in lessons:
        truth, size = rows.covered(rule), len(rule.literals)
        same = [x for x in found if x.sign == np.sign(bps)]
        out[f"found{size}"] = int(any(_jaccard(x.mask, truth) >= 0.5 for x in same))
        out[f"exact{size}"] = int(any(bool((x.mask == truth).all()) for x in same))
    return out


def _jaccard(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


def installed(method: str) -> bool:
    """Tell whether the package of a method is there."""
    package = METHODS[method].package
    return not package or importlib.util.find_spec(package) is not None


_HERE = tuple(Path(__file__).with_name(name) for name in ("peers.py", "peer_methods.py"))
STUDIES = {
    f"peer-{name}": Study(
        f"peer-{name}", Contest(name), measure, _HERE, replace(Contest(name), days=12, windows=432), METHODS[name].cost
    )
    for name in METHODS
}
_LENGTHS = (1, 2, 3)
CLAIMS = [
    claim
    for name in STUDIES
    for claim in (
        Claim(name, "reports a rule in a null world", total("null_any")),
        Claim(name, "reports a rule in a confounded world", total("conf_any")),
        Claim(name, "found, e = .5 sd, 40 d", sums([f"found{n}" for n in _LENGTHS])),
        Claim(name, "exact windows", sums([f"exact{n}" for n in _LENGTHS])),
    )
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the methods that are installed; say which are not."""
    there = {name: study for name, study in STUDIES.items() if installed(study.setting.method)}
    for name in STUDIES.keys() - there.keys():
        print(f"{name}: skipped, {METHODS[STUDIES[name].setting.method].package} is not installed", file=sys.stderr)
    return command(there, [c for c in CLAIMS if c.study in there], __doc__ or "", arguments)


if __name__ == "__main__":
    raise SystemExit(main())
