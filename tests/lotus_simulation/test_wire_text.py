"""Text of frames: numbers as the venue spells them, key order as in real captures."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.simulation.spec import WorldSpec
from lotus.simulation.wire_text import put_fixed, put_uint
from lotus.simulation.world import World

CAPTURES = Path(__file__).parents[2].parent / "shared/data/hyperliquid-frames/frames.jsonl"
SHORT = WorldSpec("demo", 3, 1, sessions=(("08:00", "08:04"), ("14:00", "14:04")))


@pytest.fixture(scope="module")
def frames() -> list[dict[str, Any]]:
    lines = b"".join(text for _, text in World(SHORT).day_pieces(0)).split(b"\n")[:-1]
    out = []
    for line in lines:
        raw = line.split(b" ", 1)[1]
        frame = json.loads(raw)
        assert json.dumps(frame, separators=(",", ":")).encode() == raw
        out.append(frame)
    return out


@given(st.integers(-(10**15), 10**15), st.integers(0, 10))
def test_fixed_text_is_the_exact_decimal_without_spare_zeros(value: int, decimals: int) -> None:
    out = np.zeros(64, dtype=np.uint8)
    text = out[: put_fixed(out, 0, value, decimals)].tobytes().decode()
    assert Decimal(text) == Decimal(value).scaleb(-decimals)
    whole, part = text.split(".")
    assert part == "0" or not part.endswith("0")
    assert whole.lstrip("-") == str(abs(value) // 10**decimals)


@given(st.integers(0, 2**62))
def test_uint_text(value: int) -> None:
    out = np.zeros(32, dtype=np.uint8)
    assert out[: put_uint(out, 0, value)].tobytes().decode() == str(value)


def shape(value: Any) -> Any:
    """Return a frame's keys in order, with the first element standing for a list."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def kind(frame: dict[str, Any]) -> str:
    fast = isinstance(frame.get("data"), dict) and frame["data"].get("fast")
    return f"{frame['channel']}{' fast' if fast else ''}"


@pytest.mark.recordings
def test_frames_have_the_shape_of_real_captures(frames: list[dict[str, Any]]) -> None:
    if not CAPTURES.exists():
        pytest.skip(f"no real captures at {CAPTURES}")
    real: dict[str, list[Any]] = {}
    for line in CAPTURES.read_text().splitlines():
        frame = json.loads(line)["frame"]
        real.setdefault(kind(frame), []).append(shape(frame))
    seen = {}
    for frame in frames:
        seen.setdefault(kind(frame), frame)
    for name in ("bbo", "l2Book fast", "trades", "activeAssetCtx", "pong"):
        assert shape(seen[name]) in real[name], name


def test_every_kind_of_frame_is_there(frames: list[dict[str, Any]]) -> None:
    kinds = {kind(frame) for frame in frames}
    wanted = {"subscriptionResponse", "trades", "bbo", "l2Book", "l2Book fast", "activeAssetCtx", "pong"}
    assert kinds == wanted


def test_books_are_sorted_and_never_crossed(frames: list[dict[str, Any]]) -> None:
    books = [f["data"] for f in frames if f["channel"] == "l2Book"]
    for book in books:
        depth = 5 if "fast" in book else 20
        bids, asks = ([Decimal(level["px"]) for level in side] for side in book["levels"])
        assert len(bids) == len(asks) == depth
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert bids[0] < asks[0]
        assert all(Decimal(level["sz"]) > 0 and level["n"] > 0 for side in book["levels"] for level in side)
