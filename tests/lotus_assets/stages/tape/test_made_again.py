"""The sampled look-ahead check finds planted leaks of several kinds, as often as it says, and repeats itself."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from lotus_assets.stages.context import CheckOutcome
from lotus_assets.stages.tape.made_again import (
    AFTER_GAP,
    BITE,
    PIECE,
    SHARE,
    MadeAgain,
    around_gaps,
    pieces_of,
    state_column,
)

ROWS, SYMBOLS = 200_000, 3  # of a day
Leak = Callable[[NDArray[np.float64], NDArray[np.int64]], NDArray[np.float64]]
DAYS = [f"2025-{1 + k // 28:02d}-{1 + k % 28:02d}" for k in range(168)]
TAPE = np.random.default_rng(2).normal(size=ROWS)
GAPS = np.array([4 * PIECE - 1, 130_000])  # the row after the first stands in the next piece
SINGLE = 150_321


class Toy:
    """A streaming sum of a tape; `leak` may add to a piece whatever it sees of it, `known` is what it was born with."""

    def __init__(self, leak: Leak, known: float = 0.0, total: float = 0.0) -> None:
        self.leak, self.known, self.total = leak, known, total

    def going_on(self, total: float) -> "Toy":
        return Toy(self.leak, self.known, total)

    def feed(self, rows: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
        x = TAPE[rows]
        sums = np.cumsum(np.concatenate([[self.total], x]))[1:]
        self.total = float(sums[-1])
        return {"honest": sums, "total": sums + self.known + self.leak(x, rows)}


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


def after_gap(k: int) -> Leak:
    """Row k after a gap knows the next one."""

    def leak(x: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.where(np.isin(rows, GAPS + k), np.append(x[1:], 0.0), 0.0)

    return leak


def single(reach: int) -> Leak:
    """One row of the day knows the row `reach` later."""

    def leak(x: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        knows = rows[0] <= SINGLE and rows[-1] >= SINGLE + reach
        return np.where(knows & (rows == SINGLE), TAPE[SINGLE + reach], 0.0)

    return leak


def checked(leak: Leak, day: str, rows: int = ROWS, known: float = 0.0) -> CheckOutcome:
    check, toy, blank = MadeAgain("toy", day, 7), Toy(leak, known), Toy(leak)
    ends_gap = np.isin(np.arange(rows), GAPS)
    around = around_gaps(ends_gap)
    for first, stop in pieces_of(rows):
        piece = np.arange(first, stop)
        newborn = check.newborn([0])
        wanted = check.wants(len(piece), bool(ends_gap[first:stop].any()))
        before, made = blank if newborn else blank.going_on(toy.total), toy.feed(piece)
        if wanted:
            bites = [before.feed(piece[a:b]) for a, b in check.bites(len(piece), np.flatnonzero(around[first:stop]))]
            again = {name: np.concatenate([bite[name] for bite in bites]) for name in made}
            states = state_column(np.float64(before.total).tobytes()), state_column(np.float64(toy.total).tobytes())
            check.compare(check.piece, len(piece), (again, made), states)
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


@pytest.mark.parametrize("k", range(1, AFTER_GAP + 1))
def test_a_leak_in_a_row_soon_after_a_gap_is_found_on_the_first_day(k: int) -> None:
    assert not any(checked(after_gap(k), day).passed for day in DAYS[:30])


def test_what_a_machine_knew_of_the_day_from_its_birth_is_found_in_the_first_piece() -> None:
    found = checked(none, DAYS[0], known=float(TAPE.mean()))
    assert not found.passed
    assert "piece 0 " in found.text


def test_rows_around_a_gap_are_its_end_and_those_after_it() -> None:
    ends_gap = np.isin(np.arange(12), [0, 9])
    assert np.flatnonzero(around_gaps(ends_gap)).tolist() == [0, 1, 2, 3, 4, 9, 10, 11]
    assert around_gaps(ends_gap[:1]).tolist() == [True]


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
    assert all(any(first[k : k + SHARE]) for k in range(0, 40, SHARE)), "one of every stretch of pieces"


def test_the_first_piece_of_every_asset_is_made_again() -> None:
    check = MadeAgain("toy", DAYS[0], 7)
    new = [check.newborn(assets) for assets in ([0, 2], [2, 0], [1, 0], [1])]
    assert new == [[0, 2], [], [1], []]
    check = MadeAgain("toy", DAYS[0], 7)
    for asset in range(30):
        check.newborn([asset])
        assert check.wants(9, False)


def test_a_small_day_is_seen_and_an_empty_one_is_not_green() -> None:
    assert checked(none, DAYS[0], 3).numbers["rows_compared"] == 3
    assert MadeAgain("toy", DAYS[0], 7).outcome().unseen
