"""Whether live and batch agreed on the last day that was judged: a daemon that differs from its replay does not trade.

The judgement is the check `live_parity` of the stage signal_events; it is read again every minute. (Literature:
interlock.)
"""

import time
from dataclasses import dataclass

import psycopg

from lotus.errors import LedgerError
from lotus_store.databases import Databases
from lotus_store.ledger.day_commits import last_commits

STAGE, CHECK = "signal_events", "live_parity"
ASKED_EVERY_S = 60.0
FOREVER = "9999-12-31"


@dataclass(slots=True)
class LastParity:
    """Asks the ledger of one branch; while it does not answer, the last answer stands (True before the first)."""

    databases: Databases
    branch: str
    _agrees: bool = True
    _asked: float = -float("inf")

    def __call__(self) -> bool:
        """Tell whether the last judged day agreed; a branch without one has nothing against it."""
        if time.monotonic() >= self._asked + ASKED_EVERY_S:
            self._asked = time.monotonic()
            try:
                self._agrees = self._read()
            except (psycopg.Error, LedgerError):
                return self._agrees
        return self._agrees

    def _read(self) -> bool:
        with self.databases.connect("sig") as connection:
            commits = last_commits(connection, self.branch, STAGE, FOREVER, 1)
        checks = commits[0].notes.get("checks", ()) if commits else ()
        return all(check["passed"] for check in checks if check["name"] == CHECK)
