"""Candidate detectors in the sig database: their charges, the steps of those that were looked at, what became of them.

A charge is a row of `candidate_trials`: one for each canonical id, whoever asked, numbered without holes under one
lock, so that the largest number is N. Nothing here is ever changed or removed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import dict_row

from lotus.coprocessor.bar import Finalist
from lotus.coprocessor.breeding import TrialCharge
from lotus.coprocessor.gate import GateState
from lotus.coprocessor.model.brought import latest_known
from lotus.coprocessor.settlement import CandidateStep
from lotus_store.ledger.bodies import to_body
from lotus_store.postgres.queries import Connection, query

Body = dict[str, Any]
BREED, LLM, PERSON = "breed", "llm", "person"
OUT = ("refused", "archived", "vetoed")
ORIGINS = {"llm": LLM, "idea": PERSON}  # by operator


@dataclass(frozen=True, slots=True)
class ChargedRun:
    """Who is charged: a run by the hash of what it rests on, its branch and the last day of its span.

    `knows_until`: the last day that a model of the run can have read about, "" where that is not known.
    """

    run: str
    branch: str
    night: str
    knows_until: str = ""


def trials_ever(connection: Connection) -> int:
    """Return N: the distinct candidates ever scored in the deployment."""
    return _one(connection, "count_candidate_trials", [])


def trials_before(connection: Connection, run: str) -> int:
    """Return N when a run was first charged; now, for one that was not."""
    return _one(connection, "trials_before_run", [run])


def trials_with(connection: Connection, before: int, candidates: Sequence[str], run: str = "") -> int:
    """Return N as a run sees it that began at `before` and scored these: the same however often it was begun again.

    What the run charged in an attempt that went another way (a model that answered later) counts as well.
    """
    charged = _one(connection, "known_trials_among", [list(candidates), before])
    return before + len(set(candidates)) - charged + _one(connection, "trials_beside", [run, list(candidates)])


def charge_trials(connection: Connection, run: ChargedRun, charges: Sequence[TrialCharge]) -> int:
    """Charge what was never charged, in one transaction; return how many. It is stored when this returns."""
    with connection.transaction():
        connection.execute(query("sig", "lock_candidate_trials"))
        ids = [c.canonical for c in charges]
        charged = {row[0] for row in connection.execute(query("sig", "trials_among"), [ids])}
        fresh = [c for c in charges if c.canonical not in charged]
        number = trials_ever(connection)
        until = _known_until(connection, run, fresh)
        with connection.cursor() as cursor:
            cursor.executemany(query("sig", "put_candidate_trial"), [
                (c.canonical, number + k, run.branch, run.night, run.run, c.generation,
                 ORIGINS.get(c.operator, BREED), c.operator, c.horizon_s, c.text, to_body(list(c.parents)),
                 until[c.canonical])
                for k, c in enumerate(fresh, 1)
            ])  # fmt: skip
    return len(fresh)


def _known_until(connection: Connection, run: ChargedRun, fresh: Sequence[TrialCharge]) -> dict[str, str | None]:
    """Return of each candidate until when models that had a part in it know: that of its parents, and its own."""
    parents = sorted({parent for c in fresh for parent in c.parents})
    held: dict[str, str] = dict(connection.execute(query("sig", "trials_of_models"), [parents]).fetchall())
    return {
        c.canonical: latest_known([run.knows_until if c.operator == LLM else None, *map(held.get, c.parents)])
        for c in fresh
    }


def put_finalist(connection: Connection, run: ChargedRun, finalist: Finalist, body: Body) -> None:
    """Keep one that was looked at: proposed with its facts, its steps, its verdict. Doing it again changes nothing."""
    candidate, verdict = finalist.genome.canonical, finalist.verdict
    with connection.transaction():
        for step in finalist.refinements:
            row = [run.run, step.parent, step.child, step.kind, step.text, step.t_before, step.t_after, step.taken]
            connection.execute(query("sig", "put_candidate_refinement"), row)
        head = [run.branch, candidate, run.run, run.night]
        proposed = [*head, "proposed", "t", finalist.score.t, 0.0, f"bred by {finalist.found.operator}", to_body(body)]
        decided = [*head, verdict.state, verdict.check, verdict.value, verdict.bound, verdict.words, to_body({})]
        for values in (proposed, decided):
            connection.execute(query("sig", "put_candidate_life"), values)


def candidates_of(connection: Connection, branch: str, beginning: str = "") -> list[Body]:
    """Return the newest state of candidates of a branch whose ids begin so, best T first, those that are out last."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query("sig", "candidates_newest"), {"branch": branch, "beginning": beginning}).fetchall()
    return sorted(found, key=lambda row: (row["state"] in OUT, -row["body"]["t"], row["candidate_id"]))


def refinements_of(connection: Connection, run: str) -> list[Body]:
    """Return the ablations and attacks of a run."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query("sig", "candidate_refinements_of"), [run]).fetchall()


def trial_of(connection: Connection, candidate: str) -> Body | None:
    """Return the charge of a candidate."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query("sig", "candidate_trial"), [candidate]).fetchone()


@dataclass(frozen=True, slots=True)
class CandidateDay:
    """A forward day of a candidate: S (bps), H, windows in which it spoke, and the gate after it."""

    candidate_id: str
    day: str
    gain_bps: float
    weight: float
    spoken: int
    gate: GateState


def screened(connection: Connection, branch: str) -> list[tuple[str, str, Body, str | None]]:
    """Return the candidates that may enter, with the night they were found on, their facts, until when a model knew."""
    return list(connection.execute(query("sig", "candidates_screened"), [branch]))


def days_of(connection: Connection, branch: str, candidate: str | None = None) -> dict[str, list[CandidateDay]]:
    """Return the forward days in order, by candidate; of one where it is given."""
    found: dict[str, list[CandidateDay]] = {}
    rows = connection.execute(query("sig", "candidate_days_of"), [branch, candidate, candidate])
    for name, day, gain, weight, spoken, variance, sums, _, peak, days, all_spoken, _ in rows:
        gate = GateState(variance, tuple(sums), days, all_spoken, peak)
        found.setdefault(name, []).append(CandidateDay(name, day, gain, weight, spoken, gate))
    return found


def put_candidate_day(connection: Connection, branch: str, row: CandidateDay) -> None:
    """Write a forward day once."""
    gate = row.gate
    connection.execute(query("sig", "put_candidate_day"), [
        branch, row.candidate_id, row.day, row.gain_bps, row.weight, row.spoken, gate.variance,
        to_body(list(gate.sums)), gate.e_value, gate.peak, gate.days, gate.spoken, gate.state,
    ])  # fmt: skip


def steps_of(connection: Connection, branch: str, candidate: str | None = None) -> dict[str, list[CandidateStep]]:
    """Return what became of candidates after their days to come, in order, by candidate; of one where it is given."""
    found: dict[str, list[CandidateStep]] = {}
    for name, *values in connection.execute(query("sig", "candidate_steps_of"), [branch, candidate, candidate]):
        found.setdefault(name, []).append(CandidateStep(name, *values))
    return found


def put_candidate_step(connection: Connection, branch: str, one: CandidateStep) -> None:
    """Write a step once."""
    row = [one.candidate_id, one.day, one.step, one.check, one.value, one.bound, one.reason]
    connection.execute(query("sig", "put_candidate_step"), [branch, *row])


def _one(connection: Connection, name: str, values: Sequence[object]) -> int:
    row = connection.execute(query("sig", name), values).fetchone()
    return int(row[0]) if row else 0
