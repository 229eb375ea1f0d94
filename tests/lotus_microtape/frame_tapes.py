"""The tapes on which the frames are tested: random events, a simulated day, a mutilated wire, a real recording."""

import random
from functools import cache
from pathlib import Path

import pandas as pd
import zstandard
from frame_oracle import oracle
from tape_cases import UNIVERSE, FrameSource, line, recording

from lotus.manifest import Asset
from lotus.microtape.events import EventBatch
from lotus.microtape.frames.samples import sample_events
from lotus.microtape.wire.decode import decode_lines

TAPES = ("random", "simulated", "mutilated", "recorded")
SIMULATED = Path(__file__).resolve().parents[2] / "fixtures" / "demo-7.zst"
_LINES = 20_000


@cache
def tape(name: str) -> tuple[EventBatch, tuple[Asset, ...]]:
    """Return the events and the assets they speak of; skips when the recording is absent."""
    if name == "random":
        return sample_events(21, 9_000, n_assets=2), UNIVERSE[:2]
    if name == "simulated":
        with SIMULATED.open("rb") as file:
            text = zstandard.ZstdDecompressor().stream_reader(file).read(9_000_000)
        lines = text.splitlines(keepends=True)[:_LINES]
        return decode_lines(b"".join(lines), UNIVERSE[:2])[0], UNIVERSE[:2]
    if name == "mutilated":
        return decode_lines(mutilated(7, 4_000), UNIVERSE)[0], UNIVERSE
    lines = recording("hyperliquid-2025-09-04/frames.jsonl.gz").splitlines(keepends=True)
    return decode_lines(b"".join(lines[:_LINES]), UNIVERSE[:2])[0], UNIVERSE[:2]


@cache
def expected(name: str, asset: int, cadence_ms: int = 200) -> pd.DataFrame:
    """Return what the slow implementation makes of one asset of a tape."""
    batch, universe = tape(name)
    return oracle(batch, asset, universe[asset].sz_decimals, cadence_ms)


def mutilated(seed: int, count: int) -> bytes:
    """Return lines of tape of which some were lost, doubled, cut, swapped or spoilt."""
    source, chance = FrameSource(seed), random.Random(seed)
    out: list[bytes] = []
    for recv_ns, frame in source.lines(count):
        odd = chance.random()
        if odd < 0.02:
            continue
        out.append(line(recv_ns, frame))
        if odd > 0.98:
            out.append(out[-1])
        if 0.97 < odd < 0.98 and len(out) > 1:
            out[-1], out[-2] = out[-2], out[-1]
    return b"".join(out)
