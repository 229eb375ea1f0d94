"""The daemon's health as Dagster hears it: what is news is reported without a run, what is not is left."""

import dagster as dg
import pytest
from dagster._core.definitions.observe import observe

from lotus_assets.live_daemon import live_daemon
from lotus_live.reports.health import Health
from lotus_resources.lotus_resource import Lotus
from lotus_sensors.daemon_health import AGAIN_S, daemon_health, report
from lotus_store.config import Settings

FINE = Health("ok", "daemon live-1 runs: nothing is amiss", {"lines": 3, "state": "running"}, is_running=True)
NONE = Health("warn", "no daemon runs here: none ever did", {"kill_switch": "lifted"}, is_running=False)


def test_news_is_reported_once_and_again_after_a_while() -> None:
    first = report(FINE, None, 0.0)
    assert [type(event) for event in first.asset_events] == [dg.AssetObservation, dg.AssetCheckEvaluation]
    assert report(FINE, first.cursor, AGAIN_S[True] - 1.0).asset_events == []
    assert len(report(FINE, first.cursor, AGAIN_S[True] + 1.0).asset_events) == 2
    _, gone = report(NONE, first.cursor, 1.0).asset_events
    assert isinstance(gone, dg.AssetCheckEvaluation)
    assert (gone.passed, gone.severity, gone.description) == (False, dg.AssetCheckSeverity.WARN, NONE.text)


@pytest.mark.parametrize(("level", "severity"), [("ok", "WARN"), ("error", "ERROR")])
def test_only_what_is_fine_passes(level: str, severity: str) -> None:
    health = Health(level, "x", {}, is_running=False)  # type: ignore[arg-type]
    _, told = report(health, None, 0.0).asset_events
    assert isinstance(told, dg.AssetCheckEvaluation)
    assert (told.passed, told.severity.value, told.blocking) == (level == "ok", severity, False)


def test_sensor_and_check_say_the_same_of_a_home_without_a_daemon(settings: Settings) -> None:
    lotus = Lotus.open(settings)
    try:
        context = dg.build_sensor_context(resources={"lotus": lotus})
        told = daemon_health.evaluate_tick(context)
        assert told.run_requests == []
        _, event = told.asset_events
        assert isinstance(event, dg.AssetCheckEvaluation)
        with dg.DagsterInstance.ephemeral() as instance:
            done = observe([live_daemon()], instance=instance, resources={"lotus": lotus})
        (found,) = done.get_asset_check_evaluations()
    finally:
        lotus.close()
    assert (found.passed, found.severity) == (event.passed, event.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found.description == event.description == "no daemon runs here: none ever did"
