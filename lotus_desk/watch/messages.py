"""Telling the modules what a watchdog did, when the database answers; nothing waits for it and nothing is started.

Every alert is one WATCHDOG_ALERT of the trader, however often it is sent.
"""

import asyncio
import logging
from dataclasses import asdict

import psycopg

from lotus.errors import LotusError
from lotus.modules.intents import Module
from lotus.modules.messages.trading import SafetyAlert, safety_message
from lotus_desk.watch.alerts import Alert, Alerts
from lotus_herald.keys import Keys
from lotus_herald.outbox import send_many
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.postgres.embedded import is_up

logger = logging.getLogger(__name__)

TRY_S = 5.0
DOWN = (psycopg.Error, LotusError, OSError)


class Teller:
    """Sends what `alerts` holds back, a try every 5 s."""

    def __init__(self, settings: Settings, alerts: Alerts) -> None:
        """Nothing is connected."""
        self.settings, self.alerts = settings, alerts
        self._said = ""

    async def run(self) -> None:
        """Send until cancelled; a database that is away is tried again."""
        while True:
            await asyncio.sleep(TRY_S)
            waiting = list(self.alerts.waiting)
            try:
                sent = bool(waiting) and await asyncio.to_thread(self.send, waiting)
            except DOWN as problem:
                if self._said != str(problem):
                    logger.warning("no alert was sent: %s", problem)
                self._said, sent = str(problem), False
            if sent:
                del self.alerts.waiting[: len(waiting)]

    def send(self, waiting: list[Alert]) -> bool:
        """Put alerts into the trader's outbox; return False where no server answers."""
        if self.settings.embedded and not is_up(self.settings.home):
            return False
        branch = self.settings.branch
        messages = [safety_message(SafetyAlert(branch=branch, **asdict(alert))) for alert in waiting]
        with Databases(self.settings, migrated=False) as databases, databases.connect(Module.TR.value) as connection:
            send_many(connection, Module.TR, messages, Keys(self.settings.keys_root))
        return True
