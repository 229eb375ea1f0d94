"""Lessons and trial records are exactly those of their night."""

import math
from typing import Any

from lotus.learning.lesson import Lesson, NearTie
from lotus.priors.types import Literal, Rule
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs import lessons

DAY = "2025-01-02"
RULE = Rule.of(Literal(0, 1, 2), Literal(9, 0, 1))


def lesson(n: int, **changes: Any) -> Lesson:
    values = {
        "branch": "main", "night": DAY, "detector_id": "d", "horizon_s": 30, "rule": RULE, "sign": 1,
        "uplift_bps": 0.1 + n, "se_bps": -0.0, "ci95": (-math.inf, 1 / 3), "lcb_bps": math.nan, "claim_bps": 1e-300,
        "net_mean_bps": 0.0, "net_low_bps": 0.0, "net_high_bps": 0.0, "sigma_y_bps": 5.0, "m_nats": 9.0, "t_stat": 4.0,
        "recent_t": 2.0, "critical": 8.0, "n_windows": 5, "n_published": 4, "ess": 3.0, "n_days": 2, "n_blocks": 1,
        "n_eff_days": 1.5, "coverage": 0.2, "fill_share": 1.0, "trials": 169_260, "grade": "A", "state": "IDENTIFIED",
        "near_ties": (NearTie(RULE, 7.5, 0.25),), "members_sample": ("e1", "e2"),
    }  # fmt: skip
    return Lesson(lesson_id="", **(values | changes)).named()


def test_lessons_are_exactly_those_of_the_night(databases: Databases) -> None:
    first, second, refused = lesson(1), lesson(2), lesson(3, state="REFUSED", grade="none", reason="recency")
    with databases.connect("sig") as c:
        lessons.write_lessons(c, "main", DAY, [first, refused])
        stamp = c.execute("SELECT array_agg(xmin::text ORDER BY lesson_id) FROM lessons").fetchone()
    with databases.connect("sig") as c:
        lessons.write_lessons(c, "main", DAY, [first, refused])
        again = c.execute("SELECT array_agg(xmin::text ORDER BY lesson_id) FROM lessons").fetchone()
        assert again == stamp, "the same night again writes no row"
        found = lessons.read_lessons(c, "main", DAY)
        assert sorted(map(repr, found)) == sorted(map(repr, [first, refused]))
        lessons.write_lessons(c, "main", DAY, [second])
        assert [x.lesson_id for x in lessons.read_lessons(c, "main")] == [second.lesson_id]
        assert repr(lessons.read_lesson(c, second.lesson_id)) == repr(second)
        assert lessons.read_lesson(c, first.lesson_id) is None
        row = c.execute("SELECT detector_id, grade, state, uplift_bps, lcb_bps FROM lessons").fetchone()
        assert row is not None
        assert row[:4] == ("d", "A", "IDENTIFIED", 2.1)
        assert math.isnan(row[4])


def test_trial_records_and_their_memory(databases: Databases) -> None:
    with databases.connect("sig") as c:
        lessons.write_experiments(c, "main", "2025-01-01", "audit", {"d": {"z": 1.5}, "e": {"z": -0.5}})
        lessons.write_experiments(c, "main", DAY, "audit", {"d": {"z": 2.5}})
        assert lessons.read_experiments(c, "main", DAY, "audit") == {"d": {"z": 2.5}}
        assert lessons.last_experiments(c, "main", DAY, "audit") == {"d": {"z": 1.5}, "e": {"z": -0.5}}
        assert lessons.last_experiments(c, "main", "2025-01-01", "audit") == {}
        lessons.write_experiments(c, "main", "2025-01-01", "audit", {"e": {"z": -0.5}})
        assert list(lessons.read_experiments(c, "main", "2025-01-01", "audit")) == ["e"]
