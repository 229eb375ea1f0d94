"""How stages read the tape: the hash of what a day depends on, and its decoded events.

raw_tape and microtape_frames of one day decode the same lines one after the other, so the last few decoded days are
kept in memory. Decoding itself is `lotus.microtape`, files are `lotus_store.tape`.
"""

import threading
from collections import OrderedDict

from lotus.hashing import natural_id
from lotus.microtape.events import EventBatch
from lotus.microtape.wire.reasons import DecodeReport
from lotus_assets.stages.context import StageContext

Decoded = tuple[EventBatch, DecodeReport]
_KEEP = 2
_recent: OrderedDict[str, Decoded] = OrderedDict()
_gate = threading.Lock()


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
    with _gate:
        if key in _recent:
            return _recent[key]
    decoded = ctx.tape.decode_day(day, ctx.manifest.universe, warmup=warmup)
    with _gate:
        _recent[key] = decoded
        while len(_recent) > _KEEP:
            _recent.popitem(last=False)
    return decoded
