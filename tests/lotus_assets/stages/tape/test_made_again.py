"""The sampled look-ahead check finds planted leaks of several kinds, as often as it says, and repeats itself."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from lotus_assets.stages.context import CheckOutcome
from lotus_assets.stages.tape.made_again import BITE, PIECE, SHARE, MadeAgain, pieces_of

ROWS, SYMBOLS = 200_000, 3  # of a day
Leak = Callable[[NDArray[np.float64], NDArray[np.int64]], NDArray[np.float64]]
DAYS = [f"2025-{1 + k // 28:02d}-{1 + k % 28:02d}" for k in range(168)]
TAPE = np.random.default_rng(2).normal(size=ROWS)
GAPS = np.array([61_000, 130_000])
SINGLE = 150_321


class Toy:
    """A streaming sum of a tape; `leak` may add to a piece whatever it sees of it."""

    def __init__(self, leak: Leak, total: float = 0.0) -> None:
        self.leak, self.total = leak, total

    def feed(self, rows: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
        x = TAPE[rows]
        sums = np.cumsum(np.concatenate([[self.total], x]))[1:]
        self.total = float(sums[-1])
        return {"honest": sums, "total": sums + self.leak(x, rows)}


def none(x: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.zeros(len(x))


def column(x: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.append(x[1:], 0.0)


def symbol(x: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(rows % SYMBOLS == 2, np.append(x[1:], 0.0), 0.0)


def gap(x: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """The 300 rows before a gap know that one is coming."""
    coming = [np.where((rows < g) & (rows >= g - 300) & (rows[-1] >= g), 1.0, 0.0) for g in GAPS]
    return np.asarray(sum(coming))


def single(reach: int) -> Leak:
    """One row of the day knows the row `reach` later."""

    def leak(x: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        knows = rows[0] <= SINGLE and rows[-1] >= SINGLE + reach
        return np.where(knows & (rows == SINGLE), TAPE[SINGLE + reach], 0.0)

    return leak


def checked(leak: Leak, day: str, rows: int = ROWS) -> CheckOutcome:
    check, toy = MadeAgain("toy", day, 7), Toy(leak)
    for first, stop in pieces_of(rows):
        piece = np.arange(first, stop)
        gaps = np.flatnonzero(np.isin(piece, GAPS)).tolist()
        wanted = check.wants(len(piece), bool(gaps))
        before, made = Toy(leak, toy.total), toy.feed(piece)
        if wanted:
            bites = [before.feed(piece[a:b]) for a, b in check.bites(len(piece), gaps)]
            again = {name: np.concatenate([bite[name] for bite in bites]) for name in made}
            check.compare(len(piece), (again, made))
    return check.outcome()


@pytest.mark.parametrize("day", DAYS[:20])
def test_what_does_not_look_ahead_passes_and_the_outcome_tells_the_share_that_it_saw(day: str) -> None:
    found = checked(none, day)
    assert found.passed
    assert not found.unseen
    assert found.numbers["rows"] == ROWS
    assert 1 / SHARE <= float(found.numbers["share"]) <= 1 / SHARE + 3 * PIECE / ROWS
    assert int(found.numbers["cuts"]) >= int(found.numbers["rows_compared"]) / BITE - int(found.numbers["made_again"])


@pytest.mark.parametrize("leak", [column, symbol, gap])
def test_a_leak_of_a_column_of_a_symbol_or_around_a_gap_is_found_on_the_first_day(leak: Leak) -> None:
    for day in DAYS[:30]:
        found = checked(leak, day)
        assert not found.passed
        assert "total" in found.text
        assert "honest" not in found.text


@pytest.mark.parametrize(("reach", "in_a_day", "in_a_week"), [(2 * BITE, 0.20, 0.80), (BITE // 4, 0.08, 0.45)])
def test_a_leak_in_one_row_of_the_day_is_found_as_often_as_said(reach: int, in_a_day: float, in_a_week: float) -> None:
    found = np.array([not checked(single(reach), day).passed for day in DAYS])
    assert min(1.0, reach / BITE) / SHARE * 0.75 <= found.mean() <= 1.4 / SHARE, "of single days"
    assert found.mean() >= in_a_day
    assert found.reshape(-1, 7).any(axis=1).mean() >= in_a_week, "of weeks"


def test_the_pieces_are_a_pure_function_of_seed_table_and_day() -> None:
    def wanted(what: str, day: str, seed: int) -> list[bool]:
        check = MadeAgain(what, day, seed)
        return [check.wants(9, False) for _ in range(40)]

    first = wanted("frames", DAYS[0], 7)
    assert first == wanted("frames", DAYS[0], 7)
    assert all(
        first != wanted(*other) for other in (("notes", DAYS[0], 7), ("frames", DAYS[1], 7), ("frames", DAYS[0], 8))
    )
    assert first[0]
    assert all(any(first[k : k + SHARE]) for k in range(0, 40, SHARE)), "one of every stretch of pieces"


def test_a_small_day_is_seen_and_an_empty_one_is_not_green() -> None:
    assert checked(none, DAYS[0], 3).numbers["rows_compared"] == 3
    assert MadeAgain("toy", DAYS[0], 7).outcome().unseen
