"""governance_week[day]: on a Monday (UTC) what governance decides once a week; nothing on other days.

Each part reads, makes one pure call and leaves its ledger rows to the one commit: the credit of experts and braids,
who is given compute, the ladder, what the braids that people spoke about were worth, and segments where they are
context. A part that another needs stands before it. Nothing is judged here.
"""

from collections.abc import Mapping

from lotus.hashing import natural_id
from lotus_assets.stages.context import Cell, Made, Stage, StageContext
from lotus_assets.stages.experts.judged_days import is_judged
from lotus_assets.stages.governance import (
    braid_week,
    compute_week,
    credit_week,
    ladder_week,
    review_week,
    segment_week,
)
from lotus_assets.stages.governance.week_part import PartMade
from lotus_assets.stages.lake_tables import joint_hash, parts_hash
from lotus_store.databases import Connection
from lotus_store.ledger.day_commits import read_commit

NAME = "governance_week"
PARTS = (credit_week.PART, braid_week.PART, compute_week.PART, ladder_week.PART, review_week.PART, segment_week.PART)
TABLES = [table for part in PARTS for table in part.tables]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """On a Monday what each part rests on; on other days nothing."""
    if not is_judged(day):
        return {}
    return {f"{part.name} {key}": value for part in PARTS for key, value in part.inputs(ctx, day).items()}


def make(ctx: StageContext, day: str) -> Made:
    """Make every part in order on a Monday; an empty result on other days."""
    if not is_judged(day):
        return Made(0, _no_monday(), notes={"decided": "on Mondays"})
    made: dict[str, PartMade] = {}
    for part in PARTS:
        made[part.name] = part.make(ctx, day, made)
    works = [one.ledger for one in made.values() if one.ledger is not None]

    def ledger(connection: Connection) -> None:
        for work in works:
            work(connection)

    decided = natural_id(*(one.decided for one in made.values() if one.decided))
    notes: dict[str, Cell] = {f"{name} {k}": v for name, one in made.items() for k, v in one.notes.items()}
    written = joint_hash(TABLES, [digest for one in made.values() for digest in one.written])
    return Made(
        rows=sum(one.rows for one in made.values()),
        content_hash=natural_id(written, decided),
        checks=tuple(check for one in made.values() for check in one.checks),
        notes={**notes, "decided": decided},
        table=next((one.table for one in made.values() if one.table is not None), None),
        ledger=ledger,
    )


def present(ctx: StageContext, day: str) -> str:
    """Hash of the files of the week that are there, with what its commit decided beside them."""
    if not is_judged(day):
        return _no_monday()
    written, commit = parts_hash(ctx, ctx.branch, day, TABLES), read_commit(ctx.sig, ctx.branch, day, NAME)
    return natural_id(written, str(commit.notes["notes"]["decided"])) if written and commit is not None else ""


def _no_monday() -> str:
    return natural_id(NAME, "no Monday")


STAGE = Stage(NAME, inputs, make, present)
