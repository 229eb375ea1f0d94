"""Candidates for meta braids: pairs of micro braids that co-occur or are interchangeable, and why they are refused.

A meta braid must beat the best of its parents out of sample on at least ten days after the last parent's activation;
until then a candidate is only counted and kept with its refusal. Depth stays at one above micro here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import natural_id
from lotus.timebase import DAY_MS
from lotus.weave.braid import Braid

MIN_SHARE = 0.02  # of the detector's windows on which both parents fire
MIN_DAYS = 10


@dataclass(frozen=True, slots=True)
class MetaCandidate:
    """A composition that was considered, with the operator, the days it could be judged on and the refusal."""

    candidate_id: str
    detector_id: str
    op: str
    parents: tuple[str, str]
    co_occurrence: float
    days_out_of_sample: int
    reason: str


def candidates(
    braids: Sequence[Braid], masks: Mapping[str, NDArray[np.bool_]], day_end_ms: int
) -> tuple[MetaCandidate, ...]:
    """Return every pair of braids in force of one detector that shares an axis or co-occurs.

    `masks` holds, per braid id, bool [n_windows] of the detector's windows of the last learning day.
    """
    found = []
    for first, second in combinations(sorted(braids, key=lambda b: b.braid_id), 2):
        if first.detector_id != second.detector_id or not (first.in_force and second.in_force):
            continue
        both = float(np.mean(masks[first.braid_id] & masks[second.braid_id])) if len(masks[first.braid_id]) else 0.0
        op = _operator(first, second, both)
        if op:
            days = max(0, (day_end_ms - max(first.effective_from_ms, second.effective_from_ms)) // DAY_MS)
            found.append(_candidate(first, second, op, both, days))
    return tuple(found)


def _operator(first: Braid, second: Braid, both: float) -> str:
    shared = {x.feature for x in first.rule.literals} & {x.feature for x in second.rule.literals}
    if shared and first.sign == second.sign:
        return "UNION"
    return "INTERSECT" if both >= MIN_SHARE else ""


def _candidate(first: Braid, second: Braid, op: str, both: float, days: int) -> MetaCandidate:
    parents = (first.braid_id, second.braid_id)
    if days < MIN_DAYS:
        reason = f"{days} days after the last parent's activation, {MIN_DAYS} needed"
    else:
        reason = "no composition is promoted without its own out-of-sample slot"
    return MetaCandidate(natural_id("meta", op, *parents), first.detector_id, op, parents, both, days, reason)
