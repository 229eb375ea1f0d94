"""Triggers over the real recording of 4 September 2025: live equal to batch, one asset beside the others, plausible."""

import gzip
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from lotus.manifest import Asset, Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.spec import C_MID, I_ASSET, I_END
from lotus.microtape.wire.decode import decode_lines
from lotus.triggers.checker import read_trigger
from lotus.triggers.events import EvaluationStatus
from lotus.triggers.watcher import Watcher, WatchPlan

RECORDING = Path(__file__).resolve().parents[3] / "shared" / "data" / "hyperliquid-2025-09-04" / "frames.jsonl.gz"
UNIVERSE = (Asset("BTC", 5), Asset("ETH", 4), Asset("SOL", 2))
TEXTS = (
    "breakout(lookback=5, band=0.5sigma) AND retest(level=prev_high, tol=0.02%) WITHIN 10m",
    "breakout(5, side=down, bar=10s) AND NOT cross(vwap, side=up) AND spread_bps < 3 WITHIN 1m",
    "cross(vwap, lookback=3) OR touch(prev_low, tol=1bps, lookback=3)",
)
pytestmark = [
    pytest.mark.recordings,
    pytest.mark.skipif(not RECORDING.exists(), reason=f"the real recording {RECORDING} is not beside the checkout"),
]


@cache
def frames() -> FrameBatch:
    return build_frames(decode_lines(gzip.decompress(RECORDING.read_bytes()), UNIVERSE)[0], Manifest(), UNIVERSE)


@pytest.mark.parametrize("text", TEXTS)
def test_live_is_batch_on_real_frames(text: str) -> None:
    batch, fired = frames(), 0
    for index, asset in enumerate(UNIVERSE):
        plan = WatchPlan(asset, index, once=False)
        live = Watcher(read_trigger(text), plan)
        one_by_one = [e for k in range(len(batch)) for e in live.step(batch.ints[k], batch.floats[k])]
        mine = batch.ints[:, I_ASSET] == index
        whole = Watcher(read_trigger(text), plan).run(batch.ints, batch.floats)
        assert repr(one_by_one) == repr(list(whole))
        assert Watcher(read_trigger(text), plan).run(batch.ints[mine], batch.floats[mine]) == whole
        fired += sum(e.status is EvaluationStatus.FIRED for e in whole)
        mids = dict(zip(batch.ints[mine, I_END].tolist(), batch.floats[mine, C_MID].tolist(), strict=True))
        for event in whole:
            assert event.mid == mids[event.time_ms] / 10**asset.px_decimals
    assert fired > 0


def test_levels_are_the_extremes_of_the_recorded_minutes() -> None:
    batch = frames()
    rows = batch.ints[:, I_ASSET] == 0
    end, mid = batch.ints[rows, I_END], batch.floats[rows, C_MID] / 10
    events = Watcher(read_trigger("breakout(3)"), WatchPlan(UNIVERSE[0], 0, once=False)).run(batch.ints, batch.floats)
    assert events
    for event in events:
        minute = (event.time_ms - 1) // 60_000
        seen = ((end - 1) // 60_000 >= minute - 3) & ((end - 1) // 60_000 < minute)
        assert event.happenings[0].level == np.nanmax(mid[seen])
        assert event.mid is not None
        assert event.mid > np.nanmax(mid[seen])


def test_a_watch_that_ends_early_says_what_the_long_one_said_until_then() -> None:
    batch, plan = frames(), WatchPlan(UNIVERSE[1], 1, once=False)
    whole = Watcher(read_trigger(TEXTS[2]), plan).run(batch.ints, batch.floats)
    until = whole[len(whole) // 2].time_ms
    short = Watcher(read_trigger(TEXTS[2]), replace(plan, valid_until_ms=until)).run(batch.ints, batch.floats)
    assert short[:-1] == tuple(e for e in whole if e.time_ms <= until)
    assert short[-1].status is EvaluationStatus.EXPIRED
