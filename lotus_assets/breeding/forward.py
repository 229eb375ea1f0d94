"""Forward days of candidates that may enter: each is scored once, when it has matured, on that day alone.

A candidate enters shadow in the order in which it was found while there is room; its variance is that of the days on
which it was found. Nothing that is scored, published or believed knows of it. What was written stays: killed anywhere
and begun again, the same rows come. A day whose panel has lost its frames is passed over.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
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
from lotus.tape_machine.parser import parse
from lotus.timebase import day_start_ms
from lotus_assets.bodies import stage_context
from lotus_assets.breeding.home_panel import home_panel, matured_days
from lotus_assets.catalogue import OWNERS
from lotus_assets.event_log_purge import GROUP
from lotus_assets.stages.context import StageContext
from lotus_resources.lotus_resource import Lotus
from lotus_store.lake import REMADE
from lotus_store.ledger.beliefs.candidates import CandidateDay, days_of, put_candidate_day, screened

NAME: Final = "candidate_scores"
BESIDE: Final[int] = 2  # days beyond those of the ridge: the scored one, and one whose last hour matures on it


@dataclass(frozen=True, slots=True)
class Shadowed:
    """A candidate in shadow: what it computes, the side it pays on, its first day that counts, gate and days so far."""

    candidate_id: str
    genome: Genome
    side: int
    first: str
    entered: GateState
    days: Sequence[CandidateDay]


def score_forward(ctx: StageContext) -> dict[str, Any]:
    """Score every matured day that a candidate in shadow still lacks; return counts and the states after."""
    framed = set(ctx.lake.days(REMADE[0], ctx.tape_branch))
    rows, shadow = 0, in_shadow(ctx)
    for day in matured_days(ctx) if shadow else ():
        due = [one for one in shadow if day >= one.first and not any(d.day >= day for d in one.days)]
        if due and (written := _score_day(ctx, day, due, framed)):
            rows, shadow = rows + written, in_shadow(ctx)  # one that was shown makes room
    states = {name: days[-1].gate.state for name, days in days_of(ctx.sig, ctx.branch).items()}
    return {"rows": rows, "states": states, "shown": sorted(n for n, state in states.items() if state == "shown")}


def in_shadow(ctx: StageContext) -> list[Shadowed]:
    """Return the candidates in shadow: of those that may enter the first 40 of each year, at most 32 at once."""
    days, found, of_year = days_of(ctx.sig, ctx.branch), list[Shadowed](), dict[str, int]()
    for name, night, body, knows_until in sorted(screened(ctx.sig, ctx.branch), key=lambda row: (row[1], row[0])):
        first, weights = first_forward_day(night, knows_until), body.get("daily_weight")
        if first is None or weights is None:  # it can never be judged
            continue
        of_year[night[:4]] = of_year.get(night[:4], 0) + 1
        if of_year[night[:4]] > ENTRANTS_A_YEAR:
            continue
        own = days.get(name, [])
        if own and own[-1].gate.state != "shadow":
            continue
        genome = read(parse(str(body["expression"])), int(body["horizon_s"]), ctx.manifest.kernel.window_ms)
        entered = enter(body["daily_bps"], weights)
        found.append(Shadowed(name, genome, int(body["side"]), first, entered, own))
    return found[:MOST_IN_SHADOW]


def _score_day(ctx: StageContext, day: str, due: Sequence[Shadowed], framed: Set[str]) -> int:
    days = matured_days(ctx, day)[-(RIDGE_DAYS + BESIDE) :]
    if not set(days) <= framed:
        return 0
    panel = home_panel(ctx, days)
    if not panel.blocks or panel.blocks[-1] != day_start_ms(day) // DAY_MS:
        return 0
    sums = day_sums([one.genome for one in due], [one.side for one in due], panel)
    for k, one in enumerate(due):
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
    description="Forward days of bred candidates that may enter: what each added, and whether it is shown.",
)
def candidate_scores(lotus: dg.ResourceParam[Lotus]) -> dg.MaterializeResult[Any]:
    """Score what is due; nothing is read where no candidate is in shadow."""
    with stage_context(lotus) as ctx:
        found = score_forward(ctx)
    return dg.MaterializeResult(metadata={"rows": found["rows"], "shown": ", ".join(found["shown"]) or "none"})
