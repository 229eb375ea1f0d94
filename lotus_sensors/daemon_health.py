"""Sensor on the daemon's health: it looks every half minute and reports to Dagster, without a run, what has changed.

The asset `live_daemon` gets an observation, its check `healthy` a result: a daemon that does not run is a warning. The
same judgement is reported again after a while, so that numbers do not grow old. What is judged stands in
`lotus_live.reports.health`. (In Dagster: runless asset events.)
"""

import json
import time
from typing import Any, Final

import dagster as dg

from lotus_live.reports.health import Health, read_health
from lotus_resources.lotus_resource import Lotus

NAME, ASSET, CHECK = "daemon_health", "live_daemon", "healthy"
AGAIN_S: Final = {True: 900.0, False: 86_400.0}  # while a daemon runs, and while none does


def check_fields(health: Health) -> dict[str, Any]:
    """Return the fields of the check on the daemon, whoever reports it."""
    return {
        "check_name": CHECK,
        "passed": health.level == "ok",
        "severity": dg.AssetCheckSeverity.ERROR if health.level == "error" else dg.AssetCheckSeverity.WARN,
        "description": health.text,
        "metadata": dict(health.facts),
    }


def report(health: Health, cursor: str | None, now_s: float) -> dg.SensorResult:
    """Return the events for what the cursor does not know yet, or knows for too long, and the new cursor."""
    before = json.loads(cursor) if cursor else {}
    same = (before.get("level"), before.get("text")) == (health.level, health.text)
    if same and now_s - before["at_s"] < AGAIN_S[health.is_running]:
        return dg.SensorResult(skip_reason=f"as before: {health.text}", cursor=cursor)
    key, facts = dg.AssetKey(ASSET), dict(health.facts)
    seen = dg.AssetObservation(key, description=health.text, metadata=facts)
    evaluation = dg.AssetCheckEvaluation(asset_key=key, blocking=False, **check_fields(health))
    now = json.dumps({"level": health.level, "text": health.text, "at_s": now_s})
    return dg.SensorResult(skip_reason=f"reported: {health.text}", cursor=now, asset_events=[seen, evaluation])


@dg.sensor(
    name=NAME,
    target=None,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="How the live daemon is: connected, silent, late, failing, guarded. It starts no run.",
)
def daemon_health(context: dg.SensorEvaluationContext, lotus: dg.ResourceParam[Lotus]) -> dg.SensorResult:
    """Report the daemon's health where it is news."""
    return report(read_health(lotus.settings.home), context.cursor, time.time())
