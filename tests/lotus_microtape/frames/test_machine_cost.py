"""Work per frame does not grow with history: executed lines counted early and late, state and buffers of fixed size."""

import gc
import sys
import tracemalloc
from types import FrameType
from typing import Any

import numpy as np
import pytest
from counted_lines import MANIFEST, MEASURED, PIECE, PIECES, SECOND, UNIVERSE, after, events_of, run

from lotus.microtape import gaps_clock
from lotus.microtape.frames import book, close, hist, step
from lotus.microtape.frames.machine import FrameMachine
from lotus.microtape.frames.state import new_params, new_state

KERNELS = (hist, gaps_clock, book, close, step)


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
