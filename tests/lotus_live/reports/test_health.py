"""How the daemon is, by files alone: none, ended, gone, hanging, running well and running with something amiss."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lotus_desk.safety.arming import Arming, arm, wall_ms
from lotus_desk.safety.kill_switch import KillSwitch
from lotus_live.reports.health import read_health

NOW_S = 1_770_000_000.0


def wrote(home: Path, **changes: Any) -> None:
    """Write the status of a daemon that is this process and runs well, but for the changes."""
    feed = {"connected": True, "failures": 2, "stale": [], "silent_ms": 250, "last_error": ""}
    told: dict[str, Any] = {
        "state": "running", "run_id": "live-1", "pid": os.getpid(), "time": NOW_S - 1.0, "us_per_line": 17.96,
        "last_window_end_ms": int(NOW_S * 1000) - 3000, "lines": 12, "published": 3, "broken_lines": 0,
        "failures": {"ledger": {"count": 2}, "polls": {"count": 3}, "desk": {"count": 1}}, "last_failure": "",
        "feed": feed,
    }  # fmt: skip
    told["feed"] = feed | changes.pop("feed", {})
    KillSwitch(home).prepare()
    (home / "live" / "status.json").write_text(json.dumps(told | changes))


def test_a_home_without_a_daemon_is_a_warning_and_not_fine(tmp_path: Path) -> None:
    found = read_health(tmp_path)
    assert (found.level, found.text, found.is_running) == ("warn", "no daemon runs here: none ever did", False)
    wrote(tmp_path, state="stopped")
    found = read_health(tmp_path, NOW_S)
    assert (found.level, found.is_running) == ("warn", False)
    assert found.text == "no daemon runs here: the last one, live-1, stopped at 2026-02-02 02:39 UTC"


def test_one_that_runs_well_is_fine_and_its_numbers_are_told(tmp_path: Path) -> None:
    wrote(tmp_path)
    found = read_health(tmp_path, NOW_S)
    assert (found.level, found.text, found.is_running) == ("ok", "daemon live-1 runs: nothing is amiss", True)
    assert found.facts == {
        "state": "running", "run_id": "live-1", "connected": "True", "last_line_age_s": 1.2,
        "last_window_end": "2026-02-02 02:39:57 UTC", "latency_us_per_line": 18.0, "lines": 12, "published": 3,
        "connection_failures": 2, "stale_channels": 0, "broken_lines": 0, "ledger_failures": 2,
        "poll_failures": 3, "herald_failures": 0, "handler_failures": 0, "desk_failures": 1, "status_age_s": 1.0,
        "kill_switch": "lifted", "watchdog": "none runs", "armed": "no account",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"feed": {"connected": False, "last_error": "refused"}}, "warn", "not connected (refused)"),
        ({"feed": {"silent_ms": 90_000}}, "warn", "no line for 60 s"),
        ({"feed": {"stale": ["bbo:BTC", "bbo:ETH"]}}, "warn", "channels are stale"),
        ({"broken_lines": 1}, "warn", "something broke on lines"),
        ({"time": NOW_S - 60.0}, "error", "it writes nothing about itself any more"),
        ({"state": "running, the ledger does not take rows"}, "error", "the ledger does not take rows"),
        ({"pid": 2**22 + 1}, "error", "ended without a word"),
        ({"state": "stopped, not everything written"}, "error", "not everything written"),
    ],
)
def test_what_is_amiss_is_told(tmp_path: Path, changes: dict[str, Any], level: str, words: str) -> None:
    wrote(tmp_path, **changes)
    found = read_health(tmp_path, NOW_S)
    assert found.level == level
    assert words in found.text


def test_a_thrown_switch_warns_and_an_armed_account_without_a_watchdog_is_an_error(tmp_path: Path) -> None:
    wrote(tmp_path)
    KillSwitch(tmp_path).throw()
    assert read_health(tmp_path, NOW_S).text == "daemon live-1 runs: kill switch: halt"
    arm(tmp_path, Arming("book", "0x", wall_ms() + 7_200_000, "t", "1"))
    found = read_health(tmp_path, NOW_S)
    assert (found.level, found.facts["armed"]) == ("error", "book: 2 h")
    assert "an account is armed and no watchdog lives" in found.text
