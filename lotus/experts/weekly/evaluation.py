"""The weekly judgement of all experts: reliabilities per asset, twins, runs below the floor, refit, the set after it.

Days are added one by one, so that no more than one day of frames is held. Kill rule and redundancy cap are rules: they
decide who is on. Weights, calibrations and the number of votes that confirm are proposals: they are taken up only
where they beat what is in force on days that they have not seen. The single steps are in `calls`, `reliability`,
`refit`, `confidence` and `votes`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.experts.annotation_spec import WINDOW_MS
from lotus.experts.compiler import label_rules
from lotus.experts.confidence import ConfidenceFit, fit_confidences
from lotus.experts.fusion import ExpertSet
from lotus.experts.machine import rebirths
from lotus.experts.weekly.calls import Calls, ExpertCalls, calls_in, joined, spoken
from lotus.experts.weekly.refit import RefitRows, Refits, directions, refit
from lotus.experts.weekly.reliability import (
    ExpertReliability,
    Reliability,
    below_floor,
    correlations,
    is_killed,
    redundant,
    reliability_of,
    run_below,
)
from lotus.experts.weekly.votes import VotesRefit, refit_votes
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import C_MID, I_END
from lotus.timebase import HOUR_MS

REFIT_HORIZON_S: Final[float] = 10.0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ExpertStat:
    """One expert over the days judged, of one asset or of all ("").

    `run` = evaluations in turn below the floor; `twin` = the retained expert that says the same ("" for none); `weight`
    before and `proposed`; `status` from now on.
    """

    expert_id: str
    spec_id: str
    asset: str
    found: Reliability
    run: int
    twin: str
    weight: float
    proposed: float
    status: str


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """All rows; the set after them; the refits (None: too few windows, and why) and fits of confidence behind it.

    `votes`: the proposed number of votes, None where nobody asked or too few windows were confirmed.
    """

    stats: tuple[ExpertStat, ...]
    experts: ExpertSet
    refits: Refits | None
    refused: str
    confidence: tuple[ConfidenceFit, ...]
    votes: VotesRefit | None = None


class Judge:
    """Takes days in order, then judges the experts of a set, which is the one in force up to nets newly trained."""

    def __init__(self, experts: ExpertSet) -> None:
        """Start without days."""
        self._experts, self._rules = experts, label_rules(experts)
        self._calls: list[Calls] = []
        self._rows: list[RefitRows] = []
        self._z: list[Floats] = []
        self._days = 0

    def add_day(self, frames: FrameBatch, first_ms: int) -> None:
        """Take one day: its frames with the warm-up before them; calls and windows before `first_ms` do not count."""
        for series in spoken(frames, self._experts):
            self._calls.append(calls_in(series, self._rules, frames.cadence_ms, first_ms))
            closing = np.flatnonzero((series.ints[:, I_END] % WINDOW_MS == 0) & (series.ints[:, I_END] > first_ms))
            self._z.append(series.z[closing])
            self._rows.append(outcome_rows(series, closing, frames.cadence_ms, self._days))
        self._days += 1

    def evaluate(self, assets: tuple[str, ...], runs: Mapping[str, int], with_votes: bool = False) -> Evaluation:
        """Return the judgement; `runs` = evaluations in turn below the floor before this one, by expert.

        `with_votes`: somebody requires a confirmation, so the number of votes is refitted too.
        """
        experts, calls, rows = self._experts, joined(self._calls), self._joined_rows()
        reliabilities = [
            reliability_of([calls.of(k, a) for a in range(len(assets))], rule) for k, rule in enumerate(self._rules)
        ]
        overall = {name: f.overall for name, f in zip(experts.names, reliabilities, strict=True)}
        every = np.concatenate([np.zeros((0, len(experts.names))), *self._z])
        twins = redundant(correlations(every), experts.names, overall)
        run = {name: run_below(runs.get(name, 0), below_floor(overall[name])) for name in experts.names}
        idle = experts.idle  # nothing was said by which they could be judged
        off = [name for name in experts.names if is_killed(run[name]) or name in twins or name in idle]
        masked = _switched(experts, off)
        refits, fits, refused = _fitted(rows, masked)
        votes = refit_votes(rows, masked) if with_votes else None
        after = _taken_up(masked, refits, fits, votes)
        stats = _stats(experts, after, reliabilities, assets, run, twins)
        return Evaluation(stats, after, refits, refused, tuple(fits), votes)

    def _joined_rows(self) -> RefitRows:
        z = np.concatenate([np.zeros((0, len(self._experts.names))), *(r.z for r in self._rows)])
        up = np.concatenate([np.zeros(0, np.bool_), *(r.up for r in self._rows)])
        day, hour, fired = (
            np.concatenate([np.zeros(0, np.int64), *(getattr(r, n) for r in self._rows)])
            for n in ("day", "hour", "fired")
        )
        return RefitRows(z, up, day, hour, fired)


def outcome_rows(series: ExpertCalls, rows: Ints, cadence_ms: int, day: int) -> RefitRows:
    """Return those of the frames `rows` i8[m] of one asset that were followed by a move, as rows of day `day`."""
    end_ms = series.ints[:, I_END]
    life = np.cumsum(rebirths(series.ints), dtype=np.int64)
    horizon = round(1_000.0 * REFIT_HORIZON_S / cadence_ms)
    (came,) = directions([series.floats[:, C_MID]], [rows], [life], horizon)
    rows, came = rows[np.isfinite(came)], came[np.isfinite(came)]
    hour = end_ms[rows] // HOUR_MS
    return RefitRows(series.z[rows], came == 1.0, np.full(len(rows), day), hour, series.fired[rows])


def _switched(experts: ExpertSet, off: Sequence[str]) -> ExpertSet:
    voices = {name: replace(v, status="off" if name in off else "active") for name, v in experts.fusion.voices.items()}
    return replace(experts, fusion=replace(experts.fusion, voices=voices))


def _fitted(rows: RefitRows, experts: ExpertSet) -> tuple[Refits | None, list[ConfidenceFit], str]:
    fusion, present = experts.fusion, experts.fusion.confidence or {}
    active = np.array([v.status == "active" for v in fusion.voices.values()])
    fits = fit_confidences(rows, experts.names, [present.get(name, ()) for name in experts.names])
    try:
        return refit(rows, np.array(experts.weights), fusion.evidence, active), fits, ""
    except SchemaError as error:
        return None, fits, f"{error.found}; expected {error.expected}"


def _taken_up(
    experts: ExpertSet, refits: Refits | None, fits: Sequence[ConfidenceFit], votes: VotesRefit | None
) -> ExpertSet:
    """Return the set with what won; an expert that is off keeps its weight for the day it comes back."""
    fusion = experts.fusion
    confidence = {**(fusion.confidence or {}), **{f.expert_id: f.knots for f in fits if f.verdict.is_better}}
    in_order = {name: confidence[name] for name in experts.names if name in confidence}
    needed = votes.needed if votes is not None and votes.verdict.is_better else fusion.votes_needed
    fusion = replace(fusion, confidence=in_order, votes_needed=needed)
    won = refits.winner if refits is not None else None
    if won is not None:
        voices = {
            name: replace(v, weight=float(weight)) if v.status == "active" else v
            for (name, v), weight in zip(fusion.voices.items(), won.weights, strict=True)
        }
        fusion = replace(fusion, voices=voices, evidence=won.evidence)
    return replace(experts, fusion=fusion)


def _stats(
    experts: ExpertSet,
    after: ExpertSet,
    reliabilities: Sequence[ExpertReliability],
    assets: Sequence[str],
    run: Mapping[str, int],
    twins: Mapping[str, str],
) -> tuple[ExpertStat, ...]:
    stats: list[ExpertStat] = []
    for k, spec in enumerate(experts.experts):
        name = spec.expert_id
        rest = (run[name], twins.get(name, ""), experts.weights[k], after.weights[k], after.fusion.voices[name].status)
        for asset, reliability in zip(("", *assets), (reliabilities[k].overall, *reliabilities[k].assets), strict=True):
            stats.append(ExpertStat(name, spec.spec_id, asset, reliability, *rest))
    return tuple(stats)
