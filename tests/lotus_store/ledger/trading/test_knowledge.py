"""What the decision-maker knows, kept: bit for bit, whole nights, the newest before a day, each branch its own."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.decision.allocation.covariance import Covariance
from lotus.decision.knowledge.calibration import Cell, ScoreCalibration
from lotus.decision.knowledge.feedback import DecisionMemory, ExecutorScore
from lotus.decision.knowledge.plan_terms import LEVELS_BPS, Term, TermAccount
from lotus.decision.knowledge.reliability import SourceReliability
from lotus.errors import LedgerError
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.trading.knowledge import (
    Knowledge,
    content_of_night,
    executors_by,
    knowledge_before,
    knowledge_of,
    put_executor,
    put_knowledge,
)

BY_DRAW = settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
numbers = st.floats(allow_nan=False)
whole = st.integers(0, 2**53)


@st.composite
def cells(draw: st.DrawFn) -> Cell:
    knots = draw(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4))
    scores, bps = zip(*knots, strict=True)
    key = (draw(names), draw(whole), draw(st.just("") | names))
    return Cell(key, scores, bps, draw(numbers), draw(numbers), draw(numbers))


@st.composite
def covariances(draw: st.DrawFn) -> Covariance:
    coins = tuple(draw(st.lists(names, max_size=3, unique=True)))
    n = len(coins)
    matrix = np.array(draw(st.lists(numbers, min_size=n * n, max_size=n * n)), dtype=np.float64).reshape(n, n)
    return Covariance(coins, matrix, draw(numbers), draw(whole), draw(numbers), draw(whole))


reliabilities = st.builds(SourceReliability, names, whole, numbers, numbers, numbers, st.just("") | names, whole)
calibrations = st.builds(
    ScoreCalibration, st.just("2026-01-02"), st.lists(cells(), max_size=4).map(tuple), numbers, names
)
memories = st.builds(DecisionMemory, st.lists(reliabilities, max_size=4).map(tuple))
pairs = st.dictionaries(st.tuples(names, names), numbers, max_size=4)
nights = st.builds(Knowledge, st.just("2026-01-01"), calibrations, memories, covariances(), pairs)


def bits(value: Any) -> str:
    """All floats in hexadecimal, arrays as lists: equal texts are equal bits."""
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, np.ndarray):
        return bits((value.shape, value.tolist()))
    if isinstance(value, dict):
        return bits(sorted(value.items()))
    if isinstance(value, list | tuple):
        return "(" + " ".join(bits(v) for v in value) + ")"
    if hasattr(value, "__dataclass_fields__"):
        return bits([getattr(value, name) for name in value.__dataclass_fields__])
    return repr(value)


def a_night(day: str, value: float = 0.5) -> Knowledge:
    cell = Cell(("det:a@1", 30, ""), (0.1, 0.2), (1.0, 2.0), 3.0, 30.0, 40.0)
    known = SourceReliability("det:a@1", 30, value, 1.0, 2.0, day, 3)
    covariance = Covariance(("BTC",), np.array([[2.0]]), 60.0, 1, 0.1, 30)
    return Knowledge(
        day, ScoreCalibration("later", (cell,), 200.0, "v"), DecisionMemory((known,)), covariance, {("a", "b"): 0.3}
    )


@pytest.fixture
def dm(databases: Databases) -> Iterator[Connection]:
    with databases.connect("dm", autocommit=True) as connection:
        yield connection


@BY_DRAW
@given(night=nights)
def test_every_bit_comes_back_and_the_same_again_changes_no_row(dm: Connection, night: Knowledge) -> None:
    dm.execute("UPDATE dm_knowledge SET body = '[]'")  # whatever stood there before is replaced
    put_knowledge(dm, "main", night)
    found = knowledge_before(dm, "main", "2026-01-02")
    assert bits(found) == bits(night)
    kept = dm.execute("SELECT xmin::text, * FROM dm_knowledge ORDER BY kind, name").fetchall()
    put_knowledge(dm, "main", night)
    assert dm.execute("SELECT xmin::text, * FROM dm_knowledge ORDER BY kind, name").fetchall() == kept
    assert found is not None
    assert found.covariance.version == night.covariance.version


def test_accounts_of_terms_come_back_and_are_content_once_one_is_in_force(dm: Connection) -> None:
    size = len(LEVELS_BPS)
    account = TermAccount("det:a@1", 30, Term.CUT, (60.0,) * size, (0.1,) * size, 7, -0.3, 2.5, (0.2, -0.0, 1.5, 3.0))
    plain, told = a_night("2026-01-02"), replace(a_night("2026-01-02"), terms=(account,))
    put_knowledge(dm, "main", told)
    assert bits(knowledge_before(dm, "main", "2026-01-03")) == bits(told)
    content = content_of_night(plain, ())
    assert content_of_night(told, ()) == content
    held = replace(told, terms=(replace(account, in_force=True),))
    assert content_of_night(held, ()) != content


def test_the_newest_night_before_a_day_of_its_own_branch(dm: Connection) -> None:
    assert knowledge_before(dm, "main", "2026-01-05") is None
    put_knowledge(dm, "main", a_night("2026-01-03", 0.6))
    put_knowledge(dm, "main", a_night("2026-01-01", 0.5))
    put_knowledge(dm, "other", a_night("2026-01-04", 0.7))

    def night(branch: str, day: str) -> str:
        found = knowledge_before(dm, branch, day)
        return found.day if found else ""

    assert [night("main", f"2026-01-0{d}") for d in (1, 2, 3, 4, 5)] == [
        "",
        "2026-01-01",
        "2026-01-01",
        *["2026-01-03"] * 2,
    ]
    assert night("other", "2026-01-05") == "2026-01-04"


def test_executors_are_the_newest_of_each_by_day_and_not_part_of_a_night(dm: Connection) -> None:
    for day, name, value in (
        ("2026-01-01", "hl:maker", 0.4),
        ("2026-01-03", "hl:maker", 0.6),
        ("2026-01-02", "b", 0.5),
    ):
        put_executor(dm, "main", day, ExecutorScore(name, value / 2, 1))
        put_executor(dm, "main", day, ExecutorScore(name, value, 2))
    assert [(e.executor, e.value, e.reports) for e in executors_by(dm, "main", "2026-01-02")] == [
        ("b", 0.5, 2),
        ("hl:maker", 0.4, 2),
    ]
    assert executors_by(dm, "other", "2026-01-09") == ()
    assert knowledge_before(dm, "main", "2026-01-09") is None
    put_knowledge(dm, "main", a_night("2026-01-01"))
    found = knowledge_before(dm, "main", "2026-01-03")
    assert found is not None
    assert [e.value for e in found.memory.executors] == [0.5, 0.6]  # what the day's own reports taught is known
    assert knowledge_of(dm, "main", "2026-01-01", "2026-01-01").memory.executors == (ExecutorScore("hl:maker", 0.4, 2),)


def test_a_night_that_breaks_in_between_leaves_nothing(dm: Connection) -> None:
    put_knowledge(dm, "main", a_night("2026-01-01"))
    broken = a_night("2026-01-02", 0.9)
    object.__setattr__(broken, "correlations", {("a", "\0"): 0.1})  # PostgreSQL refuses this text, in the last row
    with pytest.raises(Exception, match="u0000"):
        put_knowledge(dm, "main", broken)
    found = knowledge_before(dm, "main", "2026-01-03")
    assert found is not None
    assert bits(found) == bits(a_night("2026-01-01"))
    with pytest.raises(LedgerError, match="lacks"):
        knowledge_of(dm, "main", "2026-01-02", "2026-01-02")
