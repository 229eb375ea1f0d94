"""Dropped windows are dropped whole; a declared style is paid, and only its detector's windows change."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lotus.detectors.entry_style import EntryPlan, EntryStyle
from lotus.manifest import Manifest
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import signal_eval
from lotus_store.ledger.signals.executions import Execution


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("first_day")
def test_dropped_windows_are_dropped_whole(scored: StageContext, days: list[str]) -> None:
    rows = scored.lake.read("signal_eval", scored.branch, days[0])
    assert signal_eval.dropped_check(rows).passed
    gone = np.flatnonzero(rows["status"] == "gap")[0]
    doctored = {**rows, "status": rows["status"].copy()}
    doctored["status"][gone] = "ok"
    assert signal_eval.dropped_check(doctored).numbers["whole_without_return"] == 1


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("first_day")
def test_a_detector_that_joins_is_paid_for_it_and_nobody_else_changes(
    scored: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scored.lake.read("signal_eval", scored.branch, days[0])
    name = str(before["detector_id"][0])
    monkeypatch.setattr(signal_eval, "resting_entries", lambda: {name: EntryPlan(EntryStyle.JOIN)})
    run_stage(replace(scored, force=True), signal_eval.STAGE, days[0])
    after = scored.lake.read("signal_eval", scored.branch, days[0])
    own_rows = (before["detector_id"] == name) & (before["status"] == "ok")
    for column in before:
        assert np.array_equal(
            after[column][~own_rows], before[column][~own_rows], equal_nan=before[column].dtype.kind == "f"
        )
    styles = scored.lake.read("style_payoffs", scored.branch, days[0])
    joined = dict(zip(styles["event_id"].tolist(), styles["join_low"].tolist(), strict=True))
    published = own_rows & (before["fill_source"] != "")
    assert published.any()
    for event, paid in zip(after["event_id"][published].tolist(), after["payoff_y"][published].tolist(), strict=True):
        assert paid == joined[event]


def test_windows_of_a_further_venue_are_apart_and_paper_is_never_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a draw sent to the second venue is none that the first had to answer for: it teaches all the same."""
    n, there = 20, 4
    told = [
        Execution(f"e{i}", "d", "BTC", 0, "local-2" if i < there else "local", "closed", -2.0, {"report": {}})
        for i in range(n)
    ]
    paper = replace(told[0], event_id="p", venue="paper")
    monkeypatch.setattr(signal_eval, "executions_of", lambda *_: [*told, paper])
    ctx: Any = SimpleNamespace(manifest=Manifest(), sig=None, branch="main")
    own, elsewhere = signal_eval._by_venue(ctx, "2026-01-08")
    assert (own, elsewhere) == (told[there:], told[:there])
    assert signal_eval.executions(ctx, "2026-01-08") == own
    names = np.array([row.event_id for row in told], dtype=object)
    rows = {
        "event_id": names, "detector_id": np.full(n, "d", object), "payoff_y": np.ones(n),
        "status": np.full(n, "ok", object), "fill_source": np.full(n, "tape_sim", object),
    }  # fmt: skip
    made, (line,) = signal_eval._as_executed(rows, own, elsewhere)
    assert line.teaches
    assert np.isnan(made["payoff_y"][:there].astype(float)).all(), "modelled only"
    assert made["payoff_y"][there:].tolist() == [-2.0] * (n - there)
    assert not signal_eval._as_executed(rows, own, [])[1][0].teaches


def test_what_the_same_draws_paid_with_beliefs_and_without_is_noted() -> None:
    """Rows of the outcomes stand in another order than the windows, and one window has none."""
    events = {
        "event_id": np.array(["a", "b", "c", "d"], object), "window_end_ms": np.arange(4) * 5_000,
        "eligible": np.array([True, True, True, False]), "published": np.array([True, False, True, False]),
        "pi": np.full(4, 0.5), "u0": np.array([9.0, 9.0, -9.0, 9.0]), "draw": np.full(4, 0.25),
        "fired": np.zeros(4, np.uint64),
    }  # fmt: skip
    rows = {"event_id": np.array(["c", "a", "b"], object), "payoff_p": np.array([8.0, 4.0, -2.0])}
    assert signal_eval._money(events, rows, 1_000.0) == {
        "with_beliefs_usd": 1.2, "without_beliefs_usd": 0.2, "with_beliefs_windows": 2, "without_beliefs_windows": 2,
    }  # fmt: skip
    none = {name: values[:0] for name, values in rows.items()}
    assert signal_eval._money(events, none, 1_000.0)["with_beliefs_windows"] == 0
