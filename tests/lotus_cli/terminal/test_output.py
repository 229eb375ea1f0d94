"""What commands print as text: values of Python without its brackets and quotes."""

from typing import Any

import psycopg
import pytest

from lotus_cli.terminal.output import EXPLAINED_ERROR, shown, tell_refusal
from lotus_store.facts.words import clock


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (("BTC", "ETH"), "BTC, ETH"),
        ([], "none"),
        ({}, "none"),
        (None, "none"),
        (True, "yes"),
        (0, "0"),
        (1.5, "1.5"),
        ({"written": 9, "stale": ("a", "b")}, "written 9, stale a, b"),
        (["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-09"], "2026-01-05 to 2026-01-07, 2026-01-09"),
        (("2026-01-31", "2026-02-01"), "2026-01-31 to 2026-02-01"),
        ([{"path": "x"}, {"path": "y"}], "2 (listed by --json)"),
    ],
)
def test_a_value_is_read_in_one_line(value: Any, text: str) -> None:
    assert shown(value) == text


def test_a_time_is_a_time() -> None:
    assert clock(1_767_664_800_000) == "2026-01-06T02:00:00.000+00:00"
    assert clock(2**53) == "never"


def test_a_database_without_room_is_a_refusal_and_any_other_fault_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    full = psycopg.errors.DiskFull('could not extend file "base/1": No space left on device\nHINT: Check free space.')
    with pytest.raises(SystemExit) as ended:
        tell_refusal(full)
    assert ended.value.code == EXPLAINED_ERROR
    assert "No space left on device; expected: room on its disk" in capsys.readouterr().err
    with pytest.raises(psycopg.errors.UndefinedTable):
        tell_refusal(psycopg.errors.UndefinedTable("relation"))
