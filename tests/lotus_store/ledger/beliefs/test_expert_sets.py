"""Settings of experts in the ledger: what is read back, what replaces what, and the first day that is still free."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.errors import LedgerError
from lotus.experts.fusion import default_experts
from lotus.experts.weekly.learned import InForce, LearnedSettings
from lotus.timebase import day_start_ms
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.expert_sets import expert_set_on, first_free_day, read_expert_sets, write_expert_set
from lotus_store.ledger.signals.live_log import Run, append_events, begin_run

LEARNED = LearnedSettings(default_experts().version, weights=(("squeeze", 0.1), ("impulse", 1e-7)), off=("absorption",))
FIRST, SECOND = InForce("2026-01-14", "2026-01-12", LEARNED), InForce("2026-01-21", "2026-01-19", LEARNED)


def test_settings_are_read_back_and_replaced_by_day(databases: Databases) -> None:
    with databases.connect("sig") as c:
        for one in (SECOND, FIRST, FIRST):
            write_expert_set(c, "main", one)
        write_expert_set(c, "other", SECOND)
        assert read_expert_sets(c, "main") == [FIRST, SECOND]
        assert read_expert_sets(c, "main", after=FIRST.from_day) == [SECOND]
        again = replace(FIRST, learned=replace(LEARNED, off=()))
        write_expert_set(c, "main", again)
        assert read_expert_sets(c, "main") == [again, SECOND]
        c.execute("UPDATE dsi_expert_sets SET set_ver = 'x' WHERE branch = 'other'")
        with pytest.raises(LedgerError, match="hash to"):
            read_expert_sets(c, "other")


def test_the_newest_settings_up_to_a_day_hold_unless_they_are_of_another_release(databases: Databases) -> None:
    with databases.connect("sig") as c:
        for one in (FIRST, SECOND):
            write_expert_set(c, "main", one)
        found = [expert_set_on(c, "main", day) for day in ("2026-01-13", "2026-01-14", "2026-01-20", "2026-01-21")]
        assert found == [None, FIRST, FIRST, SECOND]
        c.execute(
            "UPDATE dsi_expert_sets SET settings = replace(settings, %s, 'old') WHERE from_day = %s",
            [LEARNED.base, SECOND.from_day],
        )
        assert expert_set_on(c, "main", "2026-01-22") == FIRST
        c.execute("UPDATE dsi_expert_sets SET set_ver = 'x' WHERE from_day = %s", [FIRST.from_day])
        with pytest.raises(LedgerError, match="hash to"):
            expert_set_on(c, "main", "2026-01-15")


def logged(c: object, run: str, end_ms: int, replayed: bool) -> None:
    """One window that a run logged."""
    row = {name: np.zeros(1, SIGNAL_EVENTS.numpy_dtype(name)) for name in SIGNAL_EVENTS.names}
    for column in SIGNAL_EVENTS.columns:
        if column.dtype == "text":
            row[column.name] = np.array(["x"], dtype=object)
    row |= {"event_id": np.array([run], dtype=object), "branch": np.array(["main"], dtype=object)}
    row |= {"window_end_ms": np.array([end_ms]), "window_start_ms": np.array([end_ms - 5_000])}
    begin_run(c, Run(run, "main", "tape", replayed))  # type: ignore[arg-type]
    append_events(c, run, row)  # type: ignore[arg-type]


def test_a_day_whose_state_a_daemon_may_hold_is_not_free(databases: Databases) -> None:
    day = day_start_ms("2026-01-13")
    with databases.connect("sig") as c:
        assert first_free_day(c, "main", "2026-01-14") == "2026-01-14"
        logged(c, "replay", day + 30 * 86_400_000, True)
        assert first_free_day(c, "main", "2026-01-14") == "2026-01-14"
        logged(c, "early", day + 1_800_000, False)
        assert first_free_day(c, "main", "2026-01-14") == "2026-01-14"
        logged(c, "late", day + 21 * 3_600_000, False)  # an hour before the state of the 14th is born
        assert first_free_day(c, "main", "2026-01-14") == "2026-01-15"
        assert first_free_day(c, "main", "2026-02-01") == "2026-02-01"
        assert first_free_day(c, "other", "2026-01-14") == "2026-01-14"
