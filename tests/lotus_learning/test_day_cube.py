"""Stored sums of days: the same night as from the windows, bit for bit, and windows read only when needed."""

import numpy as np
import pytest

from lotus.errors import SchemaError
from lotus.learning.axes import axes
from lotus.learning.day_cube import baseline_key, day_cubes, packed, stacked, unpacked
from lotus.learning.night import learn_from, learn_night
from lotus.learning.packed_rows import joined_rows, packed_rows
from lotus.learning.rows import rows_by_detector
from lotus.priors.types import Literal, Rule

SPACE = axes()
SINGLE = Rule.of(Literal(4, 3, 4))


class Stored:
    """A detector's past as an online learner has it: one packed cube per day, made when that day was the newest."""

    def __init__(self, scores, name):
        self.scores, self.name, self.read = scores, name, 0

    def cubes(self, believed, space):
        """Sum each day alone, pack it and read it back."""
        out = []
        for day, columns in self.scores.items():
            tables = rows_by_detector({day: columns}, 1)
            if self.name in tables:
                out += [unpacked(*packed(cube)) for cube in day_cubes(tables[self.name], believed, space)]
        return out

    def rows(self):
        """Return the windows from those packed day by day, and remember that they were read."""
        self.read += 1
        tables = (rows_by_detector({day: columns}, 1) for day, columns in self.scores.items())
        return joined_rows([packed_rows(t[self.name]) for t in tables if self.name in t], tuple(self.scores))


@pytest.fixture(scope="module")
def planted(worlds):
    """Return a world of two detectors, a lesson in the first."""
    return worlds.world("plant", seed=35, detectors=2, per_block=400, lessons=((SINGLE, 9.0),))


@pytest.mark.parametrize("active", [(), (("d0", SINGLE),)])
def test_a_night_from_stored_sums_is_the_night_from_windows(planted, one_look, active):
    sources = {name: Stored(planted, name) for name in ("d0", "d1")}
    online = learn_from(sources, tuple(planted), one_look, night=len(planted), active=active)
    batch = learn_night(planted, one_look, active=active)
    for part in ("lessons", "refused", "proposals", "audits", "reports", "critical", "real_maximum", "trials"):
        assert getattr(online, part) == getattr(batch, part)
    np.testing.assert_array_equal(online.draw_maxima, batch.draw_maxima)
    assert [x.rule for x in online.lessons] == ([] if active else [SINGLE])


def test_a_night_without_a_slot_reads_no_window(planted, one_look):
    sources = {name: Stored(planted, name) for name in ("d0", "d1")}
    quiet = learn_from(sources, tuple(planted), one_look, night=len(planted), last=False)
    assert not quiet.looked
    assert quiet.refused
    assert all(source.read == 0 for source in sources.values())


def test_packing_loses_no_bit(planted):
    rows = rows_by_detector(planted, 90)["d0"]
    cube = day_cubes(rows, (SINGLE,), SPACE)[3]
    back = unpacked(*packed(cube))
    for name in ("r", "h", "published", "blocks", "present"):
        np.testing.assert_array_equal(getattr(back, name), getattr(cube, name))
    for name in ("cubes", "sums", "strata"):
        np.testing.assert_array_equal(getattr(back.audit, name), getattr(cube.audit, name))
    assert (back.day, back.windows, back.sum_h, back.baseline) == (cube.day, cube.windows, cube.sum_h, cube.baseline)
    assert cube.r.shape == (4, 25_019)  # of 37,250 positions


def test_cubes_of_different_baselines_are_not_stacked(planted):
    rows = rows_by_detector(planted, 90)["d0"]
    mixed = [*day_cubes(rows, (), SPACE)[:2], *day_cubes(rows, (SINGLE,), SPACE)[2:4]]
    with pytest.raises(SchemaError, match="different baselines"):
        stacked(mixed, tuple(planted), SPACE)
    assert baseline_key((SINGLE,)) != baseline_key(())


def test_only_the_newest_version_of_a_detector_is_stacked(planted):
    days = list(planted)
    changed = {d: {**c, "spec_version": np.full(len(c["p"]), 2, np.int32)} for d, c in planted.items() if d > days[4]}
    mixed = {**planted, **changed}
    stack = stacked(Stored(mixed, "d0").cubes((), SPACE), tuple(days), SPACE)
    assert [cube.day for cube in stack.cubes] == days[5:]
    assert stack.day_index == tuple(range(5, 13))
    assert stack.lane_day.tolist() == [d for d in range(5, 13) for _ in range(2)]
