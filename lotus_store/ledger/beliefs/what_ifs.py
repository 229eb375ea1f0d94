"""What-ifs in the sig database: a question gets its number among those on overlapping days, and its answer, once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lotus_store.build import git_sha
from lotus_store.ledger.bodies import to_body
from lotus_store.postgres.queries import Connection, query

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AskedWhatIf:
    """A question by its name, the first and last of its days, and its change in words."""

    what_if_id: str
    branch: str
    first: str
    last: str
    words: str


def stored_what_if(connection: Connection, asked: AskedWhatIf) -> Body | None:
    """Return the answer that the same question on the same outcomes got before, None where it was never asked."""
    row = connection.execute(query("sig", "what_if"), [asked.branch, asked.what_if_id]).fetchone()
    return None if row is None else row[1]


def register(connection: Connection, asked: AskedWhatIf, answer: Callable[[int], Body]) -> Body:
    """Give a question its number, keep what `answer` makes of it, and return what is kept; one after the other."""
    with connection.transaction():
        connection.execute(query("sig", "lock_what_ifs"), [asked.branch])
        found = stored_what_if(connection, asked)
        if found is not None:
            return found
        days = [asked.branch, asked.first, asked.last]
        counted = connection.execute(query("sig", "count_what_ifs"), days).fetchone()
        number = 1 + int(counted[0]) if counted else 1
        row = [asked.branch, asked.what_if_id, number, asked.first, asked.last, asked.words]
        connection.execute(query("sig", "put_what_if"), [*row, to_body(answer(number)), git_sha()])
    body = stored_what_if(connection, asked)
    return {} if body is None else body
