"""Stored cards: days in a row that say the same are one row, and no card is none."""

from pathlib import Path

from lotus_store.facts.cards import merged_days, stored_cards
from lotus_store.lake import Lake


def test_days_that_say_the_same_are_one_row_and_other_lines_stay() -> None:
    page = "# T\n\n| 2026-01-05 | - |\n| 2026-01-06 | - |\n| 2026-01-07 | 0.5 |\n| total | 0.5 |\n| total | 0.5 |"
    assert merged_days(page).splitlines()[2:] == [
        "| 2026-01-05 to 2026-01-06 | - |", "| 2026-01-07 | 0.5 |", "| total | 0.5 |", "| total | 0.5 |"
    ]  # fmt: skip


def test_a_branch_without_a_day_has_no_card(tmp_path: Path) -> None:
    assert stored_cards(Lake(tmp_path), "main", "micro_drift") == {}
