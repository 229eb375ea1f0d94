"""Members beside the cube's rules: they raise the bar, they spend slots, and without them nothing changes."""

from dataclasses import replace

import numpy as np

from lotus.learning.lanes import Both
from lotus.learning.members import Member
from lotus.learning.night import learn_night


def test_a_night_without_members_is_the_same_and_with_them_they_count(worlds, one_look):
    manifest = replace(one_look, learning=replace(one_look.learning, draws=60, max_literals=1))
    scores = worlds.world("null", seed=2, days=11, per_block=300)
    plain = learn_night(scores, manifest)
    assert learn_night(scores, manifest, members=()).draw_maxima.rest.tolist() == plain.draw_maxima.rest.tolist()
    loud = Member("m", Both(1.0, 1.0), Both(np.full(60, 50.0), np.full(60, 50.0)))
    raised = learn_night(scores, manifest, members=[loud])
    assert min(raised.critical) >= 50.0 > max(plain.critical)
    assert raised.trials == plain.trials + 1
    assert raised.lessons == ()


def test_a_member_that_wins_crosses_for_the_real_data(worlds, one_look):
    learning = replace(one_look.learning, draws=60, max_literals=1, looks="nightly", alpha=0.5)
    manifest = replace(one_look, learning=learning)
    scores = worlds.world("null", seed=2, days=11, per_block=300)
    quiet = learn_night(scores, manifest, night=40)
    nothing = np.full(60, -np.inf)
    strongest = Member("m", Both(99.0, 98.0), Both(nothing, nothing))
    strong = learn_night(scores, manifest, night=40, members=[strongest])
    for lane, best in ((0, 99.0), (1, 98.0)):
        assert 0 in strong.slots[lane].crossed
        assert strong.real_maximum[lane] == best
        assert strong.slots[lane].spent == quiet.slots[lane].spent
        assert strong.draw_maxima[lane].tolist() == quiet.draw_maxima[lane].tolist()
