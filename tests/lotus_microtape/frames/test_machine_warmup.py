"""After a gap an asset starts anew: bits of a fresh start, and nothing rolling before it has warmed up."""

import numpy as np
import pytest
from frame_tapes import tape

from lotus.manifest import Manifest
from lotus.microtape.events import EventBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.samples import sample_events
from lotus.microtape.frames.spec import FLOAT_COLUMNS, FLOAT_NAMES, GAP_BEFORE, WARMUP, Null

MANIFEST = Manifest()
BAR_FRAMES = 60_000 // MANIFEST.kernel.cadence_ms
ROLLING = tuple(column.name for column in FLOAT_COLUMNS if column.null in (Null.BAR, Null.RANKED))


def spliced(seed: int, pause_ms: int) -> EventBatch:
    """Random events of one asset whose second half comes `pause_ms` later."""
    batch = sample_events(seed, 12_000, n_assets=1)
    later = np.arange(len(batch)) >= len(batch) // 2
    pool = batch.pool.copy()
    for i in np.flatnonzero(later & (batch.kind == 4)):
        pool[batch.off[i] + 3 : batch.off[i + 1] : 5] += pause_ms
    time_ms = np.where(later & (batch.time_ms >= 0), batch.time_ms + pause_ms, batch.time_ms)
    recv_ns = np.where(later, batch.recv_ns + pause_ms * 1_000_000, batch.recv_ns)
    return EventBatch(recv_ns, time_ms, batch.seq, batch.kind, batch.asset, batch.off, pool)


@pytest.mark.parametrize("name", ["random", "simulated"])
def test_after_a_gap_the_bits_are_those_of_a_fresh_start(name: str) -> None:
    batch, universe = tape(name)
    whole = build_frames(batch, MANIFEST, universe)
    batches = [(asset, seq) for asset, _, _, seq in whole.gaps.tolist()]
    assert batches or name == "simulated"
    for asset, seq in batches:
        fresh = build_frames(batch.slice(int(np.searchsorted(batch.seq, seq)), len(batch)), MANIFEST, universe)
        mine, theirs = whole.columns(asset), fresh.columns(asset)
        n = len(theirs["end_ms"])
        first = mine["close_seq"] > seq
        assert first.sum() == n
        assert mine["gap_flag"][first][0] == 1
        assert theirs["gap_flag"][0] == 0
        theirs["gap_flag"][0], theirs["quality"][0] = 1, theirs["quality"][0] | GAP_BEFORE
        for column, values in theirs.items():
            assert mine[column][first].tobytes() == values.tobytes(), column


@pytest.mark.parametrize("seed", [31, 32])
def test_rolling_columns_are_null_until_they_have_warmed_up_again(seed: int) -> None:
    frames = build_frames(spliced(seed, 3_600_000), MANIFEST, tape("random")[1][:1])
    columns = frames.columns()
    births = np.concatenate([[0], np.flatnonzero(columns["gap_flag"] > 0)])
    assert np.max(np.diff(columns["end_ms"])) >= 3_600_000
    ages = np.arange(len(frames)) - births[np.searchsorted(births, np.arange(len(frames)), side="right") - 1]
    assert np.array_equal((columns["quality"] & WARMUP) > 0, ages < BAR_FRAMES)
    assert max(ages) > 3 * BAR_FRAMES
    for name in ROLLING:
        assert np.isnan(columns[name][ages < BAR_FRAMES]).all(), name
        assert not np.isnan(columns[name]).all(), name
    assert np.isnan(columns["range_pctl"][ages < 2 * BAR_FRAMES]).all()
    for name in ("ret_bps", "oi_delta", "rv_bps"):
        assert np.isnan(columns[name][births]).all(), name
    traded = columns["volume_usd"] > 0
    for start, stop in zip(births, [*births[1:], len(frames)], strict=True):
        first = start + np.flatnonzero(traded[start:stop])[:32]
        assert np.isnan(columns["vol_rel"][first]).all()


def test_the_bar_forgets_what_is_older_than_a_minute() -> None:
    """Two pasts of other prices, then the same events: after 60 s the bar's columns are the same bits."""
    batch = sample_events(8, 8_000, n_assets=1)
    changed_ms = int(batch.time_ms[batch.time_ms >= 0][1_500])
    pool = batch.pool.copy()
    for i in np.flatnonzero((batch.time_ms < changed_ms) & (batch.kind == 3)):
        pool[batch.off[i]] -= 500 * (pool[batch.off[i]] > 0)
    other = EventBatch(batch.recv_ns, batch.time_ms, batch.seq, batch.kind, batch.asset, batch.off, pool)
    universe = tape("random")[1][:1]
    a, b = (build_frames(events, MANIFEST, universe) for events in (batch, other))
    late = a.ints[:, 2] > changed_ms + 61_000
    assert late.sum() > 600
    for name in ("wick_up_bps", "wick_dn_bps", "body_bps", "close_loc"):
        k = FLOAT_NAMES.index(name)
        assert not np.isnan(a.floats[late, k]).all(), name
        assert a.floats[late, k].tobytes() == b.floats[late, k].tobytes(), name
        assert a.floats[~late, k].tobytes() != b.floats[~late, k].tobytes(), name
