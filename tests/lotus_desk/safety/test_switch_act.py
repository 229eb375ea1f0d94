"""Moving the switch from a page: never without a reason, and never held up by what records it."""

from dataclasses import replace
from pathlib import Path

import pytest

from lotus.errors import ConfigError
from lotus_desk.safety.kill_switch import HALTED, LIFTED, KillSwitch
from lotus_desk.safety.switch_act import LONGEST, move_switch
from lotus_desk.watch.alerts import read_alerts
from lotus_store.config import Settings


def test_the_switch_moves_with_every_database_away(tmp_path: Path) -> None:
    settings = replace(Settings(tmp_path), server_dsn="host=127.0.0.1 port=1 connect_timeout=1")
    (tmp_path / "live").mkdir()
    assert move_switch(settings, "halt", "ana", " a drill ") == HALTED
    assert [alert.found for alert in read_alerts(tmp_path / "live" / "alerts.jsonl")] == ["halt by ana: a drill"]
    assert move_switch(settings, "lift", "ana", "over") == LIFTED


@pytest.mark.parametrize("reason", ["", "  ", "x" * (LONGEST + 1)])
def test_nothing_moves_without_a_reason(tmp_path: Path, reason: str) -> None:
    (tmp_path / "live").mkdir()
    with pytest.raises(ConfigError, match="a reason"):
        move_switch(Settings(tmp_path), "halt", "ana", reason)
    assert KillSwitch(tmp_path).state() == LIFTED
    (tmp_path / "live" / "alerts.jsonl").touch()
    assert not read_alerts(tmp_path / "live" / "alerts.jsonl")
