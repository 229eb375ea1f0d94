"""The days that a branch traded on paper or at the local exchange, and whether live and batch agreed on each.

A day counts when the daemon logged it and the nightly run compared it: the check `live_parity` of signal_events.
"""

from dataclasses import dataclass

from lotus.modules.intents import Module
from lotus_desk.safety.last_parity import CHECK, STAGE
from lotus_store.databases import Databases
from lotus_store.ledger.day_commits import read_commit
from lotus_store.ledger.trading.plans import traded_days

PAPER_VENUES = ("paper", "local")


@dataclass(frozen=True, slots=True)
class PaperDay:
    """A traded day (UTC); `agreed` is None while nobody compared it."""

    day: str
    agreed: bool | None


def paper_days(databases: Databases, branch: str, most: int) -> list[PaperDay]:
    """Return the newest `most` traded days that were compared, and those not compared among them, newest first."""
    paper: list[PaperDay] = []
    with databases.connect(Module.TR.value) as connection:
        days = traded_days(connection, branch, PAPER_VENUES)
    with databases.connect(Module.SIG.value) as connection:
        for day in days:
            if sum(compared.agreed is not None for compared in paper) >= most:
                break
            commit = read_commit(connection, branch, day, STAGE)
            checks = commit.notes.get("checks", ()) if commit is not None else ()
            judged = [c for c in checks if c["name"] == CHECK and c.get("numbers", {}).get("logged")]
            paper.append(PaperDay(day, all(c["passed"] for c in judged) if judged else None))
    return paper
