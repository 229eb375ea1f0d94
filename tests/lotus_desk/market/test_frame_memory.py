"""Remembered frames are those of the last day, bit for bit: as a memory that holds all of them has them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tapes import in_order, market
from trigger_frames import frames_of

from lotus.microtape.frames.spec import C_GAP, C_MID, C_VOLUME, I_ASSET, I_END, I_FRAME, N_FLOATS, N_INTS
from lotus.triggers.operators import QUANTITIES
from lotus_desk.market import frame_memory
from lotus_desk.market.frame_memory import ROWS, FrameMemory

DAY = 432_000
_LOOKED_AT = {C_GAP, C_MID, C_VOLUME, *(q.column for q in QUANTITIES.values() if q.column >= 0)}
COLUMNS = np.array(sorted(_LOOKED_AT))


class WholeMemory:
    """The last `most` frames of one asset, all in memory."""

    def __init__(self, asset: int, most: int) -> None:
        self.asset, self.most, self.count = asset, most, 0
        self._ints, self._floats = np.empty((most, 2), np.int64), np.empty((most, len(COLUMNS)))

    def add(self, ints: Any, floats: Any) -> None:
        row = self.count % self.most
        self._ints[row, 0], self._ints[row, 1] = ints[I_FRAME], ints[I_END]
        self._floats[row] = floats[COLUMNS]
        self.count += 1

    def since(self, after_ms: int) -> tuple[Any, Any]:
        rows = np.arange(max(0, self.count - self.most), self.count) % self.most
        rows = rows[self._ints[rows, 1] > after_ms]
        ints, floats = np.zeros((len(rows), N_INTS), np.int64), np.full((len(rows), N_FLOATS), np.nan)
        ints[:, I_ASSET] = self.asset
        ints[:, (I_FRAME, I_END)] = self._ints[rows]
        floats[:, COLUMNS] = self._floats[rows]
        return ints, floats


@pytest.fixture(scope="module")
def frames() -> tuple[Any, Any]:
    """Five minutes of three assets."""
    return frames_of(in_order(market("2026-03-04", "09:00", 300, step_ms=250, seed=3)))


def days(frames: tuple[Any, Any], assets: int, count: int) -> Any:
    """Yield so many frames of each asset, in turn: those of five minutes again and again, with frames left out."""
    ints, floats = (rows[frames[0][:, I_ASSET] == 1] for rows in frames)
    dice, number = np.random.default_rng(5), 0
    for k in range(count):
        number += int(dice.choice((1, 1, 1, 1, 7)))
        row = ints[k % len(ints)].copy()
        row[I_FRAME], row[I_END] = number, number * 200
        for asset in range(assets):
            row[I_ASSET] = asset
            yield asset, row, floats[(k + asset) % len(ints)]


def assert_equal(memory: FrameMemory, whole: list[WholeMemory], ends: list[int]) -> None:
    for asset, own in enumerate(whole):
        for after_ms in ends:
            found, expected = memory.since(asset, after_ms), own.since(after_ms)
            assert [part.tobytes() for part in found] == [part.tobytes() for part in expected]


@pytest.mark.parametrize("most", [100, ROWS, 1_000, 4_000])
def test_remembered_frames_are_those_of_the_last_day_bit_for_bit(frames: tuple[Any, Any], most: int) -> None:
    memory, whole, last_ms = FrameMemory(2, most), [WholeMemory(asset, most) for asset in range(2)], 0
    for n, (asset, ints, floats) in enumerate(days(frames, 2, 9_000)):
        memory.add(asset, ints, floats)
        whole[asset].add(ints, floats)
        last_ms = int(ints[I_END])
        if n % 2_999 == 7:
            assert_equal(memory, whole, [-1, last_ms, last_ms - 200, last_ms - 60_000, last_ms - 500_001])
    assert_equal(memory, whole, list(range(-1, last_ms + 401, 97_200)))


def test_what_a_disk_does_not_take_is_unknown_and_the_rest_is_as_it_was(
    frames: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, whole = FrameMemory(1, 2_000), WholeMemory(0, 2_000)
    first_ms = 0
    for n, (asset, ints, floats) in enumerate(days(frames, 1, 3_000)):
        if n == 600:
            monkeypatch.setattr(frame_memory.os, "pwrite", _full)
        if n == 900:
            monkeypatch.undo()
            first_ms = int(ints[I_END])
        memory.add(asset, ints, floats)
        whole.add(ints, floats)
    stops = [0, first_ms, int(ints[I_END]) - 100_000]
    assert memory.lost == 896
    for after_ms in stops:
        found, expected = memory.since(0, after_ms), whole.since(after_ms)
        short = len(expected[0]) - len(found[0])
        assert 0 <= short <= ROWS
        assert [part.tobytes() for part in found] == [part[short:].tobytes() for part in expected]


def test_a_file_that_cannot_be_read_leaves_what_waits_in_memory(
    frames: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = FrameMemory(1, 2_000)
    for asset, ints, floats in days(frames, 1, 1_000):
        memory.add(asset, ints, floats)
    monkeypatch.setattr(frame_memory.os, "pread", lambda *_: b"")
    assert len(memory.since(0, 0)[0]) == 1_000 % ROWS
    assert memory.lost == 1_000 - 1_000 % ROWS


def test_the_file_has_no_name_and_goes_with_its_owner(tmp_path: Path) -> None:
    handles = len([*Path("/proc/self/fd").iterdir()])
    memory = FrameMemory(3, DAY, tmp_path / "live")
    assert [*(tmp_path / "live").iterdir()] == []
    assert len([*Path("/proc/self/fd").iterdir()]) == handles + 1
    memory.close()
    assert len([*Path("/proc/self/fd").iterdir()]) == handles


def test_without_a_file_the_newest_frames_are_there(frames: tuple[Any, Any], tmp_path: Path) -> None:
    (tmp_path / "live").write_text("no folder")
    memory = FrameMemory(1, 2_000, tmp_path / "live")
    for asset, ints, floats in days(frames, 1, 1_000):
        memory.add(asset, ints, floats)
    assert len(memory.since(0, 0)[0]) == 1_000 % ROWS
    memory.close()


def _full(*_: object) -> int:
    raise OSError(28, "no space left on device")
