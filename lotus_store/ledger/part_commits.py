"""Which blocks of a day's stage are finished, on whatever machine: rows that the commit of the day takes away.

Two workers may finish the same block; the first row stands, and another content from equal inputs is an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lotus.errors import LedgerError
from lotus_store.ledger.bodies import to_body
from lotus_store.postgres.queries import Connection, query


class NondeterminismError(LedgerError):
    """Equal code and inputs gave different content: the day is refused."""


@dataclass(frozen=True, slots=True)
class PartCommit:
    """One finished block of a stage and day; `inputs_hash` is of its code and of all that it read."""

    branch: str
    day: str
    stage: str
    block: str
    inputs_hash: str
    content_hash: str
    rows: int
    notes: Mapping[str, Any] = field(default_factory=dict)


def put_part(connection: Connection, part: PartCommit) -> None:
    """Record a finished block, unless it is; raises `NondeterminismError` where another content stands."""
    where = [part.branch, part.day, part.stage, part.block, part.inputs_hash]
    connection.execute(query("sig", "put_part"), [*where, part.content_hash, part.rows, to_body(part.notes)])
    stands = read_part(connection, *where)
    if stands is not None and stands.content_hash != part.content_hash:
        raise NondeterminismError(
            f"block {part.block} of {part.stage}[{part.day}] gave {part.content_hash}",
            f"{stands.content_hash}, which equal code and inputs gave before",
            "two machines whose processors or libraries compute differently; the day is not committed",
        )


def read_part(
    connection: Connection, branch: str, day: str, stage: str, block: str, inputs_hash: str
) -> PartCommit | None:
    """Return the record of a block, None where it is not finished."""
    row = connection.execute(query("sig", "read_part"), [branch, day, stage, block, inputs_hash]).fetchone()
    return PartCommit(branch, day, stage, block, inputs_hash, *row) if row else None


def has_parts(connection: Connection, branch: str) -> bool:
    """Tell whether any block of a branch is finished and not joined yet."""
    return connection.execute(query("sig", "has_parts"), [branch]).fetchone() is not None


def blocks_done(connection: Connection, branch: str, day: str) -> dict[str, list[str]]:
    """Return the blocks of a day that are finished and not joined yet, by stage."""
    done: dict[str, list[str]] = {}
    for stage, block in connection.execute(query("sig", "parts_of_day"), [branch, day]):
        done.setdefault(str(stage), []).append(str(block))
    return done


def drop_parts(connection: Connection, branch: str, day: str, stage: str) -> None:
    """Forget the blocks of a stage whose day is committed."""
    connection.execute(query("sig", "drop_parts"), [branch, day, stage])
