"""Moving the kill switch from a page: the same switch as `lotus kill`, and afterwards a record of who did it and why.

The record is a line of the alerts and, where a database answers, a signed WATCHDOG_ALERT. The switch waits for neither.
"""

import logging
from typing import Final, Literal

import psycopg

from lotus.errors import ConfigError, LotusError
from lotus_desk.safety.kill_switch import KillSwitch
from lotus_desk.watch.alerts import Alerts
from lotus_desk.watch.messages import Teller
from lotus_desk.watch.rules import Finding
from lotus_store.config import Settings

SwitchMove = Literal["halt", "flatten", "lift"]
MOVES: Final[tuple[SwitchMove, ...]] = ("halt", "flatten", "lift")
KIND: Final = "kill_switch"
LONGEST: Final = 500  # characters of a reason
logger = logging.getLogger(__name__)


def move_switch(settings: Settings, move: SwitchMove, who: str, reason: str) -> str:
    """Throw or lift the switch of a home and record it; return its state afterwards.

    Raises `ConfigError` without a reason, and where the switch cannot be moved.
    """
    if not reason.strip() or len(reason) > LONGEST:
        raise ConfigError(f"a reason of {len(reason)} characters", f"1 to {LONGEST}, not blank")
    switch = KillSwitch(settings.home)
    before = switch.state()
    try:
        if move == "lift":
            switch.lift()
        else:
            switch.throw(flatten=move == "flatten")
    except OSError as problem:
        cause = "a disk or a right that is gone"
        raise ConfigError(f"the switch cannot be moved: {problem}", f"an empty file {switch.path}", cause) from problem
    after = switch.state()
    _record(settings, Finding(KIND, f"{move} by {who}: {reason.strip()}", "a person's act"), f"{before} -> {after}")
    return after


def _record(settings: Settings, finding: Finding, done: str) -> None:
    alerts = Alerts(settings.home)
    alerts.tell(finding, done)
    try:
        if not Teller(settings, alerts).send(alerts.waiting):
            logger.warning("the switch was moved, and no database took the message of it")
    except (psycopg.Error, LotusError, OSError) as problem:
        logger.warning("the switch was moved, and the message of it was not sent: %s", problem)
