"""The frames of a day as the stages that score it share them: read once, and kept while the day is worked on.

One day is kept, since a day of frames is large. Whoever takes it does not write into the arrays.
"""

from lotus.microtape.frames.batch import FrameBatch
from lotus.timebase import day_start_ms
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.tape.microtape_frames import read_frames
from lotus_resources.recent_values import RecentKind

_FRAMES = RecentKind("frames", 1)


def warmed_frames(ctx: StageContext, day: str) -> FrameBatch:
    """Return the frames of the warm-up and of the day, in arrival order, without quotes and gaps."""
    key = (ctx.tape_branch, day, content_of(ctx, ctx.tape_branch, day, "microtape_frames"))
    return ctx.recent.get(_FRAMES, key, lambda: read_frames(ctx, day, warmup=True))


def day_frames(ctx: StageContext, day: str) -> FrameBatch:
    """Return the same frames without the warm-up's."""
    frames = warmed_frames(ctx, day)
    return frames if frames.in_day(day_start_ms(day)).all() else frames.of_day(day_start_ms(day))
