"""Choosing among the winners: what died leaves the scores, what a baseline absorbs is refused, lanes must agree."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.learning.axes import axes
from lotus.learning.bench import Bench
from lotus.learning.day_cube import day_cubes, stacked
from lotus.learning.effect import both_sums, residuals
from lotus.learning.greedy import MAX_REFUSED, Told, both_evidence, select
from lotus.learning.lanes import Both
from lotus.learning.payoff_scores import score
from lotus.learning.rows import day_weights, rows_by_detector
from lotus.learning.search import agreed, beyond, family_of
from lotus.manifest import LearningDefaults
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import BIN_COLUMNS, rule_mask
from lotus.simulation.learning_world import with_strata

RULE = Rule.of(Literal(4, 3, 4))
SETTINGS = LearningDefaults(max_literals=1, min_published=5, min_ess=2.0, min_blocks=4, min_days=4, min_n_eff_days=1.0)
LOW = Both(2.0, 2.0)


def seat(scores, settings=SETTINGS):
    """Return (bench, rows, evidence) of the one detector of a world."""
    rows, space = rows_by_detector(scores, 90)["d0"], axes(settings.max_literals)
    g = day_weights(len(rows.days), settings.half_life_days)
    family = family_of(stacked(day_cubes(rows, (), space), rows.days, space), g, space, settings)
    bench = Bench("d0", rows.horizon_s, space, family, g, settings, (), "b", rows.days[-1], 0)
    return bench, rows, both_evidence(bench, rows, residuals(rows))


def paid(scores, change):
    """Return a world whose payoffs are moved by `change(index of the day, bins)`, bps."""
    out = {}
    for k, (day, columns) in enumerate(scores.items()):
        gain = change(k, np.stack([columns[name] for name in BIN_COLUMNS], axis=1))
        paper, executed = columns["payoff_p"] + gain, columns["payoff_y"] + gain
        f = score(columns["p"], columns["published"], paper, executed)
        out[day] = {**columns, "payoff_p": paper, "payoff_y": executed, "f": f}
    return with_strata(out)


@pytest.fixture(scope="module")
def plain(worlds):
    """Return thirty days without a lesson."""
    return worlds.world("conf", seed=70, days=30, per_block=80)


def test_the_neighbours_of_a_rule_that_died_are_not_tried(plain):
    died = paid(plain, lambda k, bins: (24.0 if k < 20 else -4.0) * rule_mask(RULE, bins))
    bench, rows, evidence = seat(died, replace(SETTINGS, max_literals=2))
    passing = beyond(evidence, LOW) & bench.family.eligible
    assert passing.sum() > 2, "there are neighbours that could be tried"
    accepted, refused = select(bench, rows, evidence, LOW, Told())
    assert accepted == []
    assert "t of the newest days" in refused[0].reason
    assert "not above 1.65" in refused[0].reason
    assert [("does not exceed 2.00" in x.reason) for x in refused] == [False, True], "nothing is left of the neighbours"


def test_a_rule_beside_one_that_died_is_found(plain):
    living = Rule.of(Literal(7, 0, 0))

    def gain(k, bins):
        return (24.0 if k < 20 else -4.0) * rule_mask(RULE, bins) + 14.0 * rule_mask(living, bins)

    bench, rows, evidence = seat(paid(plain, gain))
    accepted, refused = select(bench, rows, evidence, LOW, Told())
    assert [lesson.rule for lesson in accepted] == [living]
    assert RULE in [lesson.rule for lesson in refused if "t of the newest days" in lesson.reason]


def test_a_rule_of_modelled_payoffs_that_know_is_refused_unless_they_are_not_used(plain):
    out = {}
    for day, columns in plain.items():
        covered = rule_mask(RULE, np.stack([columns[name] for name in BIN_COLUMNS], axis=1))
        paper = columns["payoff_p"] + 14.0 * (covered & ~columns["published"])
        out[day] = {
            **columns,
            "payoff_p": paper,
            "f": score(columns["p"], columns["published"], paper, columns["payoff_y"]),
        }
    bench, rows, evidence = seat(with_strata(out))
    accepted, refused = select(bench, rows, evidence, LOW, Told())
    assert RULE not in [lesson.rule for lesson in accepted]
    assert any("modelled payoffs of this rule go along with what was published" in x.reason for x in refused)
    unasked, _ = select(bench, rows, evidence, LOW, Told(modelled=False))
    assert RULE in [lesson.rule for lesson in unasked]


def test_after_any_other_gate_the_next_rule_is_tried(plain):
    lives = paid(plain, lambda k, bins: 14.0 * rule_mask(RULE, bins))
    bench, rows, evidence = seat(lives, replace(SETTINGS, min_n_eff_days=1e6))
    accepted, refused = select(bench, rows, evidence, LOW, Told())
    assert accepted == []
    assert len(refused) > 1
    assert "effective days, below 1e+06" in refused[0].reason
    assert "newest days" not in refused[0].reason
    assert len({lesson.rule for lesson in refused}) == len(refused) <= MAX_REFUSED


def test_an_alarm_refuses_every_rule_that_passes_and_is_named_first(plain):
    lives = paid(plain, lambda k, bins: 14.0 * rule_mask(RULE, bins))
    bench, rows, evidence = seat(lives)
    free, _ = select(bench, rows, evidence, LOW, Told(warnings=("told",)))
    assert [lesson.rule for lesson in free][:1] == [RULE]
    assert free[0].warnings == ("told",)
    accepted, refused = select(bench, rows, evidence, LOW, Told(alarm="audit alarm: x"))
    assert accepted == []
    assert refused[0].reason.startswith("audit alarm: x")
    assert refused[0].rule == RULE


def test_a_desk_that_answers_to_results_must_show_it_against_earlier_days_too(plain):
    lives = paid(plain, lambda k, bins: 14.0 * rule_mask(RULE, bins))
    bench, rows, evidence = seat(lives)
    asked, _ = select(bench, rows, evidence, LOW, Told(earlier_days=True))
    assert [lesson.rule for lesson in asked][:1] == [RULE], "a true rule stands in lane E too"
    stormy = replace(rows, level=rows.level + 300.0 * (-1.0) ** rows.day)  # cancels within a day, not between days
    kept, _ = select(bench, stormy, evidence, LOW, Told())
    assert [lesson.rule for lesson in kept][:1] == [RULE]
    accepted, refused = select(bench, stormy, evidence, LOW, Told(earlier_days=True))
    assert accepted == []
    assert refused[0].rule == RULE
    assert "lane E" in refused[0].reason
    assert "nats does not exceed 2.00" in refused[0].reason


def test_what_is_constant_all_day_on_a_desk_of_one_block_is_refused_with_its_number(worlds):
    still = worlds.world("null", seed=71, days=14, blocks=(1,), per_block=60)
    rng = np.random.default_rng(3)
    for columns in still.values():
        for name in BIN_COLUMNS:
            columns[name] = np.full(len(columns["p"]), rng.integers(0, 3), dtype=np.uint8)
    rule = Rule.of(Literal(0, 2, 2))
    bench, rows, evidence = seat(paid(still, lambda k, bins: 20.0 * rule_mask(rule, bins)))
    share = both_sums(rows, residuals(rows), rows.covered(rule)).day.kept_share
    assert 0.0 <= share < 0.01
    below = Both(-50.0, -50.0)
    assert (beyond(evidence, below) & bench.family.eligible).any()
    accepted, refused = select(bench, rows, evidence, below, Told())
    assert accepted == []
    told = [lesson for lesson in refused if "can be told apart" in lesson.reason]
    assert len(told) == len([lesson for lesson in refused if "does not exceed" not in lesson.reason]) > 0
    for lesson in told:
        own = both_sums(rows, residuals(rows), rows.covered(lesson.rule)).day.kept_share
        assert f"only {own:.1%} of the rule" in lesson.reason
        assert "below 5%" in lesson.reason


def test_lanes_that_disagree_about_the_sign_teach_nothing_however_strong_each_is(plain):
    lives = paid(plain, lambda k, bins: 14.0 * rule_mask(RULE, bins))
    bench, rows, evidence = seat(lives)
    assert (beyond(evidence, LOW) & bench.family.eligible).any()
    turned = replace(evidence.rest, total=-evidence.rest.total, t=-evidence.rest.t)
    split = Both(evidence.day, turned)
    number = next(k for k in range(bench.space.n_rules) if bench.space.rule(k) == RULE)
    assert min(split.day.m[number], split.rest.m[number]) > 5.0, "each lane alone is far beyond its bar"
    assert agreed(split)[number] == -np.inf
    assert not beyond(split, LOW)[number]
    accepted, _ = select(bench, rows, split, LOW, Told())
    assert RULE not in {lesson.rule for lesson in accepted}


@pytest.mark.parametrize("lane", [0, 1])
def test_one_lane_alone_is_not_enough_and_the_refusal_names_the_other(plain, lane):
    lives = paid(plain, lambda k, bins: 14.0 * rule_mask(RULE, bins))
    bench, rows, evidence = seat(lives)
    bar = Both(*(1e3 if k == lane else 2.0 for k in (0, 1)))
    accepted, refused = select(bench, rows, evidence, bar, Told())
    assert accepted == []
    named, other = (("S", "F"), ("F", "S"))[lane]
    assert f"nats in lane {named} (" in refused[0].reason
    assert "does not exceed 1000.00" in refused[0].reason
    assert f"in lane {other}" not in refused[0].reason
