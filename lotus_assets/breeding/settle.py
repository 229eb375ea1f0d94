"""What becomes of candidates after their days to come: put in force, followed, archived; a person's veto.

A night decides with everything that is known with the last matured day. Its steps, the set of detectors that follows
and the messages about it are one transaction, so that killed anywhere and begun again a night ends the same. The set
holds from the first day on whose state no daemon can have been born with another one. Nobody settles by hand.
(Literature: model registry, staged roll-out.)
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lotus.coprocessor.settlement import IN_FORCE, MOST_IN_FORCE, CandidateStep, edge_of, ended
from lotus.detectors.registry import scored_detectors
from lotus.detectors.settled import DetectorSet, read_settled, with_settled
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.spec_compile import compile_detectors
from lotus.errors import ConfigError
from lotus.modules.messages.beliefs import LessonPublished
from lotus.modules.messages.signals import VariantBorn
from lotus.timebase import next_day
from lotus_assets.breeding.audits import audited
from lotus_assets.breeding.home_panel import matured_days
from lotus_assets.stages.context import StageContext
from lotus_herald.keys import Keys
from lotus_modules.sig.settled import tell_settled
from lotus_store.ledger.beliefs.candidates import (
    Body,
    CandidateDay,
    candidates_of,
    days_of,
    put_candidate_step,
    steps_of,
)
from lotus_store.ledger.beliefs.detector_sets import put_detector_set, read_detector_sets
from lotus_store.ledger.beliefs.expert_sets import first_free_day

LAG_DAYS: Final[int] = 2  # a set holds on the second day after that with which it was judged, or later
ONE_SIDED: Final[float] = 1.645  # of a normal: 95 %
Steps = Mapping[str, Sequence[CandidateStep]]


def settle_night(ctx: StageContext) -> list[CandidateStep]:
    """Decide what is due with the last matured day and put it in force; return the steps that were taken."""
    days = matured_days(ctx)
    if not days:
        return []
    paid, steps = days_of(ctx.sig, ctx.branch), steps_of(ctx.sig, ctx.branch)
    taken = _endings(days[-1], paid, steps)
    room = MOST_IN_FORCE - sum(own[-1].step in IN_FORCE for own in steps.values()) + sum(
        one.step == "archived" for one in taken
    )  # fmt: skip
    for name in sorted(paid, key=lambda name: (paid[name][-1].day, name)):
        if paid[name][-1].gate.state == "shown" and name not in steps and room > 0:
            step = _judged(ctx, days[-1], name, paid[name])
            if step is not None:
                taken, room = [*taken, step], room - (step.step == "settled")
    _put(ctx, days[-1], taken, paid)
    return taken


def veto(ctx: StageContext, candidate: str, author: str, why: str) -> CandidateStep:
    """Take a candidate out, in force or not, for good; raises `ConfigError` without words, and where it is out."""
    if not author.strip() or not why.strip():
        raise ConfigError("a veto without author or reason", "--author and --why")
    days, own = matured_days(ctx), steps_of(ctx.sig, ctx.branch, candidate).get(candidate, ())
    if own and own[-1].step not in IN_FORCE:
        raise ConfigError(f"{candidate[:12]} is out: {own[-1].step}, {own[-1].reason}", "one in shadow or in force")
    if not days:
        raise ConfigError(f"branch {ctx.branch} has no matured day", "a day with which a veto begins")
    step = CandidateStep(candidate, days[-1], "vetoed", "person", 0.0, 0.0, f"{author.strip()}: {why.strip()}")
    _put(ctx, days[-1], [step], {})
    return step


def detector_texts(ctx: StageContext) -> list[str]:
    """Return the specifications of all candidates in force, in the order of their settlement."""
    steps = steps_of(ctx.sig, ctx.branch)
    born = {name: next(s.day for s in own if s.step == "settled") for name, own in steps.items()
            if own[-1].step in IN_FORCE}  # fmt: skip
    return [_text(ctx, name) for name in sorted(born, key=lambda name: (born[name], name))]


def _endings(today: str, paid: Mapping[str, Sequence[CandidateDay]], steps: Steps) -> list[CandidateStep]:
    out = []
    for name, own in sorted(steps.items()):
        if own[-1].step in IN_FORCE and own[-1].day < today:
            settled = next(step.day for step in own if step.step == "settled")
            step = ended(name, paid[name], paid[name][0].gate.variance, settled, own[-1].day, today)
            out += [step] if step else []
    return out


def _judged(ctx: StageContext, day: str, name: str, days: Sequence[CandidateDay]) -> CandidateStep | None:
    """Return whether one that was shown is settled; None where no audit could look at the day."""
    edge = edge_of(days)
    if edge <= 0.0:
        return CandidateStep(name, day, "refused", "edge", edge, 0.0, "since it was shown it gave all back")
    specs = read_settled((_text(ctx, name),), ctx.manifest)
    if not specs:
        return CandidateStep(name, day, "refused", "readable", 0.0, 1.0, "this release cannot score it")
    try:
        others = read_settled(tuple(detector_texts(ctx)), ctx.manifest)
        compile_detectors(with_settled(scored_detectors(ctx.manifest), (*others, *specs)), ctx.manifest)
    except ConfigError as problem:
        return CandidateStep(name, day, "refused", "program", 0.0, 1.0, str(problem))
    found = audited(ctx, day, specs[0])
    if not found.looked:
        return None
    if found.failed:
        return CandidateStep(
            name, day, "refused", "audits", float(len(found.failed)), 0.0, f"failed: {', '.join(found.failed)}"
        )
    gate = days[-1].gate
    why = f"{gate.days} forward days, {edge:.4g} bps; {found.looked} audits pass"
    return CandidateStep(name, day, "settled", "forward", gate.peak, 0.0, why)


def _put(
    ctx: StageContext, day: str, taken: Sequence[CandidateStep], paid: Mapping[str, Sequence[CandidateDay]]
) -> None:
    """Write steps, the set that follows where it is another one, and what other modules hear, at once."""
    keys = Keys(ctx.settings.keys_root)
    with ctx.sig.transaction():
        for step in taken:
            put_candidate_step(ctx.sig, ctx.branch, step)
        from_day = first_free_day(ctx.sig, ctx.branch, next_day(day, LAG_DAYS))
        texts, sets = tuple(detector_texts(ctx)), read_detector_sets(ctx.sig, ctx.branch)
        newest = max(sets, key=lambda one: one.from_day, default=None)
        if texts != (newest.texts if newest else ()):
            put_detector_set(
                ctx.sig, ctx.branch, DetectorSet(max(from_day, newest.from_day if newest else ""), day, texts)
            )
        for step in taken:
            if step.step == "settled":
                (spec,) = read_settled((_text(ctx, step.candidate_id),), ctx.manifest)
                tell_settled(ctx.sig, *_messages(ctx.branch, step, spec, paid[step.candidate_id]), keys)


def _messages(
    branch: str, step: CandidateStep, spec: DetectorSpec, days: Sequence[CandidateDay]
) -> tuple[VariantBorn, LessonPublished]:
    edge, weight = edge_of(days), sum(one.weight for one in days)
    low = edge - ONE_SIDED * math.sqrt(days[0].gate.variance / weight)
    born = VariantBorn(
        branch=branch, day=step.day, detector_id=spec.detector_id, parent_id=step.candidate_id,
        spec_version=spec.version, spec=spec.as_json(),
    )  # fmt: skip
    lesson = LessonPublished(
        branch=branch, day=step.day, lesson_id=step.candidate_id, grade="forward", uplift_bps=edge, lcb_bps=low
    )
    return born, lesson


def _text(ctx: StageContext, candidate: str) -> str:
    return str(_row(ctx, candidate)["body"]["spec"])


def _row(ctx: StageContext, candidate: str) -> Body:
    (row,) = candidates_of(ctx.sig, ctx.branch, candidate)
    return row


def step_facts(steps: Sequence[CandidateStep]) -> list[dict[str, Any]]:
    """Return steps as plain values."""
    return [
        {"day": s.day, "step": s.step, "check": s.check, "value": s.value, "bound": s.bound, "reason": s.reason}
        for s in steps
    ]
