"""Experiments that somebody ran, in the sig database: what was asked before it runs, what came of it afterwards.

Both rows are only ever added. A run without a result was killed or still runs; after 24 hours it counts as lost.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from psycopg.rows import dict_row

from lotus.errors import LotusError
from lotus.hashing import natural_id
from lotus_store.build import git_sha
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.bodies import to_body
from lotus_store.ledger.fixture_bundles import newest_bundle
from lotus_store.postgres.queries import query

OK, FAILED, REFUSED = "ok", "failed", "refused"
KINDS: Final = ("learn", "what-if", "fixtures", "breed")
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ExperimentAsked:
    """What is to be run: its kind, what it is told, what it rests on ("": the newest night), seeds by name."""

    kind: str
    config: Mapping[str, Any]
    fixtures_hash: str = ""
    priors_ver: str = ""
    seeds: Mapping[str, int] | None = None


@contextmanager
def experiment_run(settings: Settings, asked: ExperimentAsked) -> Iterator[Body]:
    """Register a run of the branch, give a place for its metrics, and register what came of it.

    A `LotusError` is a refusal; whatever else ends it is a failure. Killed, it leaves the run without a result.
    """
    with Databases(settings) as databases:
        with databases.connect("sig") as sig:
            run_id = begin_run_of(sig, settings.branch, asked)
        metrics: Body = {}
        try:
            yield metrics
        except LotusError as error:
            _end(databases, run_id, REFUSED, {"reason": str(error)})
            raise
        except BaseException as error:
            _end(databases, run_id, FAILED, {"reason": f"{type(error).__name__}: {error}"[:400]})
            raise
        _end(databases, run_id, OK, metrics)


def begin_run_of(connection: Connection, branch: str, asked: ExperimentAsked) -> str:
    """Register a run that begins; return its name, which no other run has."""
    run_id = natural_id("experiment", asked.kind, secrets.token_bytes(16))
    fixtures = asked.fixtures_hash or newest_bundle(connection, branch)
    row = [run_id, branch, asked.kind, to_body(dict(asked.config)), fixtures, git_sha(), asked.priors_ver]
    connection.execute(query("sig", "put_experiment_run"), [*row, to_body(dict(asked.seeds or {}))])
    return run_id


def end_run_of(connection: Connection, run_id: str, status: str, metrics: Mapping[str, Any]) -> None:
    """Register what came of a run; the first result stays."""
    connection.execute(query("sig", "put_experiment_result"), [run_id, status, to_body(dict(metrics))])


def experiments_run(connection: Connection, branch: str, kind: str | None, limit: int) -> list[Body]:
    """Return the newest runs of a branch, of one kind or of all, with their results and states."""
    with connection.cursor(row_factory=dict_row) as cursor:
        place = {"branch": branch, "kind": kind, "limit": limit}
        return cursor.execute(query("sig", "tried"), place).fetchall()


def is_bred(connection: Connection, branch: str, monday: str) -> bool:
    """Tell whether the search that a Monday was due came to its end."""
    return connection.execute(query("sig", "bred_monday"), [branch, monday]).fetchone() is not None


def experiments_named(connection: Connection, branch: str, beginning: str) -> list[Body]:
    """Return the runs of a branch whose name begins so, at most two."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query("sig", "tried_run"), [branch, beginning]).fetchall()


def _end(databases: Databases, run_id: str, status: str, metrics: Mapping[str, Any]) -> None:
    with databases.connect("sig") as sig:
        end_run_of(sig, run_id, status, metrics)
