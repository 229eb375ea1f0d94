"""Frames around a window: what stands is the newest, what flows is summed, experts are those that spoke that day."""

from pathlib import Path

import numpy as np
import pytest

from lotus.columns import TableSpec
from lotus.experts.annotation_spec import DSI_ANNOTATIONS, DSI_WINDOWS, EXPERTS
from lotus.microtape.frames.spec import MICROTAPE_FRAMES
from lotus.timebase import day_start_ms
from lotus_store.config import Settings
from lotus_store.facts.frames import AFTER_MS, BEFORE_MS, MOST_POINTS, FrameReader
from lotus_store.lake import Lake

DAY = "2026-01-05"
CADENCE_MS = 200


def write(lake: Lake, spec: TableSpec, branch: str, day: str, rows: int, **given: object) -> None:
    """Write a part of BTC: the given columns, zeros elsewhere."""
    columns = {c.name: np.zeros(rows, spec.numpy_dtype(c.name)) for c in spec.columns}
    columns |= {name: np.asarray(values, spec.numpy_dtype(name)) for name, values in given.items()}
    lake.write(spec, branch, day, columns, "BTC")


def made(tmp_path: Path, hours: int = 1) -> tuple[FrameReader, Lake, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return a reader over the first hours of a day, whose price counts frames and in which takers only buy."""
    settings = Settings(tmp_path / "home")
    lake = Lake(settings.lake_root)
    end_ms = day_start_ms(DAY) + CADENCE_MS * np.arange(1, hours * 18_000 + 1)
    n, ticks = len(end_ms), np.arange(1.0, len(end_ms) + 1)
    write(
        lake, MICROTAPE_FRAMES, f"tape.{settings.branch}", DAY, n, end_ms=end_ms, mid=ticks * 10.0, aggr_imb=np.ones(n),
        volume_usd=np.ones(n), trade_n=np.ones(n), depth_bid_usd=np.where(ticks % 2, np.nan, ticks),
    )  # fmt: skip
    return FrameReader(settings), lake, end_ms


def test_flows_are_summed_and_what_stands_is_the_newest(tmp_path: Path) -> None:
    reader, _, end_ms = made(tmp_path)
    start = int(end_ms[9_000])
    around = reader.around("BTC", start, start + 5_000, 900)
    assert (around.from_ms, around.until_ms) == (start - BEFORE_MS, start + 5_000 + AFTER_MS), "five minutes at most"
    rows, frames = around.rows(), (around.until_ms - around.from_ms) // CADENCE_MS
    assert len(rows) == MOST_POINTS
    assert sum(row["buy_usd"] for row in rows) == frames
    assert sum(row["trade_n"] for row in rows) == frames
    assert {row["sell_usd"] for row in rows} == {0.0}
    prices = [row["mid"] for row in rows]
    assert prices == sorted(prices)
    assert rows[-1]["time_ms"] == around.until_ms
    assert prices[-1] == pytest.approx((9_000 + 1 + (5_000 + AFTER_MS) // CADENCE_MS) * 10.0 / 10.0), "in quote"
    assert all(np.isfinite(row["depth_bid_usd"]) for row in rows), "the newest that is known"


def test_a_picture_at_the_edge_of_the_tape_holds_only_what_is_there(tmp_path: Path) -> None:
    reader, _, end_ms = made(tmp_path)
    around = reader.around("BTC", int(end_ms[-1]) - 5_000, int(end_ms[-1]), 300)
    rows = around.rows()
    assert sum(row["trade_n"] for row in rows) == (BEFORE_MS + 5_000) // CADENCE_MS
    assert max(row["time_ms"] for row in rows) < around.until_ms
    early = reader.around("BTC", int(end_ms[0]), int(end_ms[0]) + 5_000, 30)
    assert sum(row["trade_n"] for row in early.rows()) == 1 + 35_000 // CADENCE_MS, "the day before is not there"
    gone = reader.around("ETH", int(end_ms[0]), int(end_ms[0]) + 5_000, 30)
    assert "no frames of ETH" in gone.note
    assert (gone.rows(), gone.calls.all()) == ([], [])
    assert reader.around("BTC", 0, 5_000, 30).rows() == []


def test_experts_are_those_of_the_branch_where_it_has_its_own(tmp_path: Path) -> None:
    reader, lake, end_ms = made(tmp_path)
    frame = end_ms // CADENCE_MS
    closing = frame[24::25]
    third = np.where(np.arange(len(frame)) % 25 == 24, 1 << 3, 0)
    said = {f"z_{EXPERTS[1]}": np.full(len(closing), 0.25), f"conf_{EXPERTS[1]}": np.full(len(closing), 0.5)}
    said[f"z_{EXPERTS[0]}"] = np.full(len(closing), -0.75)
    start = int(closing[100]) * CADENCE_MS
    window = (start, start + 5_000, 30)
    assert reader.around("BTC", *window).calls.all() == [], "none were judged"

    for branch, loud in (("tape.main", 1.0), ("main", 2.0)):
        values = {name: column * loud if name.startswith("z") else column for name, column in said.items()}
        write(lake, DSI_WINDOWS, branch, DAY, len(closing), frame_idx=closing, **values)
        write(lake, DSI_ANNOTATIONS, branch, DAY, len(frame), frame_idx=frame, fired=third)
        calls = FrameReader(Settings(tmp_path / "home")).around("BTC", *window).calls
        first, second, silent = calls.at(start + 5_000)
        assert (first["expert_id"], first["calls"], first["z"]) == (EXPERTS[0], "down", -0.75 * loud)
        assert (second["expert_id"], second["calls"], second["right"]) == (EXPERTS[1], "up", 0.75)
        assert (silent["expert_id"], silent["calls"], silent["stands"]) == (EXPERTS[3], "neither", True)
        assert not first["stands"]
        assert calls.at(start + 1) == []
        assert len(calls.all()) == 3 * (BEFORE_MS + 5_000 + 30_000) // 5_000
