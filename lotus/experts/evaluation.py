"""The weekly judgement of all experts: reliabilities per asset, twins, runs below the floor, and the refit proposed.

Days are added one by one, so that no more than one day of frames is held. What comes out is a record and a proposal:
nothing here changes what scores. The single steps are in `calls`, `reliability` and `refit`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.experts.calls import Calls, calls_of, joined
from lotus.experts.compiler import label_rules
from lotus.experts.fusion import ExpertSet
from lotus.experts.machine import WindowNotes, rebirths
from lotus.experts.refit import Refit, directions, refit
from lotus.experts.reliability import (
    Reliability,
    below_floor,
    correlations,
    is_killed,
    redundant,
    reliability_of,
    run_below,
)
from lotus.microtape.frame_batch import FrameBatch
from lotus.microtape.frame_spec import C_MID, I_ASSET, I_FRAME

REFIT_HORIZON_S = 10.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ExpertStat:
    """One expert over the days judged, of one asset or of all ("").

    `run` = evaluations in turn below the floor; `twin` = the kept expert that says the same ("" for none); `weight` in
    force and `proposed`; `status` proposed.
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


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All rows, the refit behind the proposed weights (None: too few windows), and why there is none."""

    stats: tuple[ExpertStat, ...]
    refit: Refit | None
    refused: str


class Judge:
    """Takes days in order, then judges."""

    def __init__(self, experts: ExpertSet) -> None:
        """Start without days."""
        self._experts = experts
        self._calls: list[Calls] = []
        self._z: list[Floats] = []
        self._came: list[Floats] = []
        self._day: list[NDArray[np.int64]] = []

    def add_day(self, frames: FrameBatch, windows: WindowNotes, first_ms: int) -> None:
        """Take one day: its frames with the warm-up before them, its windows; calls before `first_ms` do not count."""
        self._calls.append(calls_of(frames, self._experts, first_ms))
        horizon = round(1_000.0 * REFIT_HORIZON_S / frames.cadence_ms)
        for asset in range(len(frames.universe)):
            mine = np.flatnonzero(frames.ints[:, I_ASSET] == asset)
            notes = np.flatnonzero(windows.ints[:, 0] == asset)
            if not len(mine) or not len(notes):
                continue
            idx = frames.ints[mine, I_FRAME]
            rows = np.minimum(np.searchsorted(idx, windows.ints[notes, 1]), len(idx) - 1)
            there = idx[rows] == windows.ints[notes, 1]
            life = np.cumsum(rebirths(frames.ints[mine]), dtype=np.int64)
            (came,) = directions([frames.floats[mine, C_MID]], [rows[there]], [life], horizon)
            self._z.append(windows.z[notes[there]])
            self._came.append(came)
            self._day.append(np.full(int(there.sum()), len(self._calls)))

    def evaluate(self, assets: tuple[str, ...], runs: Mapping[str, int]) -> Evaluation:
        """Return the judgement; `runs` = evaluations in turn below the floor before this one, by expert."""
        names, calls = self._experts.names, joined(self._calls)
        z = np.concatenate([np.zeros((0, len(names))), *self._z])
        came = np.concatenate([np.zeros(0), *self._came])
        known, day = np.isfinite(came), np.concatenate([np.zeros(0, np.int64), *self._day])
        proposal, refused = self._refit(z[known], came[known] == 1.0, day[known])
        rules = label_rules(self._experts)
        found = [reliability_of([calls.of(k, a) for a in range(len(assets))], rule) for k, rule in enumerate(rules)]
        overall = {name: f.overall for name, f in zip(names, found, strict=True)}
        twins = redundant(correlations(z), names, overall)
        stats: list[ExpertStat] = []
        for k, (spec, weight) in enumerate(zip(self._experts.experts, self._experts.weights, strict=True)):
            name = spec.expert_id
            run = run_below(runs.get(name, 0), below_floor(overall[name]))
            off = is_killed(run) or name in twins
            proposed = float(proposal.weights[k]) if proposal is not None and proposal.is_better else weight
            rest = (run, twins.get(name, ""), weight, 0.0 if off else proposed, "off" if off else "active")
            for asset, reliability in zip(("", *assets), (found[k].overall, *found[k].assets), strict=True):
                stats.append(ExpertStat(name, spec.spec_id, asset, reliability, *rest))
        return Evaluation(tuple(stats), proposal, refused)

    def _refit(self, z: Floats, up: NDArray[np.bool_], day: NDArray[np.int64]) -> tuple[Refit | None, str]:
        try:
            return refit(z, up, day, np.array(self._experts.weights)), ""
        except SchemaError as error:
            return None, f"{error.found}; expected {error.expected}"
