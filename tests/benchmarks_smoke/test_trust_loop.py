"""The closed loop under the law of trust: its sums are the product's, its tilts keep their bounds, its arms differ."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.lessons import trust as studies
from benchmarks.lessons.evidence import run
from benchmarks.lessons.trust import STUDIES, captured, loop_of, measure, turned, world
from benchmarks.lessons.trust_gains import gained
from benchmarks.lessons.trust_loop import TrustLoop
from benchmarks.lessons.trust_parts import blocks_of_day, parts_of_day, smaller, tilts
from lotus.learning.monitor import unpatched_blocks
from lotus.manifest import WeaveDefaults
from lotus.weave import trust as law
from lotus.weave.doubt import HOUR_MS, claimed, claimed_blocks

SMALL = replace(STUDIES["trust-half"].shrunk().setting, days=26)


@pytest.fixture(scope="module")
def walked() -> TrustLoop:
    """Twenty-six days of a world with strong lessons."""
    place, tracks, planted = world(SMALL, 5)
    loop = loop_of(SMALL, place, tracks, "trust")
    for night in range(1, SMALL.days + 1):
        before = loop.logits(night - 1)
        loop.act(night - 1)
        assert np.array_equal(before[0], loop.tracks[0].u0[loop.window(night - 1)])
        assert gained(loop, night - 1, planted)[0] == 0.0 or loop.held
        loop.night(night)
    assert loop.held
    return loop


def test_the_sums_of_a_day_are_those_of_the_product(walked: TrustLoop) -> None:
    held, day = walked.held[0], 18  # the whole history behind it is in the table
    rows = walked.rows(0, day, day + 1)
    others = walked.believed(0)
    gain, weight = law.rule_days(rows, held.rule, held.of.lesson.sign, others)
    assert smaller(held.of.lesson.sign, walked.sums(0, held.rule, day, True)) == pytest.approx((gain[0], weight[0]))
    told = unpatched_blocks(rows, held.rule, others)
    mine = walked.sums(0, held.rule, day, False)
    assert mine.rest is not None
    assert told.rest is not None
    np.testing.assert_allclose(mine.gain, told.gain, rtol=1e-6)
    np.testing.assert_allclose(mine.rest.gain, told.rest.gain, rtol=1e-6)
    np.testing.assert_allclose(mine.weight, told.weight)
    mine = walked.claimed(0, held.rule, day)
    for one, other in zip(mine, claimed(rows, held.rule, others), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)
    told, seen = claimed_blocks(rows, held.rule, others), blocks_of_day(rows.days[0], *mine)
    np.testing.assert_allclose(seen.gain, told.gain, rtol=1e-6)
    np.testing.assert_allclose(seen.weight, told.weight, rtol=1e-6)
    hour = (rows.end_ms - 1) // HOUR_MS
    assert np.array_equal(hour - hour[0], parts_of_day(len(hour), 24))


def test_tilts_keep_their_caps_and_the_floor_of_what_rose() -> None:
    u0 = np.array([-3.0, 0.0, 3.0])
    everywhere = np.ones(3, np.bool_)
    assert tilts(u0, [(0.5, 0, 0.5, everywhere), (0.5, 0, 0.5, everywhere)] * 2, WeaveDefaults()).tolist() == [1.0] * 3
    risen = u0 + tilts(u0, [(3.0, 3, 3.0, everywhere)], WeaveDefaults())
    assert risen.tolist() == pytest.approx([0.0, np.log(19.0), np.log(19.0)])


def test_without_a_lesson_nothing_is_tilted_in_any_arm_and_nothing_is_lost() -> None:
    row = STUDIES["trust-null"].shrunk().row(1)
    assert (row["lessons"], row["raised"], row["loses"], row["trust_all"]) == ("0", "0", "0", "0")


def test_the_oracle_is_beaten_by_nobody_and_the_arms_differ() -> None:
    row = measure(replace(SMALL, beside=1), 5)
    assert 0.0 < float(row["fixed_all"]) < float(row["full_all"]) < float(row["full_best_all"])
    assert float(row["trust_all"]) < float(row["trust_best_all"])
    assert row["thompson_all"] != row["full_all"]
    assert list(row) == list(measure(replace(SMALL, days=2), 5))


def test_a_lesson_that_turns_pays_as_much_the_other_way() -> None:
    _, tracks, _ = world(SMALL, 5)
    after = turned(tracks[0], 100)
    assert np.array_equal(after.truth[100:], -tracks[0].truth[100:])
    assert np.array_equal(after.mean[:100], tracks[0].mean[:100])


def test_what_is_captured_is_a_ratio_of_sums_with_an_interval(tmp_path: Path) -> None:
    rows = [{"trust_late": str(x), "trust_best_late": "10"} for x in (2, 4, 6)]
    share = captured(rows)
    assert share["share"] == pytest.approx(0.4)
    assert share["low"] <= 0.4 <= share["high"]
    study = replace(STUDIES["trust-half"], measure=lambda setting, seed: _row(seed))
    assert studies.lines(tmp_path) == []
    run(study, [1, 2], folder=tmp_path)
    assert "| `trust-half` | 2 | 0.15" in "\n".join(studies.lines(tmp_path))
    assert studies.figures({"trust-half": study}, tmp_path)[0]["captured"]


def _row(seed: int) -> dict[str, float | int | str]:
    arms = ("trust", "fixed", "full", "thompson")
    out: dict[str, float | int | str] = {f"{arm}_{part}": float(seed) for arm in arms for part in ("late", "all")}
    return out | {f"{arm}_best_{part}": 10.0 for arm in arms for part in ("late", "all")}
