"""Break-even: fees are those of the share that rested, tiers move net by them alone, unfilled windows count as zero."""

import numpy as np
import pytest

from lotus.timebase import DAY_MS
from lotus.trading.accounts.break_even import EVERY, BreakEven, break_even

PAID, TIERS = (4.5, 1.5), ((4.5, 1.5), (2.4, 0.0))


def table(cross: list[float], low: list[float], rested: list[float]) -> dict[str, np.ndarray]:
    n = len(cross)
    return {
        "detector_id": np.array(["a", "b"] * (n // 2) + ["a"] * (n % 2), dtype=object),
        "window_end_ms": DAY_MS * np.arange(n, dtype=np.int64),
        "cross": np.array(cross), "join_low": np.array(low), "join_rested_low": np.array(rested),
        "improve_low": np.array(low), "improve_rested_low": np.array(rested),
    }  # fmt: skip


def row(rows: tuple[BreakEven, ...], detector: str, style: str) -> BreakEven:
    return next(r for r in rows if (r.detector, r.style) == (detector, style))


def test_edge_is_net_and_the_fees_of_what_rested() -> None:
    rows = break_even(table([-3.0, -1.0], [2.0, -8.0], [1.0, 0.0]), PAID, TIERS)
    assert {(r.detector, r.style) for r in rows} == {
        (d, s) for d in (EVERY, "a", "b") for s in ("cross", "join", "improve")
    }
    crossing = row(rows, EVERY, "cross")
    assert crossing.edge_bps == pytest.approx(-2.0 + 9.0)
    assert crossing.nets == pytest.approx((-2.0, 7.0 - 4.8))
    assert (crossing.pays_from, crossing.shown_from, crossing.edge_interval) == (1, None, None)
    resting = row(rows, "a", "join")
    assert resting.edge_bps == pytest.approx(2.0 + 1.5 + 4.5)
    assert resting.nets == pytest.approx((2.0, 8.0 - 2.4))
    assert (resting.rested, resting.windows) == (1.0, 1)
    assert row(rows, "b", "join").nets[0] == pytest.approx(-8.0)


def test_a_window_that_was_not_filled_pays_no_fee_and_an_unknown_one_is_left_out() -> None:
    rows = break_even(table([0.0, np.nan, 0.0], [0.0, 1.0, np.nan], [0.0, 1.0, 0.0]), PAID, TIERS)
    crossing = row(rows, EVERY, "cross")
    assert (crossing.windows, crossing.edge_bps, crossing.nets) == (2, 0.0, (0.0, 0.0))
    assert crossing.verdict == "pays at no tier"
    assert row(rows, EVERY, "join").windows == 2


def test_what_pays_by_chance_is_told_from_what_is_shown() -> None:
    random = np.random.default_rng(3)
    sure = break_even(table(list(5.0 + random.normal(size=40)), [0.0] * 40, [0.0] * 40), PAID, TIERS)
    assert row(sure, EVERY, "cross").verdict == "pays from tier 0, shown from tier 0"
    loose = break_even(table([60.0, *([-1.0] * 39)], [0.0] * 40, [0.0] * 40), PAID, TIERS)
    assert row(loose, EVERY, "cross").verdict.startswith("pays from tier 0, ")
    assert row(loose, EVERY, "cross").shown_from != 0
    losing = break_even(table([-30.0] * 40, [0.0] * 40, [0.0] * 40), PAID, TIERS)
    assert row(losing, EVERY, "cross").verdict == "pays at no tier"
