"""Stored cards: days in a row that say the same are one row, no card is none; the rung is that of its own version."""

from pathlib import Path

from lotus.governance.ladder import LadderStanding, Rung, step_of
from lotus.governance.ladder_table import LADDER_STEPS, step_rows
from lotus_store.facts.cards import merged_days, rung_of, stored_cards
from lotus_store.lake import Lake


def test_days_that_say_the_same_are_one_row_and_other_lines_stay() -> None:
    page = "# T\n\n| 2026-01-05 | - |\n| 2026-01-06 | - |\n| 2026-01-07 | 0.5 |\n| total | 0.5 |\n| total | 0.5 |"
    assert merged_days(page).splitlines()[2:] == [
        "| 2026-01-05 to 2026-01-06 | - |", "| 2026-01-07 | 0.5 |", "| total | 0.5 |", "| total | 0.5 |"
    ]  # fmt: skip


def test_a_branch_without_a_day_has_no_card(tmp_path: Path) -> None:
    assert stored_cards(Lake(tmp_path), "main", "micro_drift") == {}


def test_the_rung_is_that_of_the_version_on_the_newest_monday(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    assert rung_of(lake, "main", "micro_drift", 2) == {}
    for monday, rung in (("2026-01-05", Rung.OFFLINE), ("2026-01-12", Rung.PAPER)):
        standing = LadderStanding("detector", "micro_drift v2", rung)
        rows = step_rows([(standing, step_of(standing))], {"micro_drift v2": "2026-01-01"}, monday)
        lake.write(LADDER_STEPS, "main", monday, rows)
    found = rung_of(lake, "main", "micro_drift", 2)
    assert (found["day"], found["rung"]) == ("2026-01-12", step_of(standing).to.value)
    assert rung_of(lake, "main", "micro_drift", 1) == rung_of(lake, "other", "micro_drift", 2) == {}
