"""What dm and tr learn about their knobs, stored: repeated without effect, learned again and nothing said is lost."""

from dataclasses import replace

import pytest

from lotus.learning.lesson import Lesson
from lotus.manifest import WeaveDefaults
from lotus.priors.types import IDENTITY, Knob, Literal, Patch, Rule, priors_0, priors_version
from lotus.weave.braid import Braid, micro_braid
from lotus.weave.night import BraidEvent, changes
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.knob_nights import (
    AGAIN,
    read_lessons,
    read_records,
    read_registry,
    write_lessons,
    write_records,
    write_registry,
)

DAYS = ("2026-01-01", "2026-01-02")
MODULES = pytest.mark.parametrize("module", ["dm", "tr"])


def lesson(name: str) -> Lesson:
    return Lesson(
        lesson_id=name, branch="main", night=DAYS[0], detector_id="execution.retry", horizon_s=60,
        rule=Rule.of(Literal(0, 3, 4)), sign=1, uplift_bps=2.0, se_bps=0.4, ci95=(1.2, 2.8), lcb_bps=0.7, claim_bps=1.7,
        net_mean_bps=1.5, net_low_bps=0.5, net_high_bps=2.5, sigma_y_bps=4.0, m_nats=3.0, t_stat=5.0, recent_t=4.0,
        critical=1.0, n_windows=900, n_published=450, ess=450.0, n_days=20, n_blocks=60, n_eff_days=12.0,
        coverage=0.4, fill_share=1.0, trials=5594, grade="B", state="IDENTIFIED",
    )  # fmt: skip


def braid(name: str, mult: float = 1.0) -> Braid:
    weave, target = WeaveDefaults(), Patch(knobs=(Knob("execution:retry", 1.06),))
    patch = Patch(knobs=(Knob("execution:retry", mult),)) if mult != 1.0 else IDENTITY
    made = micro_braid(lesson(name), "main", target, 0.5, "", 10, weave)
    return replace(made, braid_id=name, state="active", patch=patch, scope="tr")


def said(before: list[Braid], after: list[Braid]) -> tuple[BraidEvent, ...]:
    one, two = priors_0("main"), priors_version("main", 10, tuple(b.active() for b in after if b.in_force))
    return changes(before, after, one, two)


@MODULES
def test_history_is_only_added_to_and_the_newest_row_counts(databases: Databases, module: str) -> None:
    first = [braid("a", 1.02), braid("b", 1.02)]
    second = [braid("a", 1.03), braid("c", 1.01)]
    with databases.connect(module) as c:
        for _ in range(2):
            written = write_registry(c, module, "main", DAYS[0], first, said([], first))
        assert written == 0, "saying the same again adds nothing"
        assert read_registry(c, module, "main") == first
        assert read_registry(c, module, "main", DAYS[0]) == []
        moved = [replace(first[0], patch=second[0].patch), first[1]]
        assert write_registry(c, module, "main", DAYS[1], moved, said(first, moved)) == 1
        assert read_registry(c, module, "main", DAYS[1]) == first
        assert read_registry(c, module, "other") == []
        for _ in range(2):
            write_registry(c, module, "main", DAYS[0], second, said([], second))
        board = {b.braid_id: b for b in read_registry(c, module, "main", DAYS[1])}
        rows = c.execute(f"SELECT count(*) FROM {module}_braid_history").fetchone()
    assert rows == (2 + 1 + 3,)
    assert (board["a"], board["c"]) == (second[0], second[1])
    assert (board["b"].state, board["b"].patch, board["b"].reason) == ("archived", IDENTITY, AGAIN)


@MODULES
def test_a_change_of_an_older_braid_is_taken_back_when_the_day_is_learned_again_without_it(
    databases: Databases, module: str
) -> None:
    first, moved = [braid("a", 1.02)], [braid("a", 1.03)]
    with databases.connect(module) as c:
        write_registry(c, module, "main", DAYS[0], first, said([], first))
        write_registry(c, module, "main", DAYS[1], moved, said(first, moved))
        assert read_registry(c, module, "main") == moved
        write_registry(c, module, "main", DAYS[1], first, ())
        assert read_registry(c, module, "main") == first


@MODULES
def test_lessons_and_records_of_nights(databases: Databases, module: str) -> None:
    with databases.connect(module) as c:
        for _ in range(2):
            write_lessons(c, module, "main", DAYS[0], [lesson("x"), lesson("y")])
            write_records(c, module, "main", DAYS[0], "night", {"night": {"looked": True}, "b": {"n": 1}})
        write_records(c, module, "main", DAYS[0], "night", {"b": {"n": 2}})
        assert read_lessons(c, module, "main", DAYS[0]) == [lesson("x"), lesson("y")]
        assert read_records(c, module, "main", DAYS[0], "night") == {"night": {"looked": True}, "b": {"n": 2}}
        assert read_records(c, module, "main", DAYS[1], "night") == {}
