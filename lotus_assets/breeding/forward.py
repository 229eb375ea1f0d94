"""Forward days of candidates that may enter: each is scored once, when it has matured, on that day alone.

A candidate enters shadow in the order in which it was found while there is room; its variance is that of the days on
which it was found. Nothing that is scored, published or believed knows of one in shadow; what becomes of one that was
shown is `settle`. What was written stays: killed anywhere and begun again, the same rows come. A day whose panel has
lost its frames is passed over.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Final

import dagster as dg

from lotus.coprocessor.gate import (
    ENTRANTS_A_YEAR,
    MOST_IN_SHADOW,
    GateState,
    enter,
    first_forward_day,
    observe,
)
from lotus.coprocessor.genome import Genome, read
from lotus.coprocessor.panel import DAY_MS, RIDGE_DAYS
from lotus.coprocessor.scoring import day_sums, rounded
from lotus.coprocessor.settlement import ALIKE, IN_FORCE, WAIT_DAYS, alike
from lotus.names import BRED
from lotus.tape_machine.parser import parse
from lotus.timebase import day_start_ms, next_day
from lotus_assets.bodies import stage_context
from lotus_assets.breeding.home_panel import home_panels, matured_days
from lotus_assets.breeding.settle import settle_night
from lotus_assets.catalogue import OWNERS
from lotus_assets.event_log_purge import GROUP
from lotus_assets.stages.chain import BranchHeldError, branch_lane
from lotus_assets.stages.context import StageContext
from lotus_resources.lotus_resource import Lotus
from lotus_store.lake import REMADE
from lotus_store.ledger.beliefs.candidates import CandidateDay, days_of, put_candidate_day, screened, steps_of

NAME: Final = "candidate_scores"
BESIDE: Final[int] = 2  # days beyond those of the ridge: the scored one, and one whose last hour matures on it


@dataclass(frozen=True, slots=True)
class Followed:
    """A candidate whose days count: what it computes, the side it pays on, its first day, gate and days so far.

    `detector_id`: its name among the detectors in force, "" in shadow.
    """

    candidate_id: str
    genome: Genome
    side: int
    first: str
    entered: GateState
    days: Sequence[CandidateDay]
    detector_id: str = ""


def score_forward(ctx: StageContext) -> dict[str, Any]:
    """Score every matured day that a candidate in shadow or in force still lacks; return counts and the states after.

    One in force is measured beside the others, without itself.
    """
    framed = set(ctx.lake.days(REMADE[0], ctx.tape_branch))
    rows, followed = 0, [*in_shadow(ctx), *in_force(ctx)]
    for day in matured_days(ctx) if followed else ():
        due = [one for one in followed if day >= one.first and not any(d.day >= day for d in one.days)]
        if due and (written := _score_day(ctx, day, due, framed)):
            rows, followed = rows + written, [*in_shadow(ctx), *in_force(ctx)]  # one that was shown makes room
    states = {name: days[-1].gate.state for name, days in days_of(ctx.sig, ctx.branch).items()}
    return {"rows": rows, "states": states, "shown": sorted(n for n, state in states.items() if state == "shown")}


def in_shadow(ctx: StageContext) -> list[Followed]:
    """Return the candidates in shadow: of those that may enter the first 40 of each year, at most 32 at once.

    One that somebody vetoed is left out, and for a year one whose days go like those of one that was not shown.
    """
    found, of_year = list[Followed](), dict[str, int]()
    gone, days = steps_of(ctx.sig, ctx.branch), days_of(ctx.sig, ctx.branch)
    failed = [own for own in days.values() if own[-1].gate.state == "not_shown"]
    for one, body, night in _may_enter(ctx, days):
        of_year[night[:4]] = of_year.get(night[:4], 0) + 1
        if of_year[night[:4]] > ENTRANTS_A_YEAR or one.candidate_id in gone:
            continue
        if one.days[-1].gate.state == "shadow" if one.days else not _waits(body, night, failed):
            found.append(one)
    return found[:MOST_IN_SHADOW]


def in_force(ctx: StageContext) -> list[Followed]:
    """Return the candidates that are in force."""
    steps, days = steps_of(ctx.sig, ctx.branch), days_of(ctx.sig, ctx.branch)
    held = {name for name, own in steps.items() if own[-1].step in IN_FORCE}
    every = _may_enter(ctx, days) if held else ()
    return [replace(one, detector_id=detector_of(one.candidate_id)) for one, _, _ in every if one.candidate_id in held]


def detector_of(candidate_id: str) -> str:
    """Return the name under which a candidate is a detector."""
    return f"{BRED}{candidate_id[:12]}"


def _may_enter(
    ctx: StageContext, days: Mapping[str, Sequence[CandidateDay]]
) -> Iterator[tuple[Followed, Mapping[str, Any], str]]:
    """Yield each candidate that the bar let through in the order of its night, with its facts and the night."""
    for name, night, body, knows_until in sorted(screened(ctx.sig, ctx.branch), key=lambda row: (row[1], row[0])):
        first, weights = first_forward_day(night, knows_until), body.get("daily_weight")
        if first is None or weights is None:  # it can never be judged
            continue
        genome = read(parse(str(body["expression"])), int(body["horizon_s"]), ctx.manifest.kernel.window_ms)
        entered = enter(body["daily_bps"], weights)
        yield Followed(name, genome, int(body["side"]), first, entered, days.get(name, [])), body, night


def _waits(body: Mapping[str, Any], night: str, failed: Sequence[Sequence[CandidateDay]]) -> bool:
    """Return whether a candidate goes like one that was not shown within the year before its night."""
    span = body.get("days", ())
    since = next_day(night, -WAIT_DAYS)
    return (
        any(own[-1].day >= since and alike(own, span, body["daily_bps"]) > ALIKE for own in failed) if span else False
    )


def _score_day(ctx: StageContext, day: str, due: Sequence[Followed], framed: Set[str]) -> int:
    days = matured_days(ctx, day)[-(RIDGE_DAYS + BESIDE) :]
    if not set(days) <= framed:
        return 0
    panels = home_panels(ctx, days, sorted({one.detector_id for one in due}))
    if any(not p.blocks or p.blocks[-1] != day_start_ms(day) // DAY_MS for p in panels.values()):
        return 0
    for name, panel in panels.items():
        own = [one for one in due if one.detector_id == name]
        sums = day_sums([one.genome for one in own], [one.side for one in own], panel)
        for k, one in enumerate(own):
            gate = one.days[-1].gate if one.days else one.entered
            gain, weight, spoken = rounded(sums[k, -1, 0]), rounded(sums[k, -1, 1]), int(sums[k, -1, 2])
            put_candidate_day(
                ctx.sig, ctx.branch,
                CandidateDay(one.candidate_id, day, gain, weight, spoken, observe(gate, gain, weight, spoken)),
            )  # fmt: skip
    return len(due)


def facts_of_days(days: Sequence[CandidateDay]) -> list[Mapping[str, Any]]:
    """Return forward days as plain values."""
    return [
        {"day": d.day, "gain_bps": d.gain_bps, "weight": d.weight, "spoken": d.spoken, "e": d.gate.e_value,
         "state": d.gate.state}
        for d in days
    ]  # fmt: skip


@dg.asset(
    name=NAME,
    group_name=GROUP,
    kinds={"postgres"},
    owners=OWNERS,
    description="Forward days of bred candidates: what each added, which is shown, put in force, archived.",
)
def candidate_scores(lotus: dg.ResourceParam[Lotus]) -> dg.MaterializeResult[Any]:
    """Score what is due, settle and archive; nothing is read where no candidate is in shadow or in force."""
    with stage_context(lotus) as ctx:
        found = score_forward(ctx)
        try:
            with branch_lane(ctx):
                taken = ", ".join(f"{step.candidate_id[:12]} {step.step}" for step in settle_night(ctx)) or "none"
        except BranchHeldError as held:  # days are being learned; the next night decides
            taken = str(held)
    return dg.MaterializeResult(
        metadata={"rows": found["rows"], "shown": ", ".join(found["shown"]) or "none", "steps": taken}
    )
