"""What enters is simple, above the bar of everything ever tried, unlike what is known and sturdy."""

from lotus.coprocessor.bar import JITTERS, _moved, _simplified, finalists
from lotus.coprocessor.breeding import Breeder, BreedPlan
from lotus.coprocessor.genome import Genome, read
from lotus.coprocessor.scoring import scores_of
from lotus.tape_machine.parser import parse
from lotus.tape_machine.syntax import Number
from tests.lotus_coprocessor.breeding_bed import small_panel

PADDED = "sign(imb_10) * where(rank(imb_10, 5m) > 0.8 or rank(imb_10, 5m) < 0.2, 1, 0) * (1 + 0.001 * abs(flow))"


def bred(trials: int, kind: str = "plant") -> Breeder:
    """Return a breeder that knows the planted pattern in a padded form and has tried so many."""
    idea = read(parse(PADDED), 30, 5_000)
    plan = BreedPlan(5, trials, population=20, survey=False, ideas=(idea,))
    breeder = Breeder(small_panel(kind, snr=4.0), plan, lambda charges: None)
    breeder.breed(lambda: 0.0)
    return breeder


def test_a_padded_pattern_is_made_simple_and_judged_by_what_was_ever_tried() -> None:
    breeder = bred(20)
    best = finalists(breeder, lambda: 20, looked_at=1)[0]
    assert best.genome.nodes < read(parse(PADDED), 30, 5_000).nodes
    assert best.verdict.state == "screened"
    assert best.verdict.bound < best.verdict.value
    assert any(step.taken for step in best.refinements)
    assert any(s.kind == "attack" for s in best.refinements)
    assert all(step.child in breeder.run.scored for step in best.refinements)
    refused = finalists(breeder, lambda: 10**6, looked_at=1)
    assert {f.verdict.check for f in refused} == {"bar"}


def test_a_candidate_and_its_negative_are_attacked_and_simplified_alike() -> None:
    left = {}
    for text in (PADDED, f"-({PADDED})", "sign(zscore(micro, 5m))", "-sign(zscore(micro, 5m))"):
        breeder = Breeder(small_panel(), BreedPlan(5, 1), lambda charges: None)
        idea = read(parse(text), 30, 5_000)
        breeder.score([(idea, "idea", ())])
        best = finalists(breeder, lambda: 1, looked_at=1)[0]
        attacks = [step.t_after for step in best.refinements if step.kind == "attack"]
        assert attacks
        assert left.setdefault(idea.canonical, attacks) == attacks
        assert best.score == scores_of([best.genome], small_panel())[0]
    assert len(left) == 2
    assert min(left[read(parse(PADDED), 30, 5_000).canonical]) > 0.0


def test_an_ablation_that_was_scored_as_its_negative_keeps_the_side_of_its_text() -> None:
    padded = [read(parse(PADDED.replace("1 +", sign)), 30, 5_000) for sign in ("1 +", "1 -")]

    def simple_of(first: list[Genome]) -> Genome:
        breeder = Breeder(small_panel(), BreedPlan(5, 1), lambda charges: None)
        breeder.score([(tree, "idea", ()) for tree in [*first, *padded]])
        one, genome, score, _ = _simplified(breeder, breeder.run.scored[padded[0].canonical])
        assert one.genome.canonical != genome.canonical
        assert score == scores_of([genome], small_panel())[0]
        return genome

    simple = simple_of([])
    again = simple_of([read(parse(f"-({simple.text})"), 30, 5_000)])
    assert again.canonical == simple.canonical


def test_in_a_world_where_nothing_pays_nothing_enters_once_much_was_tried() -> None:
    breeder = bred(40, "null")
    found = finalists(breeder, lambda: 40_000, looked_at=1)
    assert found
    assert {f.verdict.check for f in found} == {"bar"}


def test_an_attack_moves_a_share_within_its_bounds() -> None:
    moved = [_moved(Number(0.9), factor).value for factor in JITTERS]
    assert moved == [0.88, 0.92]
    assert [_moved(Number(0.2), factor).value for factor in JITTERS] == [0.16, 0.24]
    assert [_moved(Number(2.0), factor).value for factor in JITTERS] == [1.6, 2.4]
