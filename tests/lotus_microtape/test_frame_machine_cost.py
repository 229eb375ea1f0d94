"""Work per frame does not grow with history: executed lines counted early and late, state and buffers of fixed size."""

import gc
import sys
import tracemalloc
from dataclasses import replace
from functools import cache
from types import FrameType
from typing import Any

import numpy as np
import pytest

from lotus.manifest import Asset, KernelDefaults, Manifest
from lotus.microtape import frame_book, frame_close, frame_hist, frame_machine, frame_step, gaps_clock
from lotus.microtape.events import EventBatch, EventInput, EventKind, book_values, build_batch
from lotus.microtape.frame_hist import RESCALE
from lotus.microtape.frame_machine import FrameMachine
from lotus.microtape.frame_state import new_params, new_state

UNIVERSE = (Asset("BTC", 5),)
SECOND = 1_000  # cadence: 10^5 frames are 28 hours, beyond the rescaling of the histograms
MANIFEST = replace(Manifest(), kernel=KernelDefaults(cadence_ms=SECOND))
PERIOD, PIECE, PIECES, MEASURED = 60, 2_040, 50, 120
KERNELS = (frame_hist, gaps_clock, frame_book, frame_close, frame_step)


def events_of(first: int, last: int, market: str) -> EventBatch:
    """Six events a frame: both books, a quote, two messages of prints, a context; all but the fall has period 60."""
    out: list[EventInput] = []
    for k in range(first, last):
        t, bid = k * SECOND, 4_000_000 - 3 * k if market == "falling" else 4_000_000 + 10 * (k * 7 % PERIOD)
        bids, asks = ([(bid - d, 5 + d, 1) for d in range(20)], [(bid + 3 + d, 7 + d, 1) for d in range(20)])
        size = 100 + 37 * (k % PERIOD)
        rows: list[tuple[int, EventKind, tuple[int, ...]]] = [
            (t, EventKind.BOOK, book_values(bids, asks)),
            (t + 100, EventKind.FAST, book_values(bids[:5], asks[:5])),
            (t + 200, EventKind.BBO, (bid, 5 + k % 6, 1, bid + 3, 9, 1)),
            (t + 500, EventKind.TRADES, (bid + 3, size, 1, t + 500, 0)),
            (t + 500, EventKind.TRADES, (bid, size, -1, t + 500, 0)),
            (-1, EventKind.CTX, (10, 1_000 + k % PERIOD, 4_000_000, 0, 0, 0, 0, 0)),
        ]
        out += [EventInput(k * 10 + i, at, k * 10 + i, kind, 0, v) for i, (at, kind, v) in enumerate(rows)]
    return build_batch(out)


def places(batch: EventBatch) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return where in the pool prices and the times of prints stand."""
    price, time = np.zeros(len(batch.pool), np.bool_), np.zeros(len(batch.pool), np.bool_)
    for i in np.flatnonzero(batch.kind != EventKind.CTX):
        start, width = {1: (2, 3), 2: (2, 3), 3: (0, 3), 4: (0, 5)}[int(batch.kind[i])]
        price[batch.off[i] + start : batch.off[i + 1] : width] = True
        time[batch.off[i] + 3] = batch.kind[i] == EventKind.TRADES
    return price, time


@cache
def after(pieces: int, market: str) -> np.ndarray[Any, Any]:
    """Return the state after so many pieces of tape."""
    params, blank, state = new_params(MANIFEST), new_state(UNIVERSE), new_state(UNIVERSE)
    piece = events_of(0, PIECE, market)
    price, time = places(piece)
    for k in range(pieces):
        pool, ms, lines = piece.pool.copy(), k * PIECE * SECOND, k * PIECE * 10
        pool[price] -= 3 * k * PIECE if market == "falling" else 0
        pool[time] += ms
        time_ms = np.where(piece.time_ms >= 0, piece.time_ms + ms, -1)
        later = replace(piece, recv_ns=piece.recv_ns + lines, time_ms=time_ms, seq=piece.seq + lines, pool=pool)
        run(later, PIECE, state, blank, params)
    return state


def run(batch: EventBatch, rows: int, state: Any, blank: Any, params: Any) -> np.ndarray[Any, Any]:
    n_ints, n_floats = frame_machine.N_INTS, frame_machine.N_FLOATS
    ints, floats = np.zeros((rows + 1, n_ints), np.int64), np.zeros((rows + 1, n_floats))
    quotes, gaps, counts = np.zeros((len(batch), 8), np.int64), np.zeros((1, 4), np.int64), np.zeros(3, np.int64)
    frame_step.run(
        state, blank, params,
        batch.recv_ns, batch.time_ms, batch.seq, batch.kind, batch.asset, batch.off, batch.pool,
        ints, floats, quotes, gaps, counts,
    )  # fmt: skip
    return floats[: counts[0]]


class Fields:
    """One record whose fields are attributes, as compiled code sees it."""

    def __init__(self, record: Any) -> None:
        object.__setattr__(self, "record", record)

    def __getattr__(self, name: str) -> Any:
        value = self.record[name]
        return Fields(value) if isinstance(value, np.void) else value

    def __setattr__(self, name: str, value: Any) -> None:
        self.record[name] = value


class Records:
    """Records of an array by index."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array

    def __getitem__(self, index: int) -> Fields:
        return Fields(self.array[index])

    def __setitem__(self, index: int, value: Fields) -> None:
        self.array[index] = value.record


class LineCounter:
    """Counts the lines that the kernels' own sources execute."""

    def __init__(self) -> None:
        self.lines = 0
        self._files = {module.__file__ for module in KERNELS}

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        self.lines += event == "line"
        return self.trace if frame.f_code.co_filename in self._files else None


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the Python functions in the place of the compiled ones."""
    for module in KERNELS:
        for name, value in vars(module).copy().items():
            if hasattr(value, "py_func") and value.py_func.__module__.startswith("lotus.microtape"):
                monkeypatch.setattr(module, name, value.py_func)


def counted(state: np.ndarray[Any, Any], first: int, market: str) -> tuple[int, np.ndarray[Any, Any]]:
    """Return the lines executed for the next frames, and their rows."""
    counter, batch = LineCounter(), events_of(first, first + MEASURED, market)
    as_records = [Records(a) for a in (state, new_state(UNIVERSE), new_params(MANIFEST))]
    sys.settrace(counter.trace)
    try:
        floats = run(batch, MEASURED, *as_records)
    finally:
        sys.settrace(None)
    return counter.lines, floats


@pytest.fixture(scope="module", params=["periodic", "falling"])
def states(request: pytest.FixtureRequest) -> tuple[str, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    return request.param, after(1, request.param), after(PIECES, request.param)


@pytest.mark.usefixtures("interpreted")
def test_a_late_frame_costs_what_an_early_one_costs(states: tuple[str, Any, Any]) -> None:
    market, early, late = states
    before, _ = counted(early.copy(), PIECE, market)
    behind, _ = counted(late.copy(), PIECES * PIECE, market)
    assert before > 100 * MEASURED
    assert abs(behind / before - 1) < 0.02


@pytest.mark.usefixtures("interpreted")
def test_a_falling_market_costs_no_more_than_another() -> None:
    """Every frame the highest price of the bar leaves it; nothing may search the bar then."""
    other, falling = (counted(after(1, market).copy(), PIECE, market)[0] for market in ("periodic", "falling"))
    assert falling < 1.01 * other


def test_the_interpreted_kernels_are_the_compiled_ones(
    states: tuple[str, Any, Any], request: pytest.FixtureRequest
) -> None:
    market, _, late = states
    compiled_state, state = late.copy(), late.copy()
    batch = events_of(PIECES * PIECE, PIECES * PIECE + MEASURED, market)
    compiled = run(batch, MEASURED, compiled_state, new_state(UNIVERSE), new_params(MANIFEST))
    request.getfixturevalue("interpreted")
    _, floats = counted(state, PIECES * PIECE, market)
    assert floats.tobytes() == compiled.tobytes()
    assert state.tobytes() == compiled_state.tobytes()


def test_the_state_has_one_size_and_its_weights_stay_bounded(states: tuple[str, Any, Any]) -> None:
    _, early, late = states
    assert late.nbytes == early.nbytes == new_state(UNIVERSE).nbytes
    assert 1 <= early["hist_weight"][0] < RESCALE
    assert 1 <= late["hist_weight"][0] < RESCALE
    for name in ("volume_mass", "burst_mass", "range_mass"):
        assert np.all(np.isfinite(late[name]))
        assert late[name].sum() < 4 * 2_000 * RESCALE
    for name in ("high_queue", "fall_queue"):
        assert 1 <= late[name]["size"][0] <= 60_000 // SECOND


def test_memory_is_flat_over_many_frames() -> None:
    machine, quote = FrameMachine(MANIFEST, UNIVERSE), np.array([100, 5, 1, 103, 5, 1])

    def feed(first: int, last: int) -> None:
        for k in range(first, last):
            machine.feed(k, k * SECOND, k, 3, 0, quote)

    feed(0, 2_000)
    gc.collect()
    tracemalloc.start()
    held, _ = tracemalloc.get_traced_memory()
    feed(2_000, 40_000)
    gc.collect()
    now, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert now - held < 10_000
