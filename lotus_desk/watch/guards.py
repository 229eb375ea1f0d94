"""What the brief is told of the desk's guards: what the kill switch does, and the alarms of the watchdog's file."""

from pathlib import Path
from typing import Final

from lotus_desk.safety.kill_switch import word_of
from lotus_desk.watch.alerts import read_alerts
from lotus_store.facts.brief.day import DeskAlarm, Guards

MOST: Final = 1000  # newest alarms that are looked at


def guards_of(home: Path) -> Guards:
    """Return the guards of a home as its files say now."""
    alerts = read_alerts(home / "live" / "alerts.jsonl", MOST)
    return Guards(word_of(home), tuple(DeskAlarm(a.time_ms, a.kind, a.found, a.done) for a in alerts))
