"""Proposals of grade C taken up as experiments, and how those end: the board's part of `experiment`.

An experiment is a field braid on the proposed rule that raises the floor of the propensity and moves no score. It ends
by its time, by its budget, by an audit's alarm, by a reviewer, or by a verdict: the learner accepts a lesson on its
windows (promoted), or its e-process says that the rule earns less than .8 of the lower bound it was proposed with
(refuted). What it drew stays in the learner's lanes at the logged propensities. Nothing is stored here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lotus.hashing import natural_id
from lotus.learning.effect import both_sums, residuals
from lotus.learning.gates import absorbed
from lotus.learning.lesson import Lesson
from lotus.learning.monitor import unpatched_blocks, watch_blocks
from lotus.learning.pooled import REASON
from lotus.learning.rows import DetectorRows
from lotus.manifest import Manifest
from lotus.priors.types import IDENTITY
from lotus.weave.admission import neighbours
from lotus.weave.braid import Braid, believed, micro_braid
from lotus.weave.experiment import AT_ONCE, Experiment, began, day_number, has_room, is_on, observed, patch_of
from lotus.weave.watchdog import Evidence

PROMOTED, REFUTED, RAN_OUT, STOPPED = "promoted", "refuted", "ran out", "stopped"
NOT_TAKEN = "not taken up"


@dataclass(frozen=True, slots=True)
class ExperimentRow:
    """A row of kind `experiment` after a night: what an experiment drew and found, or why a proposal is none.

    `found` is empty while it runs. `floor` is the propensity's inside the rule where the experiment is on, 0 for none,
    `rise` what that multiplies the rule's publications by, `is_on` whether it is until the next swap; `drawn` of
    `budget` in expected publications beyond the usual; `e_against` its e-process (20 refutes), 1 for a rule that
    changes by the day. `contrast_bps` with its standard error is what a window of the rule paid more on days on than
    off, None before there are two days of each.
    """

    braid_id: str
    lesson_id: str
    detector_id: str
    found: str
    reason: str
    is_slow: bool = False
    floor: float = 0.0
    rise: float = 1.0
    is_on: bool = False
    days: int = 0
    drawn: float = 0.0
    budget: float = 0.0
    most_share: float = 0.0
    e_against: float = 1.0
    contrast_bps: float | None = None
    contrast_se_bps: float | None = None


def experiments(
    board: Sequence[Braid],
    branch: str,
    found: tuple[Sequence[Lesson], Sequence[Lesson]],
    evidence: Evidence,
    effective_from_ms: int,
    manifest: Manifest,
) -> tuple[list[Braid], tuple[ExperimentRow, ...]]:
    """Return the board with the day in its experiments and new ones begun, and a row of each that ran or was refused.

    `found`: lessons accepted tonight, and proposals of grade C.
    """
    accepted, proposals = found
    braids, rows = list(board), list[ExperimentRow]()
    for i, braid in enumerate(board):
        if braid.experiment is None or (braid.state != "active" and braid.experiment.found):
            continue
        braids[i] = after = _after_day(braid, braid.experiment, accepted, evidence, effective_from_ms, manifest)
        rows.append(_row(after))
    for lesson in sorted(proposals, key=lambda x: (x.critical - x.m_nats, x.lesson_id)):
        if lesson.reason != REASON or manifest.weave.experiment_share <= 0.0:
            continue
        made = _begun(braids, branch, lesson, evidence, effective_from_ms, manifest)
        if isinstance(made, str):
            rows.append(ExperimentRow("", lesson.lesson_id, lesson.detector_id, NOT_TAKEN, made))
        else:
            braids.append(made)
            rows.append(_row(made))
    return braids, tuple(rows)


def _after_day(
    braid: Braid,
    before: Experiment,
    accepted: Sequence[Lesson],
    evidence: Evidence,
    effective_from_ms: int,
    manifest: Manifest,
) -> Braid:
    """Return an experiment with the day in it: ended, or with its patch until the next swap."""
    rows = evidence.today.get(braid.detector_id)
    state = before if rows is None else observed(braid.braid_id, before, rows, braid.rule, manifest)
    if braid.state != "active":
        return replace(braid, experiment=replace(state, found=_how(braid)))
    running = replace(braid, experiment=replace(state, found=""))
    for lesson in accepted:
        if neighbours(braid, lesson, evidence):
            return _ended(running, PROMOTED, f"the learner accepted lesson {lesson.lesson_id} on its windows", evidence)
    if state.drawn >= state.budget:
        return _ended(running, RAN_OUT, f"drew {state.drawn:.0f} publications, its budget", evidence)
    if not has_room(state, manifest):
        return _ended(running, RAN_OUT, _no_room(state), evidence)
    is_raised = is_on(braid.braid_id, day_number(effective_from_ms, manifest), state.slow, manifest)
    return replace(running, patch=patch_of(state, is_raised, manifest))


def _no_room(state: Experiment) -> str:
    return f"a day's budget leaves {state.rise:.2f} times the usual publications in the rule"


def _how(braid: Braid) -> str:
    """Return what an experiment that others ended has found."""
    if "reverted" in braid.tags:
        return REFUTED
    return RAN_OUT if "expired" in braid.tags or "dry" in braid.tags else STOPPED


def _ended(braid: Braid, found: str, reason: str, evidence: Evidence) -> Braid:
    ended = braid.moved_to("sunset", f"{found}: {reason}", evidence.day)
    return replace(ended, experiment=replace(braid.experiment, found=found)) if braid.experiment else ended


def _begun(
    board: Sequence[Braid], branch: str, lesson: Lesson, evidence: Evidence, effective_from_ms: int, manifest: Manifest
) -> Braid | str:
    """Return the experiment on a proposal, or why there is none."""
    rows = evidence.window.get(lesson.detector_id)
    refusal = _refusal(board, lesson, effective_from_ms)
    if rows is None or refusal:
        return refusal or "there are no windows to size it by"
    left = residuals(rows, tuple(sorted(set(believed(board, lesson.detector_id)))))
    kept = both_sums(rows, left, rows.covered(lesson.rule)).day.kept_share
    state = began(rows, lesson.rule, bool(absorbed(kept)), manifest)
    if not has_room(state, manifest):
        return _no_room(state)
    made = _braid(board, branch, lesson, state, rows, evidence, effective_from_ms, manifest)
    is_raised = is_on(made.braid_id, day_number(effective_from_ms, manifest), state.slow, manifest)
    return replace(made, patch=patch_of(state, is_raised, manifest))


def _refusal(board: Sequence[Braid], lesson: Lesson, now_ms: int) -> str:
    running = [b for b in board if b.experiment is not None and b.state == "active"]
    if len(running) >= AT_ONCE:
        return f"{AT_ONCE} experiments run"
    if any(b.detector_id == lesson.detector_id for b in running):
        return "one runs on its detector"
    if lesson.rule in believed(board, lesson.detector_id):
        return "a lesson on its rule is in force"
    for braid in board:
        axes = (braid.detector_id, braid.rule, braid.sign)
        is_same = braid.experiment is not None and axes == (lesson.detector_id, lesson.rule, lesson.sign)
        if is_same and braid.expires_at_ms > now_ms:
            return f"tried by {braid.braid_id}: {braid.reason}"
    return ""


def _braid(
    board: Sequence[Braid],
    branch: str,
    lesson: Lesson,
    state: Experiment,
    rows: DetectorRows,
    evidence: Evidence,
    effective_from_ms: int,
    manifest: Manifest,
) -> Braid:
    weave = manifest.weave
    monitor = None
    if not state.slow:
        blocks = unpatched_blocks(rows, lesson.rule, believed(board, lesson.detector_id))
        least = max(lesson.lcb_bps, 0.0)
        monitor = watch_blocks(lesson.sign, least, lesson.uplift_bps, blocks, weave.ttl_days, evidence.day)
    own = micro_braid(lesson, branch, IDENTITY, 0.0, "experiment on a proposal", effective_from_ms, weave, monitor)
    name = natural_id("braid", branch, "experiment", lesson.lesson_id, effective_from_ms)
    return replace(
        own,
        braid_id=name,
        braid_type="field",
        scope="cross",
        state="active",
        mdl_bits=0.0,
        stability=0.0,
        experiment=state,
    )


def _row(braid: Braid) -> ExperimentRow:
    state = braid.experiment or Experiment(0.0, 1.0, 0.0, False)
    mean, error = state.contrast
    known = min(state.on.days, state.off.days) > 1
    return ExperimentRow(
        braid_id=braid.braid_id,
        lesson_id=braid.lesson_id,
        detector_id=braid.detector_id,
        found=state.found,
        reason=braid.reason,
        is_slow=state.slow,
        floor=state.floor,
        rise=state.rise,
        is_on=braid.patch != IDENTITY,
        days=state.days,
        drawn=state.drawn,
        budget=state.budget,
        most_share=state.most_share,
        e_against=braid.e_value,
        contrast_bps=mean if known else None,
        contrast_se_bps=error if known else None,
    )
