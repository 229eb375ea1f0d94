"""One pass over packed segments gives what decoding a whole day and framing it gives, and sees what looks ahead."""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest

from lotus.manifest import Asset, Manifest
from lotus.microtape.completeness import prints_of
from lotus.microtape.events import EventBatch
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import FrameStream, build_frames
from lotus.microtape.frames.spec import C_VWAP, I_ASSET
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.tape import tape_input


def test_one_pass_is_the_decoded_day_and_its_frames(ctx: StageContext, days: list[str]) -> None:
    for day in days[:2]:
        passed = tape_input.read_day(ctx, day, keep=True)
        events, report = ctx.tape.decode_day(day, ctx.manifest.universe)
        assert passed.report == report
        for field in fields(EventBatch):
            if field.name not in ("off", "pool"):
                assert np.array_equal(getattr(passed.events, field.name), getattr(events, field.name)), field.name
        warmed, _ = ctx.tape.decode_day(day, ctx.manifest.universe, warmup=True)
        frames = build_frames(warmed, ctx.manifest, ctx.manifest.universe)
        assert passed.frames.content_hash() == frames.content_hash()
        assert passed.n_events == len(warmed)
        assert np.array_equal(passed.prints.seq, prints_of(warmed).seq)
        assert passed.no_look_ahead.passed
        assert float(passed.no_look_ahead.numbers["share"]) > 0.2
        assert tape_input.read_day(ctx, day, keep=False) is passed
        assert tape_input.read_day(ctx, day, keep=False) is not passed, "it was taken"


@pytest.mark.parametrize("asset", [None, 1])
def test_frames_that_know_the_end_of_their_piece_are_found(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch, asset: int | None
) -> None:
    class Leaking(FrameStream):
        def feed(self, batch: EventBatch) -> FrameBatch:
            made = super().feed(batch)
            rows = slice(None) if asset is None else made.ints[:, I_ASSET] == asset
            made.floats[rows, C_VWAP] = float(batch.recv_ns[-1] % 1_000_003)
            return made

    monkeypatch.setattr(tape_input, "FrameStream", Leaking)
    found = tape_input.read_day(ctx, days[0], keep=False).no_look_ahead
    assert not found.passed
    assert "vwap_bps" in found.text


class KnowsTheDay(FrameStream):
    """Its prices know how many frames the day will have."""

    def __init__(self, manifest: Manifest, universe: Sequence[Asset], room: int = 0) -> None:
        super().__init__(manifest, universe, room)
        self.room = room

    def feed(self, batch: EventBatch) -> FrameBatch:
        made = super().feed(batch)
        made.floats[:, C_VWAP] = self.room
        return made


class Amends(FrameStream):
    """The last closed frame is written once more when the next events are known."""

    def feed(self, batch: EventBatch) -> FrameBatch:
        before = self.frames()
        before.floats[-1:, C_VWAP] = float(batch.recv_ns[-1] % 1_000_003) if len(batch) else 0.0
        return super().feed(batch)


class Finishes(FrameStream):
    """The day is put right when it is over."""

    def frames(self) -> FrameBatch:
        whole = super().frames()
        return replace(whole, floats=whole.floats - whole.floats[:1])


class Remembers(FrameStream):
    """Its memory, of which no row of the piece tells, knows the last event of a piece."""

    def feed(self, batch: EventBatch) -> FrameBatch:
        made = super().feed(batch)
        self._state["oi_prev"] += float(batch.recv_ns[0] % 1_000_003) if len(batch) else 0.0
        return made


@pytest.mark.parametrize(
    ("leak", "what"), [(KnowsTheDay, "vwap"), (Amends, "vwap"), (Finishes, "piece 0 "), (Remembers, "state")]
)
def test_other_ways_to_know_what_comes_are_found(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch, leak: type[FrameStream], what: str
) -> None:
    monkeypatch.setattr(tape_input, "FrameStream", leak)
    found = tape_input.read_day(ctx, days[0], keep=False).no_look_ahead
    assert not found.passed
    assert what in found.text
