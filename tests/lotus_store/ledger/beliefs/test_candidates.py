"""Charges of candidates: numbered once, never changed; what was looked at is kept as it was decided."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from lotus.coprocessor.bar import CandidateVerdict, Finalist, Refinement
from lotus.coprocessor.breeding import Breeder, BreedPlan, TrialCharge
from lotus.coprocessor.genome import read
from lotus.coprocessor.scoring import Score
from lotus.coprocessor.selection import Individual
from lotus.tape_machine.parser import parse
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.candidates import (
    ChargedRun,
    candidates_of,
    charge_trials,
    put_finalist,
    refinements_of,
    trial_of,
    trials_before,
    trials_ever,
    trials_with,
)
from tests.lotus_coprocessor.breeding_bed import small_panel


def run(name: str) -> ChargedRun:
    return ChargedRun(name, "main", "2026-01-20")


def charges(*names: str) -> list[TrialCharge]:
    return [TrialCharge(name, 0, "grow", 300, "imb_5", ()) for name in names]


def test_a_candidate_is_charged_once_and_n_never_falls(databases: Databases) -> None:
    with databases.connect("sig", autocommit=True) as c:
        began = trials_ever(c)
        assert charge_trials(c, run("n1"), charges("n-a", "n-b")) == 2
        assert charge_trials(c, run("n2"), charges("n-b", "n-c")) == 1
        assert charge_trials(c, run("n1"), charges("n-a", "n-b")) == 0
        assert trials_ever(c) == began + 3
        assert (trials_before(c, "n1"), trials_before(c, "n2"), trials_before(c, "n-new")) == (
            began, began + 2, began + 3,
        )  # fmt: skip
        assert trials_with(c, began, ["n-a", "n-b"]) == began + 2  # what others tried meanwhile does not move it
        assert trials_with(c, began + 2, ["n-b", "n-c"]) == began + 3
        assert trial_of(c, "n-b")["run"] == "n1"


def test_children_of_what_a_model_proposed_know_what_it_knows(databases: Databases) -> None:
    def one(name: str, operator: str, *parents: str) -> TrialCharge:
        return TrialCharge(name, 0, operator, 300, "imb_5", parents)

    with databases.connect("sig", autocommit=True) as c:
        model = ChargedRun("m1", "main", "2026-01-20", "2026-01-10")
        charge_trials(c, model, [one("m-a", "llm"), one("m-b", "grow")])
        charge_trials(c, model, [one("m-c", "crossover", "m-b", "m-a"), one("m-d", "point", "m-b")])
        charge_trials(c, ChargedRun("m2", "main", "2026-01-21"), [one("m-e", "llm"), one("m-f", "ablation", "m-c")])
        charge_trials(c, run("m3"), [one("m-g", "gate", "m-e", "m-c")])
        found = {name: trial_of(c, f"m-{name}") for name in "abcdefg"}
        assert {name: row["knows_until"] for name, row in found.items()} == {
            "a": "2026-01-10", "b": None, "c": "2026-01-10", "d": None, "e": "", "f": "2026-01-10", "g": "",
        }  # fmt: skip
        assert [found[name]["origin"] for name in "abc"] == ["llm", "breed", "breed"]
        began = trials_before(c, "m1")
        assert trials_with(c, began, ["m-a", "m-b"], "m1") == began + 4  # what another attempt charged counts too


def test_charges_at_once_leave_no_hole_and_no_double(databases: Databases) -> None:
    def charge(k: int) -> int:
        with databases.connect("sig", autocommit=True) as c:
            return charge_trials(c, run(f"p{k}"), charges(*(f"p-{j}" for j in range(k, k + 20))))

    with ThreadPoolExecutor(4) as pool:
        made = sum(pool.map(charge, range(8)))
    with databases.connect("sig", autocommit=True) as c:
        found = c.execute("SELECT count(*), max(number), min(number) FROM candidate_trials").fetchone()
        assert made == 27
        assert found[0] == found[1] == trials_ever(c)
        assert found[2] == 1


def test_a_charge_that_is_killed_is_none_and_none_is_changed(databases: Databases) -> None:
    with databases.connect("sig", autocommit=True) as c:
        began = trials_ever(c)
        with pytest.raises(psycopg.Error):
            charge_trials(c, run("k"), [*charges("k-a"), TrialCharge("k-b", 0, "grow", 0, "", ())])
        assert trials_ever(c) == began
        for change in ("UPDATE candidate_trials SET number = 1", "DELETE FROM candidate_trials"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                c.execute(change)


def test_what_was_looked_at_is_kept_once(databases: Databases) -> None:
    genome = read(parse("sign(imb_5) * abs(imb_1)"), 300, 5_000)
    score = Score((1.0, 2.0), 1)
    step = Refinement(genome.canonical, "child", "ablation", "imb_5", 2.0, 1.9, True)
    verdict = CandidateVerdict("refused", "bar", 1.0, 2.0, "below")
    finalist = Finalist(Individual(genome, score, "grow"), genome, score, (step,), verdict)
    with databases.connect("sig", autocommit=True) as c:
        for _ in range(2):
            put_finalist(c, run("life"), finalist, {"t": score.t, "spec": "text"})
        (row,) = candidates_of(c, "main", genome.canonical[:10])
        assert (row["state"], row["check_name"], row["value"], row["bound"]) == ("refused", "bar", 1.0, 2.0)
        assert [s["candidate_id"] for s in refinements_of(c, "life")] == ["child"]
        assert candidates_of(c, "main", "nosuch") == []


@pytest.mark.parametrize("dies", ["before its commit", "behind it"])
def test_a_run_killed_in_a_generation_and_begun_again_has_the_same_charges_and_bits(
    databases: Databases, dies: str
) -> None:
    whole = run(f"whole {dies}")
    plan = BreedPlan(seed=len(dies), trials=40, population=20)

    def bred(owner: ChargedRun, dies_at: int) -> str:
        def charge(found: Sequence[TrialCharge]) -> None:
            if dies == "before its commit" and found[0].generation == dies_at:
                raise KeyboardInterrupt
            charge_trials(c, owner, found)
            if found[0].generation == dies_at:
                raise KeyboardInterrupt

        return Breeder(small_panel(), plan, charge).breed(lambda: 0.0).identity()

    with databases.connect("sig", autocommit=True) as c:
        before = trials_ever(c)
        with pytest.raises(KeyboardInterrupt):
            bred(whole, 1)
        lost = trials_ever(c)
        bits = bred(whole, -1)
        assert (trials_ever(c), trials_before(c, whole.run)) == (before + 40, before)
        assert lost == before + (20 if dies == "before its commit" else 40)
        assert bred(whole, -1) == bits
        assert trials_ever(c) == before + 40
