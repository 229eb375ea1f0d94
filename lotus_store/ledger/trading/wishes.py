"""Acts for the overlay curator in the dm database: append-only rows, read by the day of event time."""

from collections.abc import Callable

from lotus.decision.wishes import Wish
from lotus_store.postgres.queries import Connection, query


def put_wish(connection: Connection, wish: Wish, event_id: str) -> None:
    """Keep an act brought by message `event_id`; the same act again changes nothing."""
    values = [wish.branch, wish.act_id, wish.coin, wish.log, wish.author, wish.reason, wish.from_day, wish.until_day]
    connection.execute(query("dm", "put_wish"), [*values, wish.lifts, event_id])


def live_wishes(connection: Connection, branch: str, day: str) -> list[Wish]:
    """Return the wishes in force on a UTC day, those that were lifted left out."""
    return live_wishes_asked(connection, branch, day)()


def live_wishes_asked(connection: Connection, branch: str, day: str) -> Callable[[], list[Wish]]:
    """Ask for the wishes in force in a pipeline of the caller; the answer is read when it is called."""
    rows = connection.execute(query("dm", "live_wishes"), {"branch": branch, "day": day})
    return lambda: [Wish(*row) for row in rows]


def all_wishes(connection: Connection, branch: str) -> list[Wish]:
    """Return every act of a branch, those that lift others too, oldest first."""
    return [Wish(*row) for row in connection.execute(query("dm", "all_wishes"), [branch])]
