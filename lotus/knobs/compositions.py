"""Compositions across modules: what a style of entry pays where a detector's braid and a trader's braid both hold.

A braid of the trader moves the style of entry in its context, whoever proposes; a braid of a detector says where that
detector's windows are better or worse. Both act by themselves, so their plain conjunction would change nothing. What
neither can say is that the style pays otherwise there: windows that are better move away from an order at rest, windows
that are worse fill it. So each pair that shares an axis begins two candidates for the detector's plans inside both
rules: the trader's step is not taken, or the next one is. Each is fixed and counted at its start and judged out of
sample by the trials of styles on that detector's windows inside both rules: what they paid more in the candidate's
style than in the one that the trader's braid orders. That one is the best parent, for sig's moves no style. Judging,
bars and slots are those of compositions (`lotus.weave.meta`). Nothing is read or stored here. In the literature: effect
modification (a treatment's effect by subgroup), judged prequentially on randomised trials.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lotus.hashing import natural_id, round_learned
from lotus.knobs.style_draw import STEPS
from lotus.learning.lanes import Both
from lotus.learning.monitor import Blocks, observe
from lotus.learning.payoff_scores import Columns
from lotus.learning.rows import DetectorRows, rows_by_detector
from lotus.manifest import Manifest, WeaveDefaults
from lotus.priors.asset_context import is_about_asset
from lotus.priors.knobs import owner_in
from lotus.priors.types import MAX_LITERALS, Knob, Literal, Patch, PriorsVersion, Rule
from lotus.weave.braid import LIVING, Braid
from lotus.weave.composition import Parts
from lotus.weave.meta import MIN_SHARE, MetaCandidate, MetaState, closed, judged, meta_braid
from lotus.weave.night import followed
from lotus.weave.watchdog import BraidAlert, Evidence, ended, judge

TAKEN, NOT_TAKEN = 1.0, -1.0  # the step of a candidate's owner, as the tilt of its parts
SWITCHED_OFF = "compositions across modules are switched off"


@dataclass(frozen=True, slots=True)
class OtherModule:
    """What the trader's run reads of sig: its braid registry as the day before left it, and by event the detector of
    every window whose styles were tried on the day."""

    braids: Sequence[Braid] = ()
    detectors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CompositionNight:
    """The result of a night: braids of compositions, alerts, candidates with tonight's verdicts, and what goes on."""

    braids: tuple[Braid, ...] = ()
    alerts: tuple[BraidAlert, ...] = ()
    candidates: tuple[MetaCandidate, ...] = ()
    state: MetaState = field(default_factory=MetaState)


@dataclass(frozen=True, slots=True)
class Boards:
    """What a night finds: the compositions there are, the trader's other braids after tonight, and sig's."""

    present: Sequence[Braid]
    own: Sequence[Braid]
    other: Sequence[Braid]

    @property
    def parents(self) -> list[Braid]:
        """The micro braids in force of both modules."""
        return [b for b in (*self.own, *self.other) if b.braid_type == "micro" and b.in_force]


@dataclass(frozen=True, slots=True)
class Tonight:
    """A night's day, trials by step and detector, bars (+inf: no slot), the knob of each owner, and its swap."""

    day: str
    today: Mapping[str, DetectorRows]
    critical: Both[float]
    keys: Mapping[str, str]
    effective_from_ms: int


def is_across(braid: Braid) -> bool:
    """Tell whether a braid is a composition across modules."""
    return braid.scope == "cross"


def joint_rule(first: Rule, second: Rule) -> Rule | None:
    """Return where both rules hold; None without a shared axis, where they never do, and beyond three conditions.

    >>> volatile, hot = Rule.of(Literal(0, 3, 4)), Rule.of(Literal(0, 2, 3), Literal(5, 1, 1))
    >>> joint_rule(volatile, hot) == Rule.of(Literal(0, 3, 3), Literal(5, 1, 1))
    True
    >>> joint_rule(volatile, Rule.of(Literal(5, 1, 1))) is None
    True
    """
    one, two = ({x.feature: x for x in rule.literals} for rule in (first, second))
    shared = one.keys() & two.keys()
    bounds = {f: (max(one[f].low, two[f].low), min(one[f].high, two[f].high)) for f in shared}
    if not shared or len(one | two) > MAX_LITERALS or any(low > high for low, high in bounds.values()):
        return None
    rest = (x for f, x in (one | two).items() if f not in shared)
    return Rule.of(*rest, *(Literal(f, low, high) for f, (low, high) in bounds.items()))


def rows_by_step(scores: Columns, day: str, detectors: Mapping[str, str]) -> dict[str, DetectorRows]:
    """Return the trials of a day (KNOB_SCORES) by step of the style and detector, under `owner_in` of both."""
    steps = {owner for owner, _ in STEPS}
    owners, events = (np.asarray(scores[name]).tolist() for name in ("detector_id", "event_id"))
    trials = zip(owners, events, strict=True)
    names = [owner_in(o, detectors[e]) if o in steps and e in detectors else "" for o, e in trials]
    rows = np.flatnonzero([bool(name) for name in names])
    if not len(rows):
        return {}
    table = {name: np.asarray(values)[rows] for name, values in scores.items()}
    table["detector_id"] = np.array(names, dtype=object)[rows]
    return rows_by_detector({day: table}, 1)


def joint_blocks(rows: DetectorRows, rule: Rule, direction: float) -> Blocks:
    """Return per block what the candidate's side paid more inside the rule, bps (D), and the overlap weight (H).

    D = direction * sum f with E[f] = p(1-p)(E[Y(1)] - E[Y(0)]): the draw is fair, so nothing is taken off for a
    baseline, and both lanes are the same.
    """
    inside = rows.covered(rule).astype(np.float64)
    gain, weight = (
        np.bincount(rows.lane, weights=values * inside, minlength=rows.n_lanes).astype(np.float64)
        for values in (direction * rows.f, rows.h)
    )
    lane = Blocks(tuple(rows.days[d] for d in rows.lane_day), gain, weight)
    return replace(lane, rest=lane)


def observed(state: MetaState, today: Mapping[str, DetectorRows], day: str) -> MetaState:
    """Return the state with the blocks of a day later than each candidate's start and newest block."""
    return replace(state, running=tuple(_observed(c, today.get(c.detector_id), day) for c in state.running))


def _observed(candidate: MetaCandidate, rows: DetectorRows | None, day: str) -> MetaCandidate:
    if rows is None or day <= max((candidate.started, *candidate.block_days)):
        return candidate
    blocks = joint_blocks(rows, candidate.parts.rules[0], candidate.parts.tilts[0])
    used = np.flatnonzero(blocks.weight > 0.0).tolist()
    gain, weight = (tuple(round_learned(x[used]).tolist()) for x in (blocks.gain, blocks.weight))
    return replace(
        candidate,
        block_days=(*candidate.block_days, *(blocks.day[i] for i in used)),
        gain=(*candidate.gain, *gain),
        weight=(*candidate.weight, *weight),
        rest_gain=(*candidate.rest_gain, *gain),
        rest_weight=(*candidate.rest_weight, *weight),
    )


def started(
    state: MetaState, board: Sequence[Braid], other: Sequence[Braid], today: Mapping[str, DetectorRows], day: str
) -> MetaState:
    """Return the state with the candidates that begin tonight, counted: those of new pairs with enough windows."""
    begun_before = {c.candidate_id for c in state.running} | set(state.closed)
    running, count = list(state.running), state.started
    for name, direction, parents, rule in _pairs(board, other):
        ids = tuple(b.braid_id for b in parents)
        candidate_id = natural_id("across", name, direction, *ids)
        rows = today.get(name)
        share = float(np.mean(rows.covered(rule))) if rows is not None else 0.0
        if candidate_id in begun_before or share < MIN_SHARE:
            continue
        count += 1
        parts = Parts((rule,), (direction,), ())
        running.append(MetaCandidate(candidate_id, name, "RULE", ids, parts, share, day, count))
    return replace(state, running=tuple(running), started=count)


Pair = tuple[str, float, tuple[Braid, Braid], Rule]


def _pairs(board: Sequence[Braid], other: Sequence[Braid]) -> Iterator[Pair]:
    """Yield step in a detector, direction, parents (the trader's first) and rule of every candidate there can be."""
    steps = [owner for owner, _ in STEPS]
    for own in sorted((b for b in board if _steps_up(b)), key=lambda b: b.braid_id):
        at = steps.index(own.detector_id)
        for one in sorted((b for b in other if _parts_windows(b)), key=lambda b: b.braid_id):
            rule = joint_rule(own.rule, one.rule)
            if rule is None:
                continue
            yield owner_in(steps[at], one.detector_id), NOT_TAKEN, (own, one), rule
            if at + 1 < len(steps):
                yield owner_in(steps[at + 1], one.detector_id), TAKEN, (own, one), rule


def _steps_up(braid: Braid) -> bool:
    is_style = braid.detector_id in {owner for owner, _ in STEPS}
    return is_style and braid.braid_type == "micro" and braid.in_force and braid.sign > 0


def _parts_windows(braid: Braid) -> bool:
    """Tell whether a braid of sig is a lesson in force that says nothing of coins, which the trader's context lacks."""
    return braid.braid_type == "micro" and braid.scope == "sig" and braid.in_force and not is_about_asset(braid.rule)


def compositions(state: MetaState, boards: Boards, tonight: Tonight, manifest: Manifest) -> CompositionNight:
    """Return the night of the compositions: watched, judged, promoted, begun; `state` has the day taken in."""
    parents, day, weave = boards.parents, tonight.day, manifest.weave
    braids, alerts = _watched(boards.present, parents, tonight, weave)
    verdicts = judged(state, [*braids, *parents], tonight.critical, manifest.learning, weave)
    by_id = {b.braid_id: b for b in parents}
    for candidate in (c for c in verdicts if c.verdict == "promoted"):
        braids.append(_braid(candidate, [by_id[name] for name in candidate.parents], tonight, weave))
    left = started(closed(state, verdicts), boards.own, boards.other, tonight.today, day)
    judged_tonight = {c.candidate_id for c in verdicts}
    begun = (c for c in left.running if c.candidate_id not in judged_tonight)
    return CompositionNight(tuple(braids), tuple(alerts), (*verdicts, *begun), left)


def switched_off(present: Sequence[Braid], state: MetaState, day: str) -> CompositionNight:
    """Return the night on which nothing is composed: what acts ends, candidates are forgotten and stay counted."""
    over = [ended(b, "orphaned", SWITCHED_OFF, day) if b.state in LIVING else (b, None) for b in present]
    alerts = tuple(alert for _, alert in over if alert is not None)
    return CompositionNight(tuple(b for b, _ in over), alerts, state=replace(state, running=()))


def in_step(present: Sequence[Braid], version: PriorsVersion, day: str) -> list[Braid]:
    """Return the compositions in step with the version in force, as after a rollback."""
    return followed(present, version, day)


def _watched(
    present: Sequence[Braid], parents: Sequence[Braid], tonight: Tonight, weave: WeaveDefaults
) -> tuple[list[Braid], list[BraidAlert]]:
    """Return the compositions with the day in their monitors, after the watchdog; parents that end take them along."""
    seen = [_with_day(b, tonight.today.get(b.detector_id), tonight.day) for b in present]
    after, alerts = judge([*seen, *parents], Evidence(tonight.day), tonight.effective_from_ms, weave)
    names = {b.braid_id for b in seen}
    return [b for b in after if b.braid_id in names], [a for a in alerts if a.braid_id in names]


def _with_day(braid: Braid, rows: DetectorRows | None, day: str) -> Braid:
    if braid.state not in LIVING or braid.monitor is None or day <= braid.monitor.last_day:
        return braid
    blocks = joint_blocks(rows, braid.rule, direction_of(braid)) if rows is not None else None
    if blocks is None or not blocks.weight.sum() > 0.0:
        return replace(braid, dry_days=braid.dry_days + 1, monitor=replace(braid.monitor, last_day=day))
    return replace(braid, dry_days=0, monitor=observe(braid.monitor, blocks))


def direction_of(braid: Braid) -> float:
    """Return whether a composition takes a step of the style or leaves it out."""
    return TAKEN if any(knob.mult > 1.0 for knob in braid.target.knobs) else NOT_TAKEN


def _braid(candidate: MetaCandidate, parents: Sequence[Braid], tonight: Tonight, weave: WeaveDefaults) -> Braid:
    """Return the active braid of a promoted candidate: its step is taken whole, or left out whole."""
    owner = candidate.detector_id.partition("@")[0]
    step = weave.phi_step if candidate.parts.tilts[0] == TAKEN else 1.0
    patch = Patch(knobs=(Knob(tonight.keys[owner], step),))
    made = meta_braid(candidate, parents, tonight.effective_from_ms, weave)
    return replace(made, rule=candidate.parts.rules[0], scope="cross", target=patch, patch=patch)
