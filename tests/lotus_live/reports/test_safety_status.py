"""What is told of the safety of a home from files alone, the daemon dead or alive."""

import json
import os
import time
from pathlib import Path

from click.testing import CliRunner

from lotus_cli.desk.live import live_command
from lotus_desk.safety.arming import Arming, arm, wall_ms
from lotus_desk.safety.heartbeat import Pulse
from lotus_desk.safety.kill_switch import KillSwitch
from lotus_live.reports.safety_status import armed_accounts, safety_status


def test_an_empty_home_says_so(tmp_path: Path) -> None:
    told = safety_status(tmp_path)
    assert told == {
        "kill_switch": f"halt: {tmp_path / 'live'} is not there",
        "pulse_age_s": None,
        "watchdog": {"alive": False},
        "armed": {},
        "last_alerts": [],
    }
    answer = json.loads(CliRunner().invoke(live_command, ["--status", "--json", "--home", str(tmp_path)]).stdout)
    assert answer["state"] == "never ran here"
    assert answer["kill_switch"].startswith("halt: ")


def test_it_tells_switch_pulse_and_what_is_left_of_an_arming(tmp_path: Path) -> None:
    KillSwitch(tmp_path).throw(flatten=True)
    Pulse(tmp_path).turned(0.1, 0.0)
    arm(tmp_path, Arming("book", "0x", wall_ms() + 7_200_000, "t", "1"))
    arm(tmp_path, Arming("old", "0x", wall_ms() - 1, "t", "1"))
    told = safety_status(tmp_path)
    assert told["kill_switch"] == "flatten"
    assert 0.0 <= told["pulse_age_s"] < 5.0
    assert armed_accounts(tmp_path) == {"book": "2 h", "old": "ended"}


def test_a_pulse_of_another_start_of_the_machine_has_no_age(tmp_path: Path) -> None:
    pulse = Pulse(tmp_path)
    pulse.path.parent.mkdir()
    pulse._who = {"pid": os.getpid(), "born": "1", "boot": "another"}
    pulse.turned(0.1, 0.0)
    beat = pulse.read()
    assert beat is not None
    assert beat.age_s(time.monotonic(), "this one") == float("inf")
    assert safety_status(tmp_path)["pulse_age_s"] is None
