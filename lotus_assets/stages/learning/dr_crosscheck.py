"""dr_crosscheck[day]: on a Monday (UTC) a second opinion on every active lesson; nothing on other days.

Each lesson in force is estimated again over the search window, by us and by EconML's doubly robust learner; both stand
side by side in a row of the ledger, named by the lesson. A row that does not agree is what the watchdog reads.
"""

from collections.abc import Mapping

from lotus.hashing import natural_id
from lotus.learning.dr_crosscheck import CrossCheck, cross_check
from lotus.learning.rows import day_weights
from lotus.priors.asset_context import describe_with
from lotus.priors.segment_context import rule_words
from lotus.priors.vocabulary import Vocabulary
from lotus.timebase import next_day
from lotus.weave.braid import Braid
from lotus_assets.stages.chain import content_of, day_before
from lotus_assets.stages.context import Made, Stage, StageContext, TextTable
from lotus_assets.stages.experts.judged_days import is_judged
from lotus_assets.stages.history import commits_before, hashes
from lotus_assets.stages.learning.day_sums import sources
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.braids import read_registry
from lotus_store.ledger.beliefs.lessons import read_experiments, write_experiments
from lotus_store.ledger.bodies import from_body, to_body

KIND = "dr_crosscheck"


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """On a Monday the run's lessons, the scores of the search window and the braid registry of the day before."""
    if not is_judged(day):
        return {}
    digests = {"lessons": content_of(ctx, ctx.branch, day, "lessons")}
    before = day_before(ctx, day)
    if before is not None:
        digests["braids before"] = content_of(ctx, ctx.branch, before, "braids")
    return {**digests, **hashes(commits_before(ctx, "payoff_scores", next_day(day), ctx.manifest.learning.search_days))}


def make(ctx: StageContext, day: str) -> Made:
    """Ask for the second opinion on a Monday; an empty result on other days."""
    if not is_judged(day):
        return Made(0, natural_id(KIND, "no Monday"), notes={"checked": "on Mondays"})
    before = day_before(ctx, day)
    registry = read_registry(ctx.sig, ctx.branch, before) if before is not None else []
    active = [b for b in registry if b.in_force and b.braid_type == "micro"]
    checked = _checked(ctx, day, active)

    def ledger(connection: Connection) -> None:
        write_experiments(connection, ctx.branch, day, KIND, checked)

    notes = {"checked": len(checked), "disagree": sum(not check.agree for check in checked.values())}
    return Made(
        rows=len(checked),
        content_hash=natural_id(KIND, to_body(checked)),
        notes=notes,
        table=_table(checked, rule_words(ctx.manifest)),
        ledger=ledger,
    )


def _checked(ctx: StageContext, day: str, active: list[Braid]) -> dict[str, CrossCheck]:
    if not active:
        return {}
    scored = commits_before(ctx, "payoff_scores", next_day(day), ctx.manifest.learning.search_days)
    past = sources(ctx, scored, commits_before(ctx, "lesson_atoms", next_day(day), len(scored)))
    learning = ctx.manifest.learning
    checked = {}
    for braid in active:
        if braid.detector_id not in past:
            continue
        rows = past[braid.detector_id].rows()
        others = {b.rule for b in active if b.detector_id == braid.detector_id} - {braid.rule}
        g = day_weights(len(rows.days), learning.half_life_days)
        checked[braid.lesson_id] = cross_check(rows, braid.rule, tuple(sorted(others)), g, learning.seed)
    return checked


def opinions(ctx: StageContext, day: str) -> dict[str, str]:
    """Return the second opinions of `day` by lesson: why one disagrees, or nothing; empty on days without any."""
    if not is_judged(day):
        return {}
    rows = read_experiments(ctx.sig, ctx.branch, day, KIND)
    return {name: _disagreement(from_body(body, CrossCheck)) for name, body in rows.items()}


def _disagreement(x: CrossCheck) -> str:
    if x.agree:
        return ""
    return (
        f"two estimates disagree: ours {x.ours_bps:.2f} bps ({_span(x.ours_ci95)}), "
        f"doubly robust {x.dr_bps:.2f} ({_span(x.dr_ci95)})"
    )


def _table(checked: Mapping[str, CrossCheck], words: Vocabulary) -> TextTable:
    head = ("detector", "rule", "ours, bps", "ours 95 %", "doubly robust, bps", "doubly robust 95 %", "agree")
    lines = [
        (
            x.detector_id,
            describe_with(x.rule, words),
            x.ours_bps,
            _span(x.ours_ci95),
            x.dr_bps,
            _span(x.dr_ci95),
            str(x.agree),
        )
        for x in checked.values()
    ]  # fmt: skip
    return TextTable(head, lines)


def _span(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.2f} to {interval[1]:.2f}"


STAGE = Stage("dr_crosscheck", inputs, make)
