"""module_numbers[day]: what the ledger's rows of the next day say of each module beyond who told whom what.

From the scored windows of the last learning days up to the day. The rows of record are in the sig database; once they
are committed the atlas takes them over, which may be repeated at any time. What the numbers are is
`lotus.atlas.numbers`.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from lotus.atlas.numbers import DAYS, ModuleNumbers, numbers_of_day
from lotus.atlas.series import MaturedWindows
from lotus.hashing import natural_id
from lotus.timebase import next_day
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import Made, Stage, StageContext, TextTable
from lotus_assets.stages.history import commits_before, hashes
from lotus_resources.recent_values import RecentKind
from lotus_store.columns import concatenated
from lotus_store.databases import Connection
from lotus_store.ledger import atlas
from lotus_store.ledger.bodies import to_body
from lotus_store.ledger.day_commits import DayCommit
from lotus_store.ledger.module_numbers import read_numbers, write_numbers

SCORES = "payoff_scores"
COLUMNS = ("window_end_ms", "horizon_s", "p", "published", "payoff_p", "payoff_y")
_SCORED = RecentKind("scored columns", 2 * DAYS)


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The scores of the day and of the learning days before it."""
    return {SCORES: content_of(ctx, ctx.branch, day, SCORES), **hashes(_evidence(ctx, day))}


def make(ctx: StageContext, day: str) -> Made:
    """Leave the numbers of every module to the commit."""
    days = _evidence(ctx, day)
    numbers = numbers_of_day(ctx.branch, day, _windows([_scores(ctx, commit) for commit in days]))

    def ledger(connection: Connection) -> None:
        write_numbers(connection, numbers)

    complete = sum(not reason for n in numbers for reason in _reasons(n))
    content = natural_id(STAGE.name, to_body(numbers))
    return Made(
        rows=len(numbers),
        content_hash=content,
        notes={"days": len(days), "told": complete},
        table=_table(numbers),
        ledger=ledger,
    )


def finish(ctx: StageContext, day: str) -> None:
    """Let the atlas take over what is committed."""
    with ctx.databases.connect("atlas") as connection:
        atlas.take_numbers(connection, read_numbers(ctx.sig, ctx.branch, day))


def _evidence(ctx: StageContext, day: str) -> list[DayCommit]:
    return commits_before(ctx, SCORES, next_day(day), DAYS)


def _scores(ctx: StageContext, commit: DayCommit) -> Mapping[str, np.ndarray]:
    key = (ctx.branch, commit.day, commit.content_hash)
    return ctx.recent.get(_SCORED, key, lambda: ctx.lake.read(SCORES, ctx.branch, commit.day, columns=COLUMNS))


def _windows(days: Sequence[Mapping[str, np.ndarray]]) -> MaturedWindows:
    rows = concatenated(days)
    return MaturedWindows(
        end_ms=rows["window_end_ms"].astype(np.int64),
        horizon_ms=rows["horizon_s"].astype(np.int64) * 1000,
        p=rows["p"].astype(np.float64),
        published=rows["published"].astype(np.bool_),
        paper=rows["payoff_p"].astype(np.float64),
        executed=rows["payoff_y"].astype(np.float64),
    )


def _reasons(n: ModuleNumbers) -> tuple[str, str, str]:
    return n.resonance_reason, n.observer_reason, n.entangled_reason


def _table(numbers: Sequence[ModuleNumbers]) -> TextTable:
    header = ModuleNumbers.__struct_fields__[2:]
    return TextTable(header, [["" if v is None else v for v in msgspec.structs.astuple(n)[2:]] for n in numbers])


STAGE = Stage("module_numbers", inputs, make, finish=finish)
