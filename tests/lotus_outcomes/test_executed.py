"""Y of a traded day: one source per detector and day, unanswered windows are void, nothing else of the rows changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.outcomes.executed import MIN_ANSWERED, with_executions


def rows_of(n: int, gap: int = 0) -> dict[str, np.ndarray]:
    """Return `n` published windows of each of two detectors, and an unpublished one; the first `gap` have a gap."""
    events = [f"{d}{k}" for d in "ab" for k in range(n)] + ["held"]
    published = [True] * (2 * n) + [False]
    return {
        "event_id": np.array(events, dtype=object),
        "detector_id": np.array([*"a" * n, *"b" * n, "a"], dtype=object),
        "payoff_p": np.linspace(-1.0, 1.0, len(events)),
        "payoff_y": np.array([5.0 if p else np.nan for p in published]),
        "fill_source": np.array(["tape_sim" if p else "" for p in published], dtype=object),
        "status": np.array(["gap"] * gap + ["ok"] * (len(events) - gap), dtype=object),
    }


@given(st.integers(1, 60), st.integers(0, 60))
def test_a_detectors_day_is_the_venues_when_nearly_all_was_answered_for(n: int, answered: int) -> None:
    answered = min(answered, n)
    payoffs = {f"a{k}": float(-k) for k in range(answered)}
    made, told = with_executions(rows_of(n), payoffs, frozenset(payoffs), "venue")
    teaches = answered > 0 and answered >= MIN_ANSWERED * n
    mine = made["detector_id"][:n]
    assert set(mine) == {"a"}
    wanted = [-float(k) if k < answered else np.nan for k in range(n)] if teaches else [5.0] * n
    np.testing.assert_array_equal(made["payoff_y"][:n], wanted)
    sources = ["venue" if k < answered else "" for k in range(n)] if teaches else ["tape_sim"] * n
    assert made["fill_source"][:n].tolist() == sources
    assert set(made["fill_source"][n : 2 * n]) == {"tape_sim"}, "the other detector's day stays the tape's"
    if payoffs:
        assert next((t.detector_id, t.published, t.answered, t.teaches) for t in told) == ("a", n, answered, teaches)


def test_windows_that_were_not_published_or_have_a_gap_keep_what_they_have() -> None:
    rows = rows_of(40, gap=2)
    payoffs = dict.fromkeys(rows["event_id"].tolist(), 1.0)
    made, _ = with_executions(rows, payoffs, frozenset(), "venue")
    assert made["fill_source"][:2].tolist() == ["tape_sim"] * 2
    assert made["payoff_y"][:2].tolist() == [5.0] * 2
    assert np.isnan(made["payoff_y"][-1])
    assert made["fill_source"][-1] == ""


@pytest.mark.parametrize("column", ["payoff_p", "status", "event_id"])
def test_nothing_else_changes(column: str) -> None:
    rows = rows_of(10)
    made, told = with_executions(rows, {"a0": 1.0}, frozenset(), "venue")
    assert made[column].tolist() == rows[column].tolist()
    assert not told[0].teaches
    assert with_executions(rows, {}, frozenset(), "venue")[0] == rows


def test_windows_tried_in_another_style_count_as_modelled_and_nobody_had_to_answer_for_them():
    names = [f"w{i}" for i in range(40)]
    rows = {
        "event_id": np.array(names, dtype=object),
        "detector_id": np.full(40, "d", dtype=object),
        "payoff_y": np.ones(40),
        "status": np.full(40, "ok", dtype=object),
        "fill_source": np.full(40, "tape_sim", dtype=object),
    }
    apart = frozenset(names[:10])
    payoffs = dict.fromkeys(names[10:], -3.0)
    made, (line,) = with_executions(rows, payoffs, frozenset(names), "paper_live", apart)
    assert (line.published, line.answered, line.teaches) == (30, 30, True)
    assert np.isnan(made["payoff_y"][:10]).all()
    assert (made["payoff_y"][10:] == -3.0).all()
    assert made["fill_source"].tolist() == [""] * 10 + ["paper_live"] * 30
