"""How stages read the tape: the hash of what a day depends on, and its decoded events.

raw_tape and microtape_frames of one day decode the same lines one after the other, so the last few decoded days are
kept in memory. Decoding itself is `lotus.microtape`, files are `lotus_store.tape`.
"""

from functools import partial

from lotus.hashing import natural_id
from lotus.microtape.events import EventBatch
from lotus.microtape.wire.reasons import DecodeReport
from lotus_assets.stages.context import StageContext
from lotus_resources.recent_values import RecentKind

Decoded = tuple[EventBatch, DecodeReport]
_DECODED = RecentKind("decoded days", 2)


def tape_hash(ctx: StageContext, day: str, warmup: bool = True) -> str:
    """Return the hash of header, universe and of every segment that `day` (with its warm-up) reads."""
    header = ctx.tape.header()
    before = ctx.tape.warmup_segments(day) if warmup else []
    segments = [*before, *ctx.tape.segments(day)]
    units = [word for asset in ctx.manifest.universe for word in (asset.name, asset.sz_decimals)]
    hours = [hour for session in header.sessions for hour in session]
    return natural_id(*units, *hours, *(word for s in segments for word in (s.day, s.first_seq, s.content_sha256)))


def read_day(ctx: StageContext, day: str, warmup: bool) -> Decoded:
    """Return events and report of a day; with `warmup` since the birth of its state (those line numbers are negative).

    Raises `TapeError` when a segment is missing or damaged.
    """
    warmup = warmup and bool(ctx.tape.warmup_segments(day))
    key = natural_id(str(ctx.tape.folder), tape_hash(ctx, day, warmup), warmup)
    decode = partial(ctx.tape.decode_day, day, ctx.manifest.universe, warmup=warmup)
    return ctx.recent.get(_DECODED, (key,), decode)
