"""The numbers of modules by day in the sig database: the rows of record, of which the atlas has a copy.

What they are is decided in `lotus.atlas.numbers`; carrying them into the ledger is `atlas`.
"""

from collections.abc import Sequence

import msgspec

from lotus.atlas.numbers import ModuleNumbers
from lotus_store.postgres.queries import Connection, query


def write_numbers(connection: Connection, rows: Sequence[ModuleNumbers]) -> None:
    """Write rows; one that is there becomes the one given."""
    with connection.cursor() as cursor:
        cursor.executemany(query("sig", "put_module_numbers"), [msgspec.structs.astuple(row) for row in rows])


def read_numbers(connection: Connection, branch: str | None = None, day: str | None = None) -> list[ModuleNumbers]:
    """Return the rows of a branch and day, or of all, ordered by branch, day and module."""
    names = ModuleNumbers.__struct_fields__
    rows = connection.execute(query("sig", "read_module_numbers"), {"branch": branch, "day": day})
    return msgspec.convert([dict(zip(names, row, strict=True)) for row in rows], list[ModuleNumbers])
