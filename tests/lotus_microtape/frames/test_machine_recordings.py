"""Frames of the real recordings: live equals batch through both decoders, outages become gaps."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from lotus.manifest import Asset, Manifest
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.line_machine import LineMachine
from lotus.microtape.wire.decode import decode_lines

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
FOUR = (Asset("BTC", 5), Asset("ETH", 4), Asset("SOL", 2), Asset("WLFI", 0))
CASES = {
    "hyperliquid-2025-01-26-raw/btcusd_20250126.gz": (FOUR[:1], 0),
    "hyperliquid-2025-09-03-outages/frames.jsonl.gz": (FOUR, 2),
    "hyperliquid-2025-09-04/frames.jsonl.gz": (FOUR, 1),
}


@pytest.mark.recordings
@pytest.mark.parametrize("name", CASES)
def test_live_equals_batch_on_a_recording(name: str) -> None:
    if not (DATA / name).exists():
        pytest.skip(f"the recording {name} is not beside the checkout")
    universe, outages = CASES[name]
    raw = gzip.decompress((DATA / name).read_bytes())
    frames = build_frames(decode_lines(raw, universe)[0], Manifest(), universe)
    machine = LineMachine(Manifest(), universe)
    ints, floats = [], []
    for seq, line in enumerate(raw.splitlines()):
        stamp, _, frame = line.partition(b" ")
        for row_ints, row_floats in machine.rows[: machine.feed(int(stamp), seq, frame)]:
            ints.append(row_ints.copy())
            floats.append(row_floats.copy())
    assert np.array_equal(np.array(ints), frames.ints)
    assert np.array(floats).tobytes() == frames.floats.tobytes()
    for asset in range(len(universe)):
        assert len(frames.gap_columns(asset)["seq"]) == outages
