"""What beliefs changed in money: both sides on the same draws, the difference is what was brought in and kept out."""

import numpy as np
import pytest

from lotus.detectors.entry_style import EntryStyle
from lotus.timebase import DAY_MS
from lotus.trading.accounts.belief_money import belief_money, published_without


def events(
    draw: list[float], u0: list[float], pi: list[float], eligible: list[bool] | None = None
) -> dict[str, np.ndarray]:
    is_eligible = np.array(eligible or [True] * len(draw))
    u, p, at = np.array(u0), np.array(pi), np.array(draw)
    return {
        "draw": at, "u0": u, "pi": p, "eligible": is_eligible, "published": is_eligible & (at < p),
        "fired": (p != 1.0 / (1.0 + np.exp(-u))).astype(np.uint64),
        "window_end_ms": DAY_MS * np.arange(len(draw), dtype=np.int64),
    }  # fmt: skip


def payoffs(cross: list[float], join: list[float]) -> dict[EntryStyle, np.ndarray]:
    return {EntryStyle.CROSS: np.array(cross), EntryStyle.JOIN: np.array(join), EntryStyle.IMPROVE: np.array(join)}


def test_the_gain_is_what_was_brought_in_less_what_was_kept_out() -> None:
    rows = events([0.4, 0.4, 0.6, 0.9], [0.0, 0.0, 0.0, 0.0], [0.5, 0.3, 0.7, 0.5])
    assert published_without(rows).tolist() == [True, True, False, False]
    money = belief_money(rows, payoffs([10.0, -20.0, 30.0, 99.0], [1.0, -2.0, 3.0, 99.0]), 1_000.0)
    crossing, joining = money.styles[0], money.styles[1]
    assert (crossing.with_beliefs.windows, crossing.with_beliefs.usd) == (2, pytest.approx(4.0))
    assert (crossing.without.windows, crossing.without.usd) == (2, pytest.approx(-1.0))
    assert (crossing.added.windows, crossing.added.usd) == (1, pytest.approx(3.0))
    assert (crossing.dropped.windows, crossing.dropped.usd) == (1, pytest.approx(-2.0))
    assert crossing.gain_usd == pytest.approx(5.0)
    assert crossing.gain_interval is None
    assert joining.gain_usd == pytest.approx(0.5)
    assert money.moved == 2
    assert money.expected_usd == pytest.approx(-0.2 * -2.0 + 0.2 * 3.0)


def test_no_belief_changes_nothing_and_a_vetoed_window_is_on_neither_side() -> None:
    rows = events([0.1] * 12, [0.0] * 12, [0.5] * 12, [True] * 11 + [False])
    money = belief_money(rows, payoffs([5.0] * 12, [np.nan] * 12), 1_000.0)
    assert money.moved == 0
    assert money.expected_usd == 0.0
    assert money.expected_se_usd is None
    for style in money.styles:
        assert style.gain_usd == 0.0
        assert style.with_beliefs == style.without
    assert money.styles[0].with_beliefs.windows == 11
    assert [style.unpriced for style in money.styles] == [0, 11, 11]


def test_an_interval_over_days_holds_a_gain_that_every_day_has() -> None:
    random = np.random.default_rng(5)
    n = 40
    rows = events([0.6] * n, [0.0] * n, [0.7] * n)
    paid = (10.0 + random.normal(size=n)).tolist()
    found = belief_money(rows, payoffs(paid, paid), 1_000.0).styles[0].gain_interval
    assert found is not None
    assert found[0] < 0.1 * sum(paid) < found[1]
    assert found[0] > 0.0
