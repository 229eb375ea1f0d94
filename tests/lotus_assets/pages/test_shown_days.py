"""Which days the pages show: a restart of the code server waits for its runs, for so long, and says what it does."""

from collections.abc import Callable

import dagster as dg
import pytest

from lotus_assets.pages import shown_days
from lotus_assets.pages.shown_days import ShownDays, runs_under_way
from lotus_resources.provision import instance, provision
from lotus_resources.span import DaySpan
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.processes import own_tags

OLD, NEW = DaySpan("2026-01-05", "2026-01-06"), DaySpan("2026-01-05", "2026-01-07")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the time that passed."""
    now = [0.0]
    monkeypatch.setattr(shown_days.time, "monotonic", lambda: now[0])

    def at(seconds: float) -> None:
        now[0] = seconds

    return at


def test_a_restart_waits_for_runs_and_tells(clock: Callable[[float], None]) -> None:
    runs, said, begun, span = ["a"], list[str](), list[DaySpan](), [OLD]
    shown = ShownDays(OLD, lambda: span[0], lambda: runs, begun.append, said.append)
    shown.look()
    assert (said, begun) == ([], [])
    span[0] = NEW
    for seconds in (5.0, 10.0):
        clock(seconds)
        shown.look()
    (waiting,) = said
    assert "2026-01-05 to 2026-01-07 once 1 runs under way have ended, in 60 minutes" in waiting
    assert begun == []
    runs.clear()
    shown.look()
    shown.look()
    assert begun == [NEW]
    assert said[1:] == ["the tape has other days now: the pages show 2026-01-05 to 2026-01-07"]


def test_it_waits_no_longer_than_its_bound(clock: Callable[[float], None]) -> None:
    said, begun = list[str](), list[DaySpan]()
    shown = ShownDays(OLD, lambda: NEW, lambda: ["endless"], begun.append, said.append)
    for seconds in (0.0, shown_days.WAIT_S - 1.0, shown_days.WAIT_S + 1.0):
        assert begun == []
        clock(seconds)
        shown.look()
    assert begun == [NEW]
    assert "endless" in said[1]


def test_begun_runs_count_but_for_those_of_a_process_of_their_own(settings: Settings, databases: Databases) -> None:
    @dg.job
    def nothing() -> None:
        pass

    status, environment = dg.DagsterRunStatus, provision(settings, databases)
    assert runs_under_way(environment) == []
    cases = [(status.STARTED, {}), (status.STARTING, {}), (status.SUCCESS, {}), (status.STARTED, own_tags())]
    with instance(environment) as opened:
        made = [opened.create_run_for_job(nothing, tags=tags, status=state).run_id for state, tags in cases]
    assert set(runs_under_way(environment)) == set(made[:2])
