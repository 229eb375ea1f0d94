"""The second opinion: it agrees where the log is true, and does not where the logged propensity is wrong."""

import numpy as np
import pytest

from lotus.learning.dr_crosscheck import cross_check
from lotus.learning.payoff_scores import bins_of, score
from lotus.learning.rows import rows_by_detector
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import rule_mask

RULE = Rule.of(Literal(4, 3, 4))


def checked(scores):
    rows = rows_by_detector(scores, 90)["d0"]
    return cross_check(rows, RULE, (), np.ones(len(rows.days)), 7)


def with_mirage(scores, wrong):
    """Return the world with 8 bps more on paper inside the rule, taken by slippage; logged there is `wrong` times p."""
    out = {}
    for day, columns in scores.items():
        inside = rule_mask(RULE, bins_of(columns))
        paper = columns["payoff_p"] + 8.0 * inside
        p = np.where(inside, np.clip(wrong * columns["p"], 0.02, 0.98), columns["p"])
        f = score(p, columns["published"], paper, columns["payoff_y"])
        out[day] = {**columns, "payoff_p": paper, "p": p, "h": p * (1 - p), "f": f}
    return out


def test_both_find_a_planted_contrast(worlds):
    found = checked(worlds.world("plant", seed=90, per_block=300, lessons=((RULE, 9.0),)))
    assert found.agree
    for value, interval in ((found.ours_bps, found.ours_ci95), (found.dr_bps, found.dr_ci95)):
        assert value == pytest.approx(9.0, abs=2.5)
        assert interval[0] < value < interval[1]


@pytest.mark.evidence("worlds whose propensity is wrong")
def test_they_part_where_the_logged_propensity_is_wrong(worlds):
    scores = worlds.world("conf", seed=91, per_block=600)
    honest = checked(with_mirage(scores, 1.0))
    assert honest.agree
    assert abs(honest.ours_bps) < 2.0
    lying = checked(with_mirage(scores, 2.5))
    assert not lying.agree
    assert lying.ours_bps > 2.5
    assert abs(lying.dr_bps) < 2.0
