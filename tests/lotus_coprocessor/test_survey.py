"""Every column is looked at once before anything is varied, then the best under every gate."""

from collections.abc import Sequence

from lotus.coprocessor.breeding import Breeder, BreedPlan, TrialCharge
from lotus.coprocessor.genome import HORIZONS_S
from lotus.coprocessor.grammar import CandidateGrammar
from lotus.coprocessor.survey import BEAM, SHARE, gated, gates, plain
from tests.lotus_coprocessor.breeding_bed import small_panel

GRAMMAR = CandidateGrammar.of(5_000)


def test_every_number_column_is_a_direction_at_every_horizon() -> None:
    found = plain(GRAMMAR)
    texts = {g.text for g in found}
    assert len(found) == len(texts) * len(HORIZONS_S)
    assert {"sign(imb_5)", "sign(ema(imb_5, 1m))", "sign(delta(spread, 1m))", "sign(zscore(spread, 5m))"} <= texts
    assert "sign(spread)" not in texts  # always 1


def test_a_survey_comes_first_within_its_share_and_gates_follow_the_best() -> None:
    charged: list[TrialCharge] = []

    def charge(trials: Sequence[TrialCharge]) -> None:
        charged.extend(trials)

    plan = BreedPlan(5, 120, population=20)
    run = Breeder(small_panel(), plan, charge).breed(lambda: 0.0)
    by = [c.operator for c in charged]
    assert by[0] == "plain"
    assert by.count("plain") == int(SHARE * 120)
    assert 0 < by.count("gates") <= len(BEAM) * int(SHARE * 120)
    first = next(c for c in charged if c.operator == "gates")
    before = [c for c in charged if c.generation < first.generation]
    worths = {c.canonical: run.scored[c.canonical].worth for c in before}
    parents = {c.parents[0] for c in charged if c.generation == first.generation and c.operator == "gates"}
    assert max(worths, key=worths.__getitem__) in {run.scored[p].genome.canonical for p in parents}
    assert not any(c.operator in ("plain", "gates") for c in bred_without(plan))


def test_gates_leave_the_horizon_and_name_the_parent() -> None:
    run = Breeder(small_panel(), BreedPlan(5, 20, population=20), lambda trials: None).breed(lambda: 0.0)
    one = run.population[0]
    found = gated(GRAMMAR, [one])
    assert 0 < len(found) <= len(gates(GRAMMAR))
    assert {parent for _, parent in found} == {one.genome.canonical}
    assert {g.horizon_s for g, _ in found} == {one.genome.horizon_s}


def bred_without(plan: BreedPlan) -> list[TrialCharge]:
    """Return the charges of a run that looks at nothing first."""
    charged: list[TrialCharge] = []
    other = BreedPlan(plan.seed, 40, population=20, survey=False)
    Breeder(small_panel(), other, charged.extend).breed(lambda: 0.0)
    return charged
