"""Fixture bundles and costs of stages in the sig database: what each learning day was made of, and what it took.

Bundles are only ever added; a cost is that of the last computation and stands in no hash.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lotus.governance.fixture_bundle import FixtureBundle
from lotus_store.build import git_sha
from lotus_store.ledger.bodies import from_body, to_body
from lotus_store.postgres.queries import Connection, query


@dataclass(frozen=True, slots=True)
class StoredBundle:
    """A bundle with the commit that made it and the hash of the libraries that were pinned."""

    bundle: FixtureBundle
    git_sha: str
    lock_sha256: str


def put_bundle(connection: Connection, bundle: FixtureBundle, lock_sha256: str) -> None:
    """Keep a bundle; the same one again changes nothing."""
    row = [bundle.fixtures_hash, bundle.branch, bundle.day, bundle.parent, to_body(bundle), git_sha(), lock_sha256]
    connection.execute(query("sig", "put_fixture_bundle"), row)


def bundle_chain(connection: Connection, fixtures_hash: str) -> list[StoredBundle]:
    """Return a bundle and all that it stands on, oldest first; nothing for an unknown hash."""
    rows = connection.execute(query("sig", "fixture_chain"), [fixtures_hash])
    return [StoredBundle(from_body(body, FixtureBundle), sha, lock) for body, sha, lock in rows]


def bundles_like(connection: Connection, beginning: str) -> list[tuple[str, str, str]]:
    """Return hash, branch and day of the bundles whose hash begins so, oldest day first."""
    return [(str(h), str(b), str(d)) for h, b, d in connection.execute(query("sig", "fixtures_like"), [beginning])]


def newest_bundle(connection: Connection, branch: str) -> str:
    """Return the hash of the newest learning day of a branch, "" without one."""
    row = connection.execute(query("sig", "newest_fixtures"), [branch]).fetchone()
    return str(row[0]) if row else ""


def put_cost(connection: Connection, branch: str, day: str, stage: str, cpu_s: float, wall_s: float) -> None:
    """Keep what a stage took, in place of what it took before."""
    connection.execute(query("sig", "put_stage_cost"), [branch, day, stage, cpu_s, wall_s, git_sha()])


def cpu_of_days(connection: Connection, branch: str, days: Sequence[str]) -> dict[str, float]:
    """Return the CPU seconds of the stages of each of some days of a branch, of those that were scored and learned from
    since costs are noted.
    """
    rows = connection.execute(query("sig", "cost_of_days"), [branch, list(days)])
    return {str(day): float(cpu_s) for day, cpu_s in rows}
