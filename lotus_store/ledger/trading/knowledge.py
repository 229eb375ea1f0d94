"""What the decision-maker knows, in the dm database: what each night fitted, and what executors earned by day.

`day` is the last day of the evidence. A night's rows are written in one transaction and are complete or absent; written
again with the same values they stay the same rows. Every float comes back bit for bit. Fitting is `lotus.decision`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lotus.decision.allocation.covariance import Covariance
from lotus.decision.fusion import Correlations
from lotus.decision.knowledge.calibration import ScoreCalibration
from lotus.decision.knowledge.claims import ClaimSlope
from lotus.decision.knowledge.feedback import DecisionMemory, ExecutorScore
from lotus.decision.knowledge.nightly import SourceQuality
from lotus.decision.knowledge.plan_terms import TermAccount, in_force
from lotus.decision.knowledge.reliability import SourceReliability
from lotus.errors import LedgerError
from lotus.hashing import natural_id
from lotus_store.ledger.bodies import from_body, to_body
from lotus_store.postgres.queries import Connection, query

CALIBRATION, RELIABILITY, EXECUTOR = "calibration", "reliability", "executor"
CELLS: Final = (CALIBRATION, "cells")  # kind and name of each row of a night
COVARIANCE: Final = (CALIBRATION, "covariance")
CORRELATIONS: Final = (CALIBRATION, "correlations")
QUALITY: Final = (CALIBRATION, "quality")
SOURCES: Final = (RELIABILITY, "sources")
TERMS: Final = (CALIBRATION, "terms")  # of nights that have any
NIGHT: Final = (CELLS, SOURCES, COVARIANCE, CORRELATIONS, QUALITY)
CLAIMS: Final = (RELIABILITY, "claims")  # absent of nights that knew nothing of claims


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known from the evidence of `day` and earlier; in force on later days.

    `memory.reliabilities` are those of the night, `memory.executors` the newest scores that were asked for. A
    covariance without coins means that there were too few returns to fit one. `terms` are accounts of plans' terms;
    those that are not in force are no part of a night's content. `claims` are slopes of braids' claims.
    """

    day: str
    calibration: ScoreCalibration
    memory: DecisionMemory
    covariance: Covariance
    correlations: Correlations
    terms: tuple[TermAccount, ...] = ()
    claims: tuple[ClaimSlope, ...] = ()


@dataclass(frozen=True, slots=True)
class _StoredCovariance:
    coins: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]
    bar_s: float
    asof_ms: int
    shrinkage: float
    rows: int


def put_knowledge(
    connection: Connection, branch: str, knowledge: Knowledge, quality: Sequence[SourceQuality] = ()
) -> None:
    """Write a night's knowledge and the quality of its forecasts, all or nothing; executors are not its business."""
    with connection.transaction(), connection.cursor() as cursor:
        bodies = _bodies(knowledge, quality)
        bodies |= {TERMS: to_body(knowledge.terms)} if knowledge.terms else {}
        rows = [[branch, knowledge.day, *key, body] for key, body in bodies.items()]
        cursor.executemany(query("dm", "put_knowledge"), rows)


def content_of_night(knowledge: Knowledge, quality: Sequence[SourceQuality]) -> str:
    """Return the content hash of a night's rows; a night without claims or terms has that of one that knew of none."""
    bodies, terms = _bodies(knowledge, quality), in_force(knowledge.terms)
    keys = (*NIGHT, CLAIMS) if knowledge.claims else NIGHT
    words = [word for key in keys for word in (*key, bodies[key])]
    return natural_id(*words, *((*TERMS, to_body(terms)) if terms else ()))


def knowledge_before(connection: Connection, branch: str, day: str) -> Knowledge | None:
    """Return what is known on `day`: the newest night whose evidence ends before it; None when there is none.

    Executors are those of `executors_by(connection, branch, day)`: what this day's reports taught so far is known too.
    """
    row = connection.execute(query("dm", "night_before"), [branch, *CELLS, day]).fetchone()
    return knowledge_of(connection, branch, str(row[0]), day) if row else None


def knowledge_of(connection: Connection, branch: str, night: str, executors_day: str) -> Knowledge:
    """Return the knowledge of one night, with executors as of a day; raises `LedgerError` when it is not there."""
    bodies = _read(connection, branch, night)
    stored = from_body(bodies[COVARIANCE], _StoredCovariance)
    matrix = np.array(stored.matrix, dtype=np.float64).reshape(len(stored.coins), len(stored.coins))
    pairs = from_body(bodies[CORRELATIONS], list[tuple[str, str, float]])
    reliabilities = from_body(bodies[SOURCES], tuple[SourceReliability, ...])
    return Knowledge(
        day=night,
        calibration=from_body(bodies[CELLS], ScoreCalibration),
        memory=DecisionMemory(reliabilities, executors_by(connection, branch, executors_day)),
        covariance=Covariance(
            coins=stored.coins,
            matrix=matrix,
            bar_s=stored.bar_s,
            asof_ms=stored.asof_ms,
            shrinkage=stored.shrinkage,
            rows=stored.rows,
        ),
        correlations={(one, other): rho for one, other, rho in pairs},
        terms=from_body(bodies.get(TERMS, ()), tuple[TermAccount, ...]),
        claims=from_body(bodies.get(CLAIMS, ()), tuple[ClaimSlope, ...]),
    )


def quality_of_night(connection: Connection, branch: str, night: str) -> tuple[SourceQuality, ...]:
    """Return how promises were kept up to a night; raises `LedgerError` when it is not there."""
    return from_body(_read(connection, branch, night)[QUALITY], tuple[SourceQuality, ...])


def put_executor(connection: Connection, branch: str, day: str, score: ExecutorScore) -> None:
    """Write an executor's score as of a day; a later one of the same day takes its place."""
    connection.execute(query("dm", "put_knowledge"), [branch, day, EXECUTOR, score.executor, to_body(score)])


def executors_by(connection: Connection, branch: str, day: str) -> tuple[ExecutorScore, ...]:
    """Return the newest score of each executor from `day` or earlier, by name."""
    return executors_asked(connection, branch, day)()


def executors_asked(connection: Connection, branch: str, day: str) -> Callable[[], tuple[ExecutorScore, ...]]:
    """Ask for what `executors_by` returns, in a pipeline perhaps; return what gives the answer."""
    asked = connection.execute(query("dm", "newest_of_kind"), [branch, EXECUTOR, day])
    return lambda: tuple(from_body(body, ExecutorScore) for _, body in asked)


def _bodies(knowledge: Knowledge, quality: Sequence[SourceQuality]) -> dict[tuple[str, str], str]:
    covariance = knowledge.covariance
    matrix = tuple(tuple(row) for row in covariance.matrix.tolist())
    stored = _StoredCovariance(
        covariance.coins, matrix, covariance.bar_s, covariance.asof_ms, covariance.shrinkage, covariance.rows
    )
    pairs = [(one, other, rho) for (one, other), rho in sorted(knowledge.correlations.items())]
    return {
        CELLS: to_body(knowledge.calibration),
        SOURCES: to_body(knowledge.memory.reliabilities),
        COVARIANCE: to_body(stored),
        CORRELATIONS: to_body(pairs),
        QUALITY: to_body(tuple(quality)),
        CLAIMS: to_body(knowledge.claims),
    }


def _read(connection: Connection, branch: str, night: str) -> dict[tuple[str, str], Any]:
    rows = connection.execute(query("dm", "knowledge_of_night"), [branch, night, EXECUTOR])
    bodies = {(str(kind), str(name)): body for kind, name, body in rows}
    lacking = [name for kind, name in NIGHT if (kind, name) not in bodies]
    if lacking:
        raise LedgerError(f"the night of {night} on {branch} lacks {', '.join(lacking)}", "a whole night")
    return bodies
