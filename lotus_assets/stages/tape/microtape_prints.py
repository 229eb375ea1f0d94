"""microtape_prints[day]: every print of the day, each once: what an order at rest waits for.

Made in the pass over the tape that raw_tape and microtape_frames share. Frames hold sums of prints, and nothing else
reads them one by one.
"""

from collections.abc import Mapping

from lotus.microtape.prints import MICROTAPE_PRINTS, print_columns
from lotus_assets.stages.context import Made, Stage, StageContext
from lotus_assets.stages.lake_tables import TablePart, joint_hash, present_of
from lotus_assets.stages.schema_check import schema_check, together
from lotus_assets.stages.tape.tape_input import read_day, tape_hash


def parts(ctx: StageContext) -> list[TablePart]:
    """Return the parts of a day: one per symbol."""
    return [TablePart(MICROTAPE_PRINTS, asset.name) for asset in ctx.manifest.universe]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The tape of the day, with the evening that warms it: they are read in one pass."""
    return {"tape": tape_hash(ctx, day)}


def make(ctx: StageContext, day: str) -> Made:
    """Write the prints, symbol by symbol."""
    trades, rows, hashes, fits = read_day(ctx, day, keep=True).trades, 0, [], []
    for index, part in enumerate(parts(ctx)):
        table = print_columns(trades, index)
        written = ctx.lake.write(part.spec, ctx.tape_branch, day, table, part.symbol)
        rows += written.rows
        hashes.append(written.content_hash)
        fits.append(schema_check(part.spec, table))
    return Made(rows, joint_hash(parts(ctx), hashes), (together("schema", *fits),))


STAGE = Stage("microtape_prints", inputs, make, present_of(parts, on_tape=True))
