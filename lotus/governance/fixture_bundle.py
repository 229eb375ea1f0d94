"""The fixture bundle of a night: references to everything that its tables were made from, under one hash; no copies.

A bundle names the content of each stage of its day and the bundle of the learning day before, so one hash stands for
the whole history of a branch. Which commit made it, and with which libraries, stands beside: equal tables of another
commit are the same fixtures. (Literature: Merkle tree, content-addressed builds.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lotus.hashing import natural_id

SHOWN: Final = 12  # characters of a hash in a sentence


@dataclass(frozen=True, slots=True)
class BundleTable:
    """What a stage of the day hashed to, and the branch that it belongs to."""

    branch: str
    stage: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class RawSegment:
    """One closed segment of raw tape: its file in the folder of its day, and the sha256 of its lines."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class FixtureBundle:
    """One learning day: its tables in the order in which stages run, its raw tape, and what the code was told.

    `parent` is the bundle of the learning day before, "" at the beginning of a branch.
    """

    branch: str
    tape: str
    day: str
    parent: str
    universe: tuple[str, ...]
    seed: int
    manifest_ver: str
    code_ver: str
    raw: tuple[RawSegment, ...]
    tables: tuple[BundleTable, ...]

    @property
    def fixtures_hash(self) -> str:
        """The hash of all that the bundle says."""
        raw = [word for one in self.raw for word in (one.name, one.sha256)]
        tables = [word for one in self.tables for word in (one.branch, one.stage, one.content_hash)]
        head = (self.branch, self.tape, self.day, self.parent, self.seed, self.manifest_ver, self.code_ver)
        return natural_id("fixtures", *head, *self.universe, len(raw), *raw, *tables)


def first_difference(bundle: FixtureBundle, found: Sequence[BundleTable]) -> str:
    """Return in words the first table of a bundle that is missing or another among those found; "" where none is.

    >>> one = BundleTable("main", "lessons", "a" * 32)
    >>> bundle = FixtureBundle("main", "t", "2026-01-05", "", (), 7, "m", "c", (), (one,))
    >>> first_difference(bundle, [one]), first_difference(bundle, [BundleTable("main", "lessons", "b" * 32)])
    ('', 'lessons[2026-01-05] on main is bbbbbbbbbbbb, not aaaaaaaaaaaa')
    """
    hashes = {(one.branch, one.stage): one.content_hash for one in found}
    for table in bundle.tables:
        again = hashes.get((table.branch, table.stage))
        if again != table.content_hash:
            was = "missing" if again is None else again[:SHOWN]
            return f"{table.stage}[{bundle.day}] on {table.branch} is {was}, not {table.content_hash[:SHOWN]}"
    return ""
