"""The tape that the outcomes of a day are judged against: all of the day, and the end of the day before.

A window that matures on the day began at most the longest horizon before it. What was received earlier is not kept,
but for the row from which running maxima of venue time go on as they were. Nothing is judged here.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np

from lotus.manifest import Manifest
from lotus.microtape.frames.spec import MICROTAPE_QUOTES, TAPE_GAPS
from lotus.microtape.prints import MICROTAPE_PRINTS
from lotus.outcomes.styles import StyleTape
from lotus.timebase import NS_PER_MS, day_start_ms, next_day
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.lake_tables import LakeTable
from lotus_resources.recent_values import RecentKind
from lotus_store.columns import concatenated
from lotus_store.ledger.day_commits import read_commit

_FRAMES, _QUOTES, _PRINTS = "microtape_frames", MICROTAPE_QUOTES.name, MICROTAPE_PRINTS.name
_BOTH_DAYS, _ENDINGS = RecentKind("quotes", 1), RecentKind("endings of quotes", 1)
_CLOCKS_MS = 600_000  # twice what a venue's time may be ahead of its receive stamp


def style_tape(ctx: StageContext, day: str, prints: bool = True) -> StyleTape:
    """Return quotes, gaps and, where they are asked for, prints that windows maturing on the day can meet.

    Nobody may write into the arrays.
    """
    days = [d for d in (next_day(day, -1), day) if read_commit(ctx.sig, ctx.tape_branch, d, _FRAMES) is not None]
    key = (ctx.tape_branch, day, *(content_of(ctx, ctx.tape_branch, d, _FRAMES) for d in days))
    quotes = ctx.recent.get(_BOTH_DAYS, key, partial(_quotes, ctx, day, days))
    trades: LakeTable = {}
    if prints:
        printed = [d for d in days if read_commit(ctx.sig, ctx.tape_branch, d, _PRINTS) is not None]
        trades = _joined(ctx, [_read(ctx, _PRINTS, d, "" if d == day else day) for d in printed])
    gaps = concatenated([ctx.lake.read(TAPE_GAPS.name, ctx.tape_branch, d) for d in days])
    return StyleTape(quotes, trades, gaps)


def first_end_ms(manifest: Manifest, day: str) -> int:
    """Return the earliest end of a window that matures on the day, in ms."""
    return day_start_ms(day) - 1_000 * max(manifest.outcomes.horizons_s)


def ending(table: LakeTable, from_ms: int) -> LakeTable:
    """Return copies of the rows of one asset, in order of arrival, that matter to who looks from a time on.

    They begin with the latest row received before it that was the newest by venue time, so the newest time of all rows
    so far is that of these.
    """
    times = table["time_ms"][: np.searchsorted(table["recv_ns"], from_ms * NS_PER_MS)].astype(np.int64)
    newest = np.flatnonzero(times == np.maximum.accumulate(times))
    first = int(newest[-1]) if len(newest) else 0
    return {name: values[first:].copy() for name, values in table.items()}


def _quotes(ctx: StageContext, day: str, days: list[str]) -> LakeTable:
    """Return the quotes of the day after the end of the day before, and keep the end of the day for the next one."""
    parts = []
    for d in days[:-1]:
        parts.append(ctx.recent.get(_ENDINGS, _key(ctx, d), partial(_read, ctx, _QUOTES, d, day)))
    whole = _read(ctx, _QUOTES, day)
    ctx.recent.put(_ENDINGS, _key(ctx, day), {s: _ending_for(ctx, t, next_day(day)) for s, t in whole.items()})
    return _joined(ctx, [*parts, whole])


def _key(ctx: StageContext, day: str) -> tuple[str, ...]:
    return (ctx.tape_branch, day, content_of(ctx, ctx.tape_branch, day, _FRAMES))


def _read(ctx: StageContext, name: str, day: str, judged: str = "") -> Mapping[str, LakeTable]:
    """Return a table of the tape's day by symbol, of the day before a `judged` one its end."""
    read = {asset.name: ctx.lake.read(name, ctx.tape_branch, day, asset.name) for asset in ctx.manifest.universe}
    return {symbol: _ending_for(ctx, table, judged) for symbol, table in read.items()} if judged else read


def _ending_for(ctx: StageContext, table: LakeTable, day: str) -> LakeTable:
    return ending(table, first_end_ms(ctx.manifest, day) - ctx.manifest.kernel.window_ms - _CLOCKS_MS)


def _joined(ctx: StageContext, days: list[Mapping[str, LakeTable]]) -> LakeTable:
    return concatenated([of_day[asset.name] for asset in ctx.manifest.universe for of_day in days])
