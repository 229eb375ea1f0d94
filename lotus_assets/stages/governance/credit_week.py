"""The credit of the micro-experts over the seven days before a Monday, on one drawn block of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, timedelta

import numpy as np

from lotus.detectors.scoring.signal_spec import NO_CONFIRMATION
from lotus.governance.credit.credit_summary import ALL, ExpertCredit, credits_of
from lotus.governance.credit.expert_credit import EXPERT_CREDIT, CreditBlock, Rows, credit_of_block, joined
from lotus.governance.credit.masked import EVENT_COLUMNS, Ballot, VotedWindows
from lotus.governance.credit.sampled_block import SHARE, drawn_block, in_block, is_tenth
from lotus.hashing import natural_id, round_learned
from lotus.outcomes.signal_eval import OK
from lotus.timebase import day_start_ms, next_day
from lotus_assets.stages.context import StageContext, TextTable
from lotus_assets.stages.experts.expert_set import experts_of
from lotus_assets.stages.experts.judged_days import DAYS
from lotus_assets.stages.experts.spoken_at import fired_at, z_at
from lotus_assets.stages.governance.week_part import PartMade, WeekPart
from lotus_assets.stages.history import commits_before, detectors_of, hashes
from lotus_assets.stages.lake_tables import TablePart
from lotus_assets.stages.schema_check import schema_check
from lotus_assets.stages.scoring.outcome_tape import first_end_ms
from lotus_assets.stages.scoring.signal_eval import read_maturing, read_outcomes
from lotus_store.columns import places_of
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.expert_credit import write_expert_credit
from lotus_store.ledger.day_commits import DayCommit, read_commit

SHOWN = 5
_OUTCOMES = ("event_id", "detector_id", "asset", "window_end_ms", "payoff_p", "payoff_y", "status")


def credited_days(ctx: StageContext, day: str, stage: str = "signal_eval") -> list[DayCommit]:
    """Return the learning days of the seven before a Monday, oldest first."""
    first = (date.fromisoformat(day) - timedelta(days=DAYS)).isoformat()
    return [c for c in commits_before(ctx, stage, day, DAYS) if first <= c.day]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """Outcomes, events and experts of the days that are looked at."""
    days = credited_days(ctx, day)
    return {
        **hashes(days),
        **hashes(commits_before(ctx, "signal_events", day, DAYS + 1)),
        **hashes(commits_before(ctx, "expert_set", day, DAYS + 1)),
    }


def make(ctx: StageContext, day: str, before: Mapping[str, PartMade]) -> PartMade:
    """Look at the drawn block of every day, write the rows, and sum the week up."""
    days = [commit.day for commit in credited_days(ctx, day)]
    rows = joined([credit_of_block(block, f"{ctx.branch} {block.day}") for d in days for block in _blocks(ctx, d)])
    written = ctx.lake.write(EXPERT_CREDIT, ctx.branch, day, rows)
    credits = [_rounded(one) for one in credits_of(rows, days)]

    def ledger(connection: Connection) -> None:
        write_expert_credit(connection, ctx.branch, day, credits)

    decided = natural_id(*(repr(one) for one in credits))
    notes = {"days": len(days), "rows": written.rows, "experts": len({one.expert_id for one in credits})}
    checks = (schema_check(EXPERT_CREDIT, rows),)
    return PartMade(written.rows, decided, (written.content_hash,), checks, notes, _table(credits), ledger)


def _blocks(ctx: StageContext, day: str) -> Iterator[CreditBlock]:
    """Yield the drawn block of a day, its windows parted by the set of experts that spoke in them."""
    block, window_ms = drawn_block(ctx.branch, day), ctx.manifest.kernel.window_ms
    outcomes = read_outcomes(ctx, day, _OUTCOMES)
    ends = outcomes["window_end_ms"].astype(np.int64)
    paper = outcomes["payoff_p"].astype(np.float64)
    chosen = np.flatnonzero(
        in_block(ends, first_end_ms(ctx.manifest, day), block) & (outcomes["status"] == OK) & np.isfinite(paper)
    )
    events = read_maturing(ctx, day, ("event_id", *EVENT_COLUMNS))
    places = places_of(outcomes["event_id"][chosen], events["event_id"])
    veto, pi = events["veto"][places].astype(np.int64), events["pi"][places].astype(np.float64)
    live = (pi > 0.0) | (veto == NO_CONFIRMATION)
    chosen, places = chosen[live], places[live]
    is_before = ends[chosen] - window_ms < day_start_ms(day)
    asking = {d.detector_id for d in detectors_of(ctx, day) if d.require}
    for which, own in ((next_day(day, -1), is_before), (day, ~is_before)):
        if own.any() and read_commit(ctx.sig, ctx.branch, which, "expert_set") is not None:
            rows, at = chosen[own], places[own]
            yield _block(ctx, day, which, block, {n: v[rows] for n, v in outcomes.items()},
                         {n: events[n][at] for n in EVENT_COLUMNS}, asking)  # fmt: skip


def _block(
    ctx: StageContext, day: str, which: str, block: int, outcomes: Rows, events: Rows, asking: set[str]
) -> CreditBlock:
    experts = experts_of(ctx, which)
    assets, ends = outcomes["asset"], outcomes["window_end_ms"].astype(np.int64)
    asks = np.array([name in asking for name in outcomes["detector_id"].tolist()], np.bool_)
    fired = np.zeros(len(ends), np.uint64)
    if asks.any():
        fired[asks] = fired_at(ctx, experts, which, assets[asks], ends[asks])
    paper, executed = (outcomes[name].astype(np.float64) for name in ("payoff_p", "payoff_y"))
    z = z_at(ctx, experts, which, assets, ends)
    windows = VotedWindows(events, z, fired, asks, paper, executed, Ballot.of(experts), ctx.manifest.score)
    names = outcomes["detector_id"].astype(object), assets.astype(object)
    return CreditBlock(day, block, SHARE, windows, *names, is_tenth(ends, ctx.manifest.kernel.window_ms))


def _rounded(one: ExpertCredit) -> ExpertCredit:
    learned = {f.name: getattr(one, f.name) for f in fields(one) if isinstance(getattr(one, f.name), float)}
    values = round_learned(np.array(list(learned.values()))).tolist()
    return replace(one, **dict(zip(learned, values, strict=True)))


def _table(credits: Sequence[ExpertCredit]) -> TextTable:
    """The experts that were worth most and least over all detectors."""
    whole = sorted((c for c in credits if c.detector_id == ALL), key=lambda c: (-c.delta_value, c.expert_id))
    shown = whole if len(whole) <= 2 * SHOWN else [*whole[:SHOWN], *whole[-SHOWN:]]
    nan = float("nan")
    rows = [
        (c.expert_id, "votes" if c.votes else "bench", c.windows, c.delta_sigma, c.delta_value,
         nan if c.low is None else c.low, nan if c.high is None else c.high,
         nan if c.shapley is None else c.shapley)
        for c in shown
    ]  # fmt: skip
    return TextTable(("expert", "state", "windows", "delta sigma", "bps a day", "low", "high", "Shapley"), rows)


PART = WeekPart("credit", inputs, make, (TablePart(EXPERT_CREDIT),))
