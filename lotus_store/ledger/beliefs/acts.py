"""Acts of governance in the sig database: append-only rows; which are in force on a day, batch and daemon ask here.

What an act may be is `lotus.curation.law`'s. Of an act that was lifted, what is returned as in force has the day on
which it ends as its `until_day`, and does not hash to its name.
"""

from collections.abc import Iterable
from dataclasses import astuple

from lotus.curation.act import CurationAct
from lotus.curation.in_force import in_force
from lotus_store.postgres.queries import Connection, query


def put_acts(connection: Connection, acts: Iterable[CurationAct], event_id: str = "") -> None:
    """Keep acts, of a night or brought by message `event_id`; the same act again changes nothing."""
    with connection.cursor() as cursor:
        rows = [(act.branch, act.act_id, *astuple(act)[2:], event_id) for act in acts]
        cursor.executemany(query("sig", "put_governance_act"), rows)


def acts_on(connection: Connection, branch: str, day: str) -> list[CurationAct]:
    """Return the acts in force on a day of a branch."""
    rows = connection.execute(query("sig", "acts_on_day"), {"branch": branch, "day": day})
    return in_force([CurationAct(*row) for row in rows], day)


def acts_ending_after(connection: Connection, branch: str, day: str) -> list[CurationAct]:
    """Return every nudge and veto that is in force on some day after `day`, oldest first."""
    return [CurationAct(*row) for row in connection.execute(query("sig", "acts_ending_after"), [branch, day])]


def vetoes_at_once(connection: Connection, branch: str, day: str) -> list[CurationAct]:
    """Return the vetoes at once that no table of a day up to `day` carries and nobody lifted, oldest first."""
    return [CurationAct(*row) for row in connection.execute(query("sig", "vetoes_at_once"), [branch, day])]


def acts_until_after(connection: Connection, branch: str, day: str) -> list[CurationAct]:
    """Return every act as it was said, lifts too, whose own last day lies at or after `day`."""
    return [CurationAct(*row) for row in connection.execute(query("sig", "acts_until_after"), [branch, day])]


def acts_of_night(connection: Connection, branch: str, day: str) -> list[CurationAct]:
    """Return every act that was decided with `day` known."""
    return [CurationAct(*row) for row in connection.execute(query("sig", "acts_of_night"), [branch, day])]


def lifts_and_lifted(connection: Connection, branch: str, before: str) -> list[CurationAct]:
    """Return people's lifts that were said before the day `before` was known and end after it, and what they lift."""
    rows = connection.execute(query("sig", "lifts_and_lifted"), {"branch": branch, "before": before})
    return [CurationAct(*row) for row in rows]


def act_and_lifts(connection: Connection, branch: str, act_id: str) -> list[CurationAct]:
    """Return an act and those that lift it; nothing for an unknown name."""
    rows = connection.execute(query("sig", "act_and_lifts"), {"branch": branch, "act": act_id})
    return [CurationAct(*row) for row in rows]
