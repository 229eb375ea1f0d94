"""Minutes of a day as runs of one state."""

from lotus_console.minutes import minute_rows

MINUTE = 60_000


def test_minutes_in_a_row_are_one_run_and_what_was_not_expected_is_not_drawn() -> None:
    minutes = {
        "asset": [0, 0, 0, 0, 1, 7], "minute_ms": [0, MINUTE, 2 * MINUTE, 4 * MINUTE, 5 * MINUTE, 0],
        "share": [1.0, 0.9995, 0.5, 0.0, 1.0, 1.0], "expected_s": [60, 60, 60, 60, 0, 60],
    }  # fmt: skip
    assert minute_rows(["BTC", "ETH"], minutes) == [
        {
            "name": "BTC",
            "runs": [
                {"first": 0, "minutes": 2, "state": "whole"},
                {"first": 2, "minutes": 1, "state": "thin"},
                {"first": 4, "minutes": 1, "state": "gone"},
            ],
        },
        {"name": "ETH", "runs": []},
    ]
