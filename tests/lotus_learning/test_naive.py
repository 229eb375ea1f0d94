"""The table of plain means lies where the method does not."""

import numpy as np
import pytest

from lotus.learning.naive import naive_table
from lotus.learning.night import learn_night
from lotus.learning.rows import rows_by_detector


def test_the_naive_table_lies_where_the_method_does_not(worlds, one_look):
    fooled = 0
    for seed in range(4):
        scores = worlds.world("conf", seed=70 + seed, per_block=400)
        table = naive_table(scores)
        fooled += table[0].p_value < 0.05 / 5705
        assert learn_night(scores, one_look).lessons == ()
        row = table[0]
        day = {k: np.concatenate([c[k] for c in scores.values()]) for k in ("published", "hit")}
        covered = rows_by_detector(scores, 90)["d0"]
        mask = covered.covered(row.rule) & covered.published
        assert row.windows == mask.sum()
        assert row.hit_rate == pytest.approx(covered.hit[mask].mean(), abs=1e-8)
        assert day["published"].sum() == covered.published.sum()
    assert fooled >= 3
