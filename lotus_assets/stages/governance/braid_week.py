"""The credit of the braids over the seven days before a Monday, on the drawn block of each; nothing without braids."""

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from lotus.counterfactual.change import WhatIfChange
from lotus.counterfactual.rescored import Scoring, rescored
from lotus.governance.credit.braid_credit import BraidCredit, CreditedWindows, braid_credits, credit_of_braids
from lotus.governance.credit.sampled_block import SHARE, drawn_block, in_block
from lotus.hashing import natural_id
from lotus.priors.types import SCORING, PriorsVersion
from lotus_assets.stages.context import StageContext, TextTable
from lotus_assets.stages.governance.credit_week import credited_days
from lotus_assets.stages.governance.week_part import PartMade, WeekPart
from lotus_assets.stages.history import detectors_of_branch, hashes
from lotus_assets.stages.scoring.logged_day import Floats, LoggedDay, logged_day, named_versions
from lotus_assets.stages.scoring.outcome_tape import first_end_ms
from lotus_assets.stages.scoring.signal_eval import read_maturing
from lotus_store.columns import coded
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.expert_credit import write_braid_credit

SHOWN = 10
HEADER = ("braid", "detector", "windows", "bps a day", "low", "high", "Shapley")


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """Outcomes of the days that are looked at; events and experts stand beside, with the credit of experts."""
    return hashes(credited_days(ctx, day))


def make(ctx: StageContext, day: str, before: Mapping[str, PartMade]) -> PartMade:
    """Score the drawn block of every day again without each braid, and sum the week up."""
    days, versions = [commit.day for commit in credited_days(ctx, day)], dict[str, PriorsVersion]()
    rows = [
        row
        for d in days
        if _acting(named_versions(ctx, coded(read_maturing(ctx, d, ("priors_ver",))["priors_ver"])[0], versions))
        for one in _games(ctx, logged_day(ctx, d, versions))
        for row in credit_of_braids(one, f"{ctx.branch} {d} {one.detector_id}")
    ]
    credits = braid_credits(rows, days)

    def ledger(connection: Connection) -> None:
        write_braid_credit(connection, ctx.branch, day, credits)

    decided = natural_id(*(repr(one) for one in credits)) if credits else ""
    notes = {"braids": len(credits)} if credits else {}
    return PartMade(len(credits), decided, notes=notes, table=_table(credits) if credits else None, ledger=ledger)


def _games(ctx: StageContext, logged: LoggedDay) -> Iterator[CreditedWindows]:
    """Yield the sampled windows of every detector on which braids acted."""
    ends = logged.events["window_end_ms"].astype(np.int64)[logged.rows]
    block = in_block(ends, first_end_ms(ctx.manifest, logged.day), drawn_block(ctx.branch, logged.day))
    names, place = logged.codes["detector_id"]
    for detector, braids in sorted(_acting(logged.versions).items()):
        if detector not in names:
            continue
        here = place[logged.rows] == names.index(detector)
        own = logged.taken(block & np.isfinite(logged.paper) & here)

        def without(gone: Collection[str], own: LoggedDay = own) -> Floats:
            scoring = Scoring(ctx.manifest, detectors_of_branch(ctx), WhatIfChange(braids=tuple(gone)))
            return rescored(scoring, own.events, own.codes, own.tables, own.versions).pi

        published = own.events["published"].astype(np.bool_)
        pi = own.events["pi"].astype(np.float64)
        yield CreditedWindows(
            logged.day, detector, tuple(sorted(braids)), pi, published, own.paper, own.executed, SHARE, without
        )


def _acting(versions: list[PriorsVersion]) -> dict[str, set[str]]:
    """Return the braids of some versions that act on scores, by detector."""
    out: dict[str, set[str]] = {}
    for braid in (b for v in versions for b in v.braids):
        if braid.scope in SCORING and braid.braid_type != "field":
            out.setdefault(braid.detector_id, set()).add(braid.braid_id)
    return out


def _table(credits: list[BraidCredit]) -> TextTable:
    """The braids that were worth most."""
    nan = float("nan")
    rows = [
        (c.braid_id[:8], c.detector_id, c.windows, c.delta_value, nan if c.low is None else c.low,
         nan if c.high is None else c.high, c.shapley)
        for c in sorted(credits, key=lambda c: (-c.delta_value, c.braid_id))[:SHOWN]
    ]  # fmt: skip
    return TextTable(HEADER, rows)


PART = WeekPart("braid credit", inputs, make)
