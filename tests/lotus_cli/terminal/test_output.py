"""What commands print as text: values of Python without its brackets and quotes."""

from typing import Any

import pytest

from lotus_cli.terminal.output import shown
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
