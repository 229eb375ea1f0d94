"""Laws of the frame machine: live equals batch, no look-ahead, assets apart."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from lotus.errors import ConfigError
from lotus.manifest import KernelDefaults, Manifest
from lotus.microtape.events import EventBatch, EventInput, EventKind, build_batch
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import FrameMachine, FrameStream, build_frames
from lotus.microtape.frames.samples import sample_events
from lotus.microtape.frames.spec import (
    GAP_BEFORE,
    I_ASSET,
    I_SEQ,
    MICROTAPE_QUOTES,
    NO_QUOTE,
)

MANIFEST = Manifest()
UNIVERSE = MANIFEST.universe


def manifest_at(cadence_ms: int) -> Manifest:
    return dataclasses.replace(MANIFEST, kernel=KernelDefaults(cadence_ms=cadence_ms))


def fed(batch: EventBatch, manifest: Manifest = MANIFEST) -> FrameBatch:
    """Frames made one event at a time."""
    machine = FrameMachine(manifest, UNIVERSE)
    parts: list[list[np.ndarray]] = [[], [], [], []]
    for i in range(len(batch)):
        closed = machine.feed(
            int(batch.recv_ns[i]), int(batch.time_ms[i]), int(batch.seq[i]), int(batch.kind[i]), int(batch.asset[i]),
            batch.payload(i),
        )  # fmt: skip
        assert closed == len(machine.ints) == len(machine.floats)
        for part, rows in zip(parts, (machine.ints, machine.floats, machine.quotes, machine.gaps), strict=True):
            part.append(rows.copy())
    return FrameBatch(UNIVERSE, manifest.kernel.cadence_ms, *(np.concatenate(part) for part in parts))


def same_bits(a: FrameBatch, b: FrameBatch) -> None:
    assert np.array_equal(a.ints, b.ints)
    assert a.floats.tobytes() == b.floats.tobytes()
    assert np.array_equal(a.quotes, b.quotes)
    assert np.array_equal(a.gaps, b.gaps)
    assert a.content_hash() == b.content_hash()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("cadence_ms", [50, 200, 1000])
def test_live_equals_batch_bit_by_bit(seed: int, cadence_ms: int) -> None:
    batch, manifest = sample_events(seed, 6_000), manifest_at(cadence_ms)
    frames = build_frames(batch, manifest, UNIVERSE)
    assert len(frames) > 100
    assert len(frames.gaps) > 0
    same_bits(fed(batch, manifest), frames)


def test_a_truncated_tape_gives_the_prefix() -> None:
    batch = sample_events(11, 8_000)
    whole = build_frames(batch, MANIFEST, UNIVERSE)
    for cut in np.random.default_rng(0).integers(0, len(batch), 25):
        part = build_frames(batch.slice(0, int(cut)), MANIFEST, UNIVERSE)
        last = batch.seq[cut - 1] if cut else -1
        n, q = int(np.sum(whole.ints[:, I_SEQ] <= last)), int(np.sum(whole.quotes[:, 1] <= last))
        assert len(part) == n
        assert part.floats.tobytes() == whole.floats[:n].tobytes()
        assert np.array_equal(part.ints, whole.ints[:n])
        assert np.array_equal(part.quotes, whole.quotes[:q])


def test_an_asset_does_not_see_the_others() -> None:
    batch = sample_events(5, 6_000)
    whole = build_frames(batch, MANIFEST, UNIVERSE)
    for asset in range(3):
        keep = np.flatnonzero(batch.asset == asset)
        lengths = np.diff(batch.off)[keep]
        pool = np.concatenate([batch.payload(int(i)) for i in keep])
        off = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        columns = [getattr(batch, name)[keep] for name in ("recv_ns", "time_ms", "seq", "kind", "asset")]
        alone = build_frames(EventBatch(*columns, off, pool), MANIFEST, UNIVERSE)
        mine = whole.ints[:, I_ASSET] == asset
        assert np.array_equal(alone.ints, whole.ints[mine])
        assert alone.floats.tobytes() == whole.floats[mine].tobytes()


def test_frames_of_one_life_follow_each_other() -> None:
    frames = build_frames(sample_events(8, 20_000), MANIFEST, UNIVERSE)
    columns = frames.columns(1)
    step = np.diff(columns["frame_idx"])
    after_gap = (columns["quality"][1:] & GAP_BEFORE) > 0
    assert np.all(step[~after_gap] == 1)
    assert np.all(step[after_gap] > MANIFEST.kernel.gap_ms // 200 - 1)
    assert int(after_gap.sum()) == len(frames.gap_columns(1)["seq"])
    assert np.array_equal(columns["gap_flag"] > 0, (columns["quality"] & GAP_BEFORE) > 0)
    assert np.array_equal(columns["end_ms"], columns["frame_idx"] * 200)


def test_quotes_are_two_sided_and_in_order() -> None:
    frames = build_frames(sample_events(9, 10_000), MANIFEST, UNIVERSE)
    quotes = frames.quote_columns()
    assert tuple(quotes) == MICROTAPE_QUOTES.names
    assert np.all(quotes["bid_px"] > 0)
    assert np.all(quotes["ask_px"] > quotes["bid_px"])
    assert np.all(np.diff(quotes["seq"]) > 0)
    for asset in range(3):
        assert np.all(np.diff(frames.quote_columns(asset)["time_ms"]) >= 0)


@pytest.mark.parametrize(("cadence_ms", "gap_ms"), [(49, 10_000), (1_001, 10_000), (300, 10_000), (200, 100)])
def test_a_bad_cadence_is_refused(cadence_ms: int, gap_ms: int) -> None:
    manifest = dataclasses.replace(MANIFEST, kernel=KernelDefaults(cadence_ms=cadence_ms, gap_ms=gap_ms))
    with pytest.raises(ConfigError):
        FrameMachine(manifest, UNIVERSE)


def test_trades_without_quotes_are_in_frames_that_say_so() -> None:
    """Quotes die at 0 s, trading pauses, and goes on without them: two prints a second apart end the gap."""
    start = 1_757_000_000_000
    rows = [(EventKind.BBO, start, (100, 5, 1, 101, 5, 1))]
    rows += [(EventKind.TRADES, start + at, (100, 5, 1, start + at, at)) for at in range(30_000, 60_001, 500)]
    batch = build_batch(
        [EventInput((at + 100) * 1_000_000, at, seq, kind, 0, values) for seq, (kind, at, values) in enumerate(rows)]
    )
    frames = build_frames(batch, MANIFEST, UNIVERSE)
    same_bits(frames, fed(batch))
    assert frames.gaps[:, 1:3].tolist() == [[start, start + 31_000]]
    columns = frames.columns()
    assert columns["trade_n"].sum() == 58, "all but the two before the gap was over and the one in the open frame"
    assert np.all(columns["quality"][columns["trade_n"] > 0] & NO_QUOTE)


@pytest.mark.parametrize("room", [0, 7, 10**5])
def test_a_stream_cut_anywhere_gives_the_frames_of_the_whole_and_a_fork_goes_on_from_there(room: int) -> None:
    batch = sample_events(4, 4_000)
    stream, cuts = FrameStream(MANIFEST, UNIVERSE, room), [0, 1, 900, 901, 2_500, len(batch)]
    for first, stop in pairwise(cuts):
        fork, before = FrameStream(MANIFEST, UNIVERSE).going_on(stream), len(stream.frames())
        made = stream.feed(batch.slice(first, stop))
        assert len(stream.frames()) == before + len(made)
        same_bits(fork.feed(batch.slice(first, stop)), made)
    same_bits(stream.frames(), build_frames(batch, MANIFEST, UNIVERSE))
