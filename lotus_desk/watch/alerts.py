"""What a watchdog tells people: standard error and a file at once, a message when the database answers.

The file holds one JSON line an alert and is only added to. The same about the same kind is reported again after a
minute.
"""

import json
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lotus.errors import LotusError
from lotus_desk.safety.arming import wall_ms
from lotus_desk.watch.rules import Finding
from lotus_store.private import open_private

logger = logging.getLogger(__name__)

AGAIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: when (unix ms), what was found and expected, and what was done about it."""

    time_ms: int
    kind: str
    found: str
    expected: str
    done: str


@dataclass(slots=True)
class Alerts:
    """The alerts of one home; `waiting` are those that no database took yet."""

    home: Path
    waiting: list[Alert] = field(default_factory=list)
    count: int = 0
    _last: dict[tuple[str, str], float] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The file."""
        return self.home / "live" / "alerts.jsonl"

    def tell(self, finding: Finding, done: str) -> bool:
        """Report a finding unless the same was reported of its kind within a minute; return whether it was."""
        now_s, what = time.monotonic(), (finding.kind, done)
        if now_s - self._last.get(what, -AGAIN_S) < AGAIN_S:
            return False
        self._last[what] = now_s
        alert = Alert(wall_ms(), finding.kind, finding.found, finding.expected, done)
        say(f"{alert.kind}: found {alert.found}; expected {alert.expected}; {alert.done}")
        self.count += 1
        self.waiting.append(alert)
        try:
            self._append(alert)
        except (OSError, LotusError) as problem:
            say(f"{self.path} takes no alert: {problem}")
        return True

    def _append(self, alert: Alert) -> None:
        with open_private(self.path) as file:
            file.write(json.dumps(asdict(alert)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def say(text: str) -> None:
    """Log it at the highest level, under a word that can be searched for."""
    logger.critical("WATCHDOG: %s", text)


def read_alerts(path: Path, most: int = 20) -> Sequence[Alert]:
    """Return the last alerts of a file, oldest first; none when there is no file. A torn line is passed over."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ()
    alerts = []
    for line in lines[-most:]:
        try:
            alerts.append(Alert(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return alerts
