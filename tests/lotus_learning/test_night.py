"""Whole nights on worlds with known truth: what must be found, what must not, and what a refusal says."""

import dataclasses

import numpy as np
import pytest
from pace import examples

from lotus.errors import SchemaError
from lotus.learning.night import learn_night
from lotus.learning.payoff_scores import bins_of, score
from lotus.learning.slots import NOTHING_SPENT
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import rule_mask

pytestmark = pytest.mark.evidence("worlds whose truth is known, night by night")

SINGLE = Rule.of(Literal(4, 3, 4))  # d*imbalance >= 3
PAIR = Rule.of(Literal(4, 3, 4), Literal(10, 0, 1))  # and d*flow <= 1
COMPLEMENT = Rule.of(Literal(4, 0, 2))


def jaccard(scores, one, two):
    bins = np.concatenate([bins_of(day) for day in scores.values()])
    a, b = rule_mask(one, bins), rule_mask(two, bins)
    return (a & b).sum() / (a | b).sum()


@pytest.fixture(scope="module")
def planted(worlds):
    """Return a world of two detectors with a one-literal boost and a two-literal penalty in the first."""
    rules = ((Rule.of(Literal(4, 4, 4)), 9.0), (Rule.of(Literal(3, 0, 1), Literal(10, 3, 4)), -9.0))
    return worlds.world("plant", seed=21, detectors=2, lessons=rules), rules


@pytest.mark.parametrize("rule", [SINGLE, PAIR])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_strong_lesson_is_found_alone(worlds, one_look, rule, sign):
    scores = worlds.world("plant", seed=30 + sign, lessons=((rule, 9.0 * sign),))
    result = learn_night(scores, one_look)
    assert [(x.rule, x.sign) for x in result.lessons] == [(rule, sign)]
    lesson = result.lessons[0]
    assert (lesson.grade, lesson.state, lesson.n_days, lesson.n_blocks) == ("B", "IDENTIFIED", 13, 26)
    assert lesson.m_nats > lesson.critical
    assert 0 < lesson.lcb_bps < abs(lesson.uplift_bps)
    truth = 9.0 * sign * (1 - lesson.coverage)
    assert lesson.ci95[0] - 0.5 < truth < lesson.ci95[1] + 0.5
    assert len(lesson.members_sample) == 20


def test_two_lessons_and_nothing_else(planted, one_look):
    scores, rules = planted
    result = learn_night(scores, one_look)
    assert {x.detector_id for x in result.lessons} == {"d0"}
    assert len(result.lessons) == 2
    for rule, bps in rules:
        best = max(result.lessons, key=lambda x: jaccard(scores, x.rule, rule))
        assert jaccard(scores, best.rule, rule) >= 0.5
        assert best.sign == np.sign(bps)
    assert any(x.detector_id == "d1" and "does not exceed" in x.reason for x in result.refused)


def test_the_complement_of_a_lesson_is_not_a_second_lesson(worlds, one_look):
    wide = dataclasses.replace(one_look, learning=LearningDefaults(looks="final", max_coverage=0.9))
    result = learn_night(worlds.world("plant", seed=31, lessons=((SINGLE, 9.0),)), wide)
    found = {x.rule for x in result.lessons}
    assert len(found & {SINGLE, COMPLEMENT}) == 1
    assert len(found) == 1


def test_what_is_already_believed_is_not_found_again(planted, one_look):
    scores, _ = planted
    first = learn_night(scores, one_look)
    active = [(x.detector_id, x.rule) for x in first.lessons]
    assert learn_night(scores, one_look, active=active).lessons == ()


def test_the_order_of_rows_and_files_changes_nothing(planted, one_look):
    scores, _ = planted
    rng = np.random.default_rng(0)
    shuffled = {}
    for day in reversed(list(scores)):
        order = rng.permutation(len(scores[day]["p"]))
        shuffled[day] = {name: values[order] for name, values in scores[day].items()}
    one, two = learn_night(scores, one_look), learn_night(shuffled, one_look)
    assert one.lessons == two.lessons
    assert one.refused == two.refused
    assert one.audits == two.audits
    for lane in (0, 1):
        np.testing.assert_array_equal(one.draw_maxima[lane], two.draw_maxima[lane])


def test_later_days_do_not_reach_an_earlier_night(planted, one_look):
    scores, _ = planted
    early = dict(list(scores.items())[:11])
    before = learn_night(early, one_look)
    later = {day: {**cols, "f": cols["f"] + 1.0} if day not in early else cols for day, cols in scores.items()}
    again = learn_night({day: later[day] for day in early}, one_look)
    assert before.lessons == again.lessons
    assert before.critical == again.critical


def test_a_deterministic_policy_is_refused(worlds, one_look):
    scores = worlds.world("plant", seed=32, per_block=300, lessons=((SINGLE, 12.0),), policy="deterministic")
    result = learn_night(scores, one_look)
    assert result.lessons == ()
    assert "deterministic" in result.reports[0].reason
    assert result.reports[0].overlap_share == 0.0


def test_too_few_days_promote_nothing(worlds, one_look):
    result = learn_night(worlds.world("plant", seed=33, days=9, lessons=((SINGLE, 12.0),)), one_look)
    assert result.lessons == ()
    assert result.trials == 0
    assert learn_night({}, one_look).lessons == ()


def paper_only(scores):
    """Return the world as a desk sees it that only has the modelled payoff."""
    out = {}
    for day, columns in scores.items():
        executed = np.where(columns["published"], columns["payoff_p"], np.nan)
        f = score(columns["p"], columns["published"], columns["payoff_p"], executed)
        blank = np.full(len(f), "", dtype=object)
        out[day] = {**columns, "payoff_y": executed, "f": f, "fill_source": blank}
    return out


@pytest.mark.evidence("worlds whose paper payoff lies")
def test_a_mirage_of_the_paper_payoff_is_not_believed(worlds, one_look):
    fooled, honest = 0, 0
    for seed in range(4):
        scores = worlds.world("mirage", seed=40 + seed, days=20, blocks=(0, 1, 2, 3), per_block=300)
        found = learn_night(scores, one_look).lessons
        assert not any(jaccard(scores, x.rule, rule) >= 0.5 for x in found for rule in worlds.MIRAGE)
        honest += bool(found)
        paper = learn_night(paper_only(scores), one_look)
        assert paper.lessons == ()  # only modelled: grade C may at most propose an experiment
        fooled += any(x.m_nats > x.critical and x.grade == "C" and x.state == "MODEL_ONLY" for x in paper.refused)
    assert fooled == 4
    assert honest <= 1


@pytest.mark.evidence("worlds without a lesson")
def test_false_lessons_are_rare_in_worlds_without_any(worlds, one_look):
    hits, many = 0, min(40, examples(40))
    for seed in range(many):
        scores = worlds.world(("null", "conf")[seed % 2], seed=100 + seed, per_block=250)
        hits += bool(learn_night(scores, one_look).lessons)
    assert hits <= many // 8


def test_a_refusal_names_the_number_that_failed(worlds):
    scores = worlds.world("plant", seed=34, lessons=((SINGLE, 9.0),))
    strict = dataclasses.replace(Manifest(), learning=LearningDefaults(looks="final", min_n_eff_days=30.0))
    result = learn_night(scores, strict)
    assert result.lessons == ()
    assert any(x.rule == SINGLE and "effective days, below 30" in x.reason for x in result.refused)
    tight = dataclasses.replace(Manifest(), learning=LearningDefaults(looks="final", max_coverage=0.25))
    outside = [x for x in learn_night(scores, tight).refused if "outside the family" in x.reason]
    assert outside
    assert "of the weight, above 25%" in outside[0].reason


def test_nightly_slots_promote_only_when_one_is_due(worlds):
    nightly = Manifest()
    scores = worlds.world("plant", seed=35, lessons=((SINGLE, 9.0),))
    days = list(scores)
    state, audits, found = NOTHING_SPENT, {}, {}
    for n in range(9, 14):
        result = learn_night({d: scores[d] for d in days[:n]}, nightly, night=n, slots=state, audits=audits)
        state, audits = result.slots, {a.detector_id: a.state for a in result.audits}
        found[n] = bool(result.lessons)
    assert found == {9: False, 10: False, 11: True, 12: False, 13: False}
    assert [lane.crossed[0] for lane in state] == [0, 0]


def test_a_night_without_a_slot_asks_no_draw_and_says_the_same(worlds, monkeypatch):
    nightly = Manifest(learning=LearningDefaults(half_life_days=1e12))
    scores = worlds.world("null", days=14)
    quiet = learn_night(scores, nightly, night=10, slots=NOTHING_SPENT)
    assert quiet.slots_tonight == 0
    assert not quiet.looked
    assert all(np.isneginf(lane).all() for lane in quiet.draw_maxima)
    asked = learn_night(scores, nightly, night=14, slots=NOTHING_SPENT)
    assert asked.slots_tonight > 0
    assert all(np.isfinite(lane).all() for lane in asked.draw_maxima)
    monkeypatch.setattr("lotus.learning.night._may_promote", lambda *_: True)
    drawn = learn_night(scores, nightly, night=10, slots=NOTHING_SPENT)
    assert all(np.isfinite(lane).all() for lane in drawn.draw_maxima)
    assert dataclasses.replace(drawn, draw_maxima=quiet.draw_maxima) == quiet


def test_unknown_looks_are_refused(worlds):
    wrong = dataclasses.replace(Manifest(), learning=LearningDefaults(looks="often"))
    with pytest.raises(SchemaError, match="often"):
        learn_night(worlds.world(days=2, per_block=50), wrong)


def test_evidence_below_zero_is_no_lesson_however_low_the_bar(worlds, one_look):
    lax = dataclasses.replace(one_look, learning=dataclasses.replace(one_look.learning, alpha=0.98))
    free = dataclasses.replace(lax, learning=dataclasses.replace(lax.learning, min_evidence_nats=-100.0))
    scores = worlds.world("null", seed=5)
    strict, loose = learn_night(scores, lax), learn_night(scores, free)
    assert max(loose.critical) < 0.0
    assert strict.critical == (0.0, 0.0)
    assert all(x.m_nats > 0.0 for x in strict.lessons)


def test_without_a_logged_propensity_there_are_only_associations(planted, one_look):
    scores, rules = planted
    result = learn_night(scores, one_look, unlogged=["d0"])
    assert result.lessons == ()
    assert {(x.grade, x.state) for x in result.refused if x.detector_id == "d0"} == {("D", "REFUSED")}
    shown = [x for x in result.refused if x.detector_id == "d0" and x.m_nats > x.critical]
    assert all("estimated, not logged" in x.reason for x in shown)
    assert max(jaccard(scores, x.rule, rules[0][0]) for x in shown) >= 0.5
    alone = learn_night(
        {d: {n: v[c["detector_id"] == "d1"] for n, v in c.items()} for d, c in scores.items()}, one_look
    )
    assert result.critical == alone.critical  # what is only associated costs the others nothing


def test_an_alert_budget_prices_an_alert_at_the_margin_of_publication(worlds, one_look):
    scores = worlds.world("plant", seed=31, lessons=((SINGLE, 9.0),))
    budget = dataclasses.replace(one_look, learning=dataclasses.replace(one_look.learning, alert_budget=50.0))
    free, priced = learn_night(scores, one_look).lessons[0], learn_night(scores, budget).lessons[0]
    assert (free.shadow_price_bps, free.alert_budget) == (0.0, False)
    columns = {n: np.concatenate([c[n] for c in scores.values()]) for n in ("p", "h", "f")}
    margin = (columns["p"] >= 0.4) & (columns["p"] <= 0.6)
    price = columns["f"][margin].sum() / columns["h"][margin].sum()
    assert priced.alert_budget
    assert priced.shadow_price_bps == pytest.approx(price, rel=1e-8)
