"""Lines of a tape and what both decoders make of them."""

import numpy as np
from tape_cases import UNIVERSE, recording

from lotus.manifest import Asset
from lotus.microtape.events import EventBatch, EventInput, EventKind, build_batch
from lotus.microtape.wire.decode import Decoder, decode_lines
from lotus.microtape.wire.reasons import DecodeReport


def _live(pairs: list[tuple[int, bytes]], decoder: Decoder) -> EventBatch:
    events = []
    for seq, (recv_ns, frame) in enumerate(pairs):
        got = decoder.decode_line(recv_ns, frame, seq)
        if got.kind:
            values = tuple(int(value) for value in decoder.pool[: got.end])
            events.append(EventInput(recv_ns, got.time_ms, seq, EventKind(got.kind), got.asset, values))
    return build_batch(events)


def _equal(one: EventBatch, other: EventBatch) -> bool:
    names = ("recv_ns", "time_ms", "seq", "kind", "asset", "off", "pool")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def _report(name: str, universe: tuple[Asset, ...] = UNIVERSE) -> tuple[EventBatch, DecodeReport]:
    lines = recording(name)
    batch, report = decode_lines(lines, universe)
    batch.check()
    pairs = [(int(text.split(b" ", 1)[0]), text.split(b" ", 1)[1]) for text in lines.splitlines()]
    assert _equal(_live(pairs, Decoder(universe)), batch)
    assert report.reasons == {}
    return batch, report
