"""What stands between a home and the venue at this moment: kill switch, pulse of the desk, watchdog, arming, alerts.

Read from files alone, so that it answers with the daemon and every database gone.
"""

import time
from pathlib import Path
from typing import Any

from lotus_desk.safety.arming import read_arming, wall_ms
from lotus_desk.safety.heartbeat import Pulse
from lotus_desk.safety.kill_switch import KillSwitch
from lotus_desk.watch.alerts import Alerts, read_alerts
from lotus_desk.watch.status import watchdog_status
from lotus_store.processes import boot_id


def safety_status(home: Path) -> dict[str, Any]:
    """Return it as plain values; ages in seconds, None where there is nothing to tell."""
    beat = Pulse(home).read()
    age_s = beat.age_s(time.monotonic(), boot_id()) if beat is not None else None
    return {
        "kill_switch": _switch_words(KillSwitch(home)),
        "pulse_age_s": None if age_s is None or age_s == float("inf") else round(age_s, 2),
        "watchdog": watchdog_status(home),
        "armed": armed_accounts(home),
        "last_alerts": [f"{a.kind}: {a.found}; {a.done}" for a in read_alerts(Alerts(home).path, 3)],
    }


def _switch_words(switch: KillSwitch) -> str:
    state = switch.state()
    return state if switch.folder.is_dir() else f"{state}: {switch.folder} is not there"


def armed_accounts(home: Path) -> dict[str, str]:
    """Return what is left of the arming of each account: hours, or that it ended."""
    left = {}
    for path in sorted((home / "live" / "armed").glob("*.json")):
        arming = read_arming(home, path.stem)
        hours = (arming.until_ms - wall_ms()) / 3_600_000 if arming is not None else 0.0
        left[path.stem] = f"{hours:.0f} h" if hours > 0 else "ended"
    return left
