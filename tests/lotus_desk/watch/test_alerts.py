"""No alert is written through a link."""

from pathlib import Path

import pytest

from lotus_desk.watch.alerts import Alerts
from lotus_desk.watch.rules import Finding


def test_no_alert_through_a_link(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    alerts, away = Alerts(tmp_path), tmp_path / "away"
    alerts.path.parent.mkdir()
    alerts.path.symlink_to(away)
    assert alerts.tell(Finding("k", "found", "expected"), "done")
    assert not away.exists()
    assert "takes no alert" in caplog.text
