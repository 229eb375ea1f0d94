"""Does the nightly audit stay silent for an honest log and speak for a wrong one? Twenty days, one detector.

`python -m benchmarks.lessons.audits --seeds 1-200`: honest; logged propensity a tenth too high in high volatility;
a policy that is deterministic but logs a logistic propensity. Two nights follow one another, because a rule beyond
every draw counts only when it is so twice.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import Study
from benchmarks.lessons.worlds import ONE_LOOK, Figures
from lotus.learning.audit_sums import audit_day
from lotus.learning.audits import audit
from lotus.learning.lesson import AuditState
from lotus.learning.rows import rows_by_detector
from lotus.learning.signs import day_signs
from lotus.manifest import LearningDefaults
from lotus.simulation.learning_world import FULL_DAY, market, scores_of, track

AUDITED = 20  # days that one night reads


@dataclass(frozen=True, slots=True)
class Policy:
    """What draws beside what is logged, and over how many nights the audit looks."""

    drawn: Literal["as logged", "tenth off in high vol", "deterministic"]
    days: int = 40
    windows: int = FULL_DAY
    learning: LearningDefaults = ONE_LOOK


def measure(policy: Policy, seed: int) -> Figures:
    """Return the alarms of the first full night and of all nights from there, and the first night's z scores."""
    place = market(seed, policy.days, policy.windows)
    one = track(place, "conf")
    p = 1.0 / (1.0 + np.exp(-one.u0))
    drawn = p
    if policy.drawn == "deterministic":
        drawn = (p > 0.5).astype(np.float64)
    if policy.drawn == "tenth off in high vol":
        drawn = np.where(one.bins[:, 0] >= 3, 0.9 * p, p)
    scores = scores_of(place, one, p, drawn)
    began = time.process_time()
    rows = rows_by_detector(scores, policy.days)[one.detector_id]
    n = policy.windows
    sums = {day: audit_day(rows, slice(i * n, (i + 1) * n)) for i, day in enumerate(place.days)}
    alarms = []
    state: AuditState | None = None
    first = None
    for night in range(AUDITED, policy.days + 1):
        known = place.days[night - AUDITED : night]
        signs = day_signs(policy.learning.seed, known, policy.learning.draws)
        found = audit(one.detector_id, [sums[day] for day in known], signs, policy.learning, state)
        first, state = first or found, found.state
        alarms.append(found.alarm)
    assert first is not None
    out: Figures = {"first_night": int(alarms[0]), "any_night": int(any(alarms)), "nights": len(alarms)}
    out |= {"calibration_z": first.calibration_z, "placebo_z": first.placebo_z, "dispersion_z": first.dispersion_z}
    out |= {"extreme": int(first.calibration_extreme or first.placebo_extreme)}
    return out | {"silent": int(not any(alarms)), "cpu_s": round(time.process_time() - began, 3)}


_POLICIES = {
    "audit-honest": (Policy("as logged"), 3.0),
    "audit-biased": (Policy("tenth off in high vol"), 3.0),
    "audit-deterministic": (Policy("deterministic"), 3.0),
    "audit-honest-year": (Policy("as logged", 365), 45.0),
}
STUDIES = {
    name: Study(name, policy, measure, (Path(__file__),), replace(policy, days=22, windows=432), cost)
    for name, (policy, cost) in _POLICIES.items()
}
CLAIMS = [
    Claim("audit-honest", "false alarm, one night", total("first_night"), 0.07),
    Claim("audit-honest", "false alarm in 21 nights", total("any_night")),
    Claim("audit-honest", "a rule beyond every draw, one night", total("extreme"), 0.07),
    Claim("audit-honest-year", "false alarm in 346 nights", total("any_night"), 0.05),
    Claim("audit-biased", "p off by a tenth: silent for 21 nights", total("silent"), 0.05),
    Claim("audit-deterministic", "deterministic policy: silent for 21 nights", total("silent"), 0.0),
]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
