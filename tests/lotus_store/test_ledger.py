"""Repositories: what is written is read to the bit, a repeated write changes nothing, a write is whole or nothing."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.detectors.signal_spec import SIGNAL_EVENTS
from lotus.errors import LedgerError, SchemaError
from lotus.learning.lesson import Lesson, NearTie
from lotus.outcomes.signal_eval import signal_eval_spec
from lotus.priors.types import IDENTITY, Literal, Patch, Rule
from lotus.weave.braid import Braid, Quality
from lotus.weave.night import BraidEvent
from lotus_store.databases import Connection, Databases
from lotus_store.ledger import binary_copy, braids, day_commits, events, lessons, live_log, segments
from lotus_store.ledger.bodies import from_body, to_body

DAY = "2025-01-02"
RULE = Rule.of(Literal(0, 1, 2), Literal(9, 0, 1))


def table(columns: Any, n: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Random rows of a specification: extreme integers, NaN, texts of different lengths."""
    random = np.random.default_rng(seed)
    made: dict[str, np.ndarray] = {}
    for column in columns:
        kind = column.dtype
        if kind == "text":
            words = np.array(["", "a", "ETH", "a longer text", "é€😀"], dtype=object)
            made[column.name] = words[random.integers(0, len(words), n)]
        elif kind == "?":
            made[column.name] = random.random(n) < 0.5
        elif kind == "f8":
            made[column.name] = np.where(random.random(n) < 0.2, np.nan, random.normal(size=n))
        else:
            info = np.iinfo(kind)
            made[column.name] = random.integers(info.min, info.max, n, dtype=kind, endpoint=True)
    return made


def some_events(n: int, branch: str = "main", seed: int = 0) -> dict[str, np.ndarray]:
    rows = table(SIGNAL_EVENTS.columns, n, seed)
    rows["event_id"] = np.array([f"{branch}-{seed}-{i:020d}" for i in range(n)], dtype=object)
    rows["branch"] = np.full(n, branch, dtype=object)
    rows["window_end_ms"] = 1_735_800_000_000 + np.arange(n) * 5000
    return rows


def count(c: Connection, name: str) -> int:
    row = c.execute(f"SELECT count(*) FROM {name}").fetchone()  # type: ignore[call-overload]
    return int(row[0])


def signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def test_events_arrive_to_the_bit_and_replace_their_day(databases: Databases) -> None:
    rows = some_events(200)
    with databases.connect("sig") as c:
        assert events.write_events(c, "main", DAY, rows) == 200
        assert events.write_events(c, "main", "2025-01-03", some_events(5, seed=1)) == 5
        for i in (0, 7, 199):
            found = events.read_event(c, rows["event_id"][i])
            assert found.pop("day") == DAY
            for name, value in found.items():
                expected = rows[name][i]
                if isinstance(expected, np.float64):
                    assert np.float64(value).tobytes() == expected.tobytes() or (
                        math.isnan(value) and np.isnan(expected)
                    )
                else:
                    assert value == (signed(int(expected)) if rows[name].dtype == "u8" else expected), name
        half = {name: values[:100] for name, values in rows.items()}
        assert events.write_events(c, "main", DAY, half) == 100
        assert count(c, "signal_events") == 105
        assert events.event_days(c, "main") == [DAY, "2025-01-03"]
        events.write_events(c, "main", DAY, {name: values[:0] for name, values in rows.items()})
        assert events.event_days(c, "main") == ["2025-01-03"]


def test_a_failed_write_leaves_the_day_as_it_was(databases: Databases) -> None:
    with databases.connect("sig") as c:
        events.write_events(c, "main", DAY, some_events(10))
    bad = some_events(10, seed=3)
    del bad["pi"]
    with databases.connect("sig") as c:
        with pytest.raises(SchemaError, match="lack the column 'pi'"):
            events.write_events(c, "main", DAY, bad)
        c.rollback()
        with pytest.raises(LedgerError, match="branch 'other'"):
            events.write_events(c, "main", DAY, some_events(3, "other"))
        with pytest.raises(LedgerError, match="there is no event"):
            events.read_event(c, "nothing")
        assert count(c, "signal_events") == 10


@given(st.lists(st.tuples(st.text(max_size=9), st.integers(0, 2**64 - 1), st.floats()), max_size=20))
def test_binary_copy_has_the_documented_layout(rows: list[tuple[str, int, float]]) -> None:
    rows = [(t.encode("utf-8", "ignore").decode(), k, x) for t, k, x in rows]
    columns = {
        "t": np.array([r[0] for r in rows], dtype=object),
        "k": np.array([r[1] for r in rows], dtype="u8"),
        "x": np.array([r[2] for r in rows], dtype="f8"),
    }
    raw = binary_copy.encode(columns)
    assert raw.startswith(b"PGCOPY\n\xff\r\n\0" + bytes(8))
    at, found = 19, []
    while raw[at : at + 2] != b"\xff\xff":
        assert int.from_bytes(raw[at : at + 2]) == 3
        at += 2
        fields = []
        for _ in range(3):
            width = int.from_bytes(raw[at : at + 4])
            fields.append(raw[at + 4 : at + 4 + width])
            at += 4 + width
        found.append(tuple(fields))
    assert at + 2 == len(raw)
    expected = [(t.encode(), k.to_bytes(8), np.array(x, dtype=">f8").tobytes()) for t, k, x in rows]
    assert sorted(found) == sorted(expected)


def test_outcomes_with_their_horizons(databases: Databases) -> None:
    horizons = (30, 900)
    rows = table(signal_eval_spec(horizons).columns, 50)
    rows["event_id"] = np.array([f"e{i:03d}" for i in range(50)], dtype=object)
    with databases.connect("sig") as c:
        for _ in range(2):
            assert events.write_eval(c, "main", DAY, rows, horizons) == 50
        assert (count(c, "signal_eval"), count(c, "signal_eval_horizons")) == (50, 100)
        found = events.read_eval(c, "e007")
        assert found is not None
        assert [h["horizon_s"] for h in found["horizons"]] == [30, 900]
        np.testing.assert_equal(found["horizons"][1]["mae"], rows["mae_900"][7])
        np.testing.assert_equal(found["payoff_y"], rows["payoff_y"][7])
        assert events.read_eval(c, "nothing") is None


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


def braid(name: str) -> Braid:
    return Braid(
        braid_id=name, branch="main", braid_type="micro", detector_id="d", horizon_s=30, rule=RULE, sign=1,
        lesson_id="l", grade="A", claim_bps=1.0, lcb_bps=0.5, ci95=(0.1, 2.0), support=10,
        quality=Quality(0.1, 0.2, 0.3, 0.4), target=Patch(-0.05, 1.02), patch=Patch(-0.0, 1.0), delta_wanted=0.2,
        delta_realised=(0.1, 0.0, 0.2), state="proposed", reason="", effective_from_ms=5, expires_at_ms=9,
        members_sample=("e",),
    )  # fmt: skip


def event(name: str, old: str, new: str) -> BraidEvent:
    return BraidEvent(name, old, new, "because", "before", "after")


def test_the_board_is_the_newest_row_of_each_braid(databases: Databases) -> None:
    a, b = braid("a"), braid("b")
    a2 = replace(a, state="active", patch=Patch(-0.02, 1.01))
    a3 = replace(a2, state="archived", patch=IDENTITY)
    with databases.connect("sig") as c:
        for _ in range(2):
            braids.write_night(
                c, "main", "2025-01-01", [a, b], [event("a", "none", "proposed"), event("b", "none", "proposed")]
            )
            braids.write_night(c, "main", "2025-01-02", [a2, b], [event("a", "proposed", "active")])
            braids.write_night(c, "main", "2025-01-03", [a3, b], [event("a", "active", "archived")])
        assert repr(braids.read_board(c, "main", "2025-01-01")) == repr([a, b])
        assert repr(braids.read_board(c, "main", "2025-01-02")) == repr([a2, b])
        assert repr(braids.read_board(c, "main")) == repr([a3, b])
        assert braids.read_board(c, "other") == []
        assert [h["new_state"] for h in braids.read_history(c, "a")] == ["proposed", "active", "archived"]
        assert repr(braids.read_braid(c, "a")) == repr(a3)
        view = c.execute("SELECT braid_id, state, detector_id, expires_at_ms FROM braids ORDER BY 1").fetchall()
        assert view == [("a", "archived", "d", 9), ("b", "proposed", "d", 9)]
        with pytest.raises(LedgerError, match="not on its board"):
            braids.write_night(c, "main", DAY, [a], [event("b", "x", "active")])


def test_rows_say_from_which_windows_and_commit_they_came_and_equal_bodies_keep_theirs(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [event("a", "none", "proposed")]
    select = "SELECT fixtures_hash, git_sha FROM braid_history WHERE branch = 'p' ORDER BY day"
    with databases.connect("sig") as c:
        for commit in ("one", "two"):
            monkeypatch.setattr(braids, "git_sha", lambda commit=commit: commit)
            monkeypatch.setattr(lessons, "git_sha", lambda commit=commit: commit)
            braids.write_night(c, "p", "2025-01-01", [braid("a")], told, "f")
            lessons.write_experiments(c, "p", "2025-01-01", "run", {"lessons": {"run": "r"}})
        braids.write_night(c, "p", "2025-01-02", [replace(braid("a"), state="archived")], told, "g")
        assert c.execute(select).fetchall() == [("f", "one"), ("g", "two")]
        assert c.execute("SELECT git_sha FROM experiments WHERE branch = 'p'").fetchall() == [("one",)]
        lessons.write_experiments(c, "p", "2025-01-01", "run", {"lessons": {"run": "s"}})
        assert c.execute("SELECT git_sha FROM experiments WHERE branch = 'p'").fetchall() == [("two",)]
        view = "SELECT fixtures_hash, git_sha, priors_ver FROM sig_braid WHERE branch = 'p'"
        assert c.execute(view).fetchall() == [("g", "two", "before")]


def test_the_last_commits_are_those_before_a_day(databases: Databases) -> None:
    days = [f"2025-03-{i:02d}" for i in range(1, 8)]
    with databases.connect("sig") as c, c.transaction(force_rollback=True):
        for day in days:
            day_commits.commit_day(c, day_commits.DayCommit("long", day, "lessons", day, 1, "i"))
            day_commits.commit_day(c, day_commits.DayCommit("long", day, "braids", day, 1, "i"))
        found = day_commits.last_commits(c, "long", "lessons", days[5], 3)
        assert [(x.day, x.stage) for x in found] == [(day, "lessons") for day in days[2:5]]
        assert [x.day for x in day_commits.last_commits(c, "long", "lessons", days[2], 90)] == days[:2]


def test_day_commits(databases: Databases) -> None:
    one = day_commits.DayCommit("main", DAY, "lessons", "h1", 5, "i1", {"text": "x"})
    with databases.connect("sig") as c:
        assert day_commits.read_commit(c, "main", DAY, "lessons") is None
        day_commits.commit_day(c, one)
        before = c.execute("SELECT xmin::text, committed_at FROM day_commits").fetchone()
    with databases.connect("sig") as c:
        day_commits.commit_day(c, one)
        assert c.execute("SELECT xmin::text, committed_at FROM day_commits").fetchone() == before
        assert day_commits.read_commit(c, "main", DAY, "lessons") == one
        other = replace(one, content_hash="h2", day="2025-01-03")
        day_commits.commit_day(c, other)
        day_commits.commit_day(c, replace(one, stage="braids"))
        assert day_commits.committed_days(c, "main", "lessons") == [DAY, "2025-01-03"]
        assert [x.stage for x in day_commits.read_commits(c, "main")] == ["braids", "lessons", "lessons"]
        assert day_commits.forget_commits(c, "main", "2025-01-03") == 1
        assert day_commits.committed_days(c, "main", "lessons") == [DAY]


def test_the_tape_catalogue(databases: Databases) -> None:
    segment = segments.Segment(
        "live", f"{DAY}/080000-0.zst", DAY, "ab", 10, 99, 1, 2, {"l2Book": 7}, [{"asset": "BTC", "start_ms": 5}]
    )
    gap = segments.TapeGap("BTC", 5, 20_005, "silence")
    bad = segments.Quarantined(3, "json", "truncated \0 at byte 7", "{\ud800")
    with databases.connect("sig") as c:
        for _ in range(2):
            segments.put_segment(c, segment)
            segments.write_gaps(c, "live", DAY, [gap])
            segments.write_quarantine(c, "live", DAY, [bad])
        assert segments.read_segments(c, "live") == segments.read_segments(c, "live", DAY) == [segment]
        assert segments.read_segments(c, "live", "2025-01-09") == segments.read_segments(c, "other") == []
        assert segments.read_gaps(c, "live", DAY) == [gap]
        assert segments.read_quarantine(c, "live", DAY) == [
            segments.Quarantined(3, "json", "truncated \\0 at byte 7", "{\\ud800")
        ]
        segments.put_segment(c, replace(segment, state="pruned"))
        assert [s.state for s in segments.read_segments(c, "live")] == ["pruned"]


def test_the_live_log(databases: Databases) -> None:
    rows = some_events(20)
    entries = [live_log.LogEntry(k, 5 * k, "swap", {"priors_ver": "x"}) for k in range(3)]
    order = live_log.OrderRow("o1", "e1", "BTC", 5, "open", {"px": 1.25})
    fill = live_log.FillRow("f1", "o1", "BTC", 6, {"px": 1.25})
    with databases.connect("sig") as c:
        assert live_log.append_events(c, "run", {n: v[:15] for n, v in rows.items()}) == 15
        assert live_log.append_events(c, "run", rows) == 5
        c.commit()
        assert live_log.append_events(c, "run", rows) == 0
        found = live_log.read_live_events(c, "main", DAY)
        assert len(found) == 20
        assert {x["event_id"] for x in found} == set(rows["event_id"])
        assert live_log.live_runs(c, "main", DAY) == ["run"]
        for _ in range(2):
            live_log.append_log(c, "run", entries)
            live_log.put_orders(c, "run", [order, replace(order, state="filled")])
            live_log.put_fills(c, "run", [fill])
        assert live_log.read_log(c, "run") == entries
        assert live_log.read_orders(c, "run") == [replace(order, state="filled")]
        assert live_log.read_fills(c, "run") == [fill]


def test_commands_are_taken_once(databases: Databases) -> None:
    with databases.connect("sig") as c:
        first = live_log.command(c, live_log.SWAP_DETECTORS, {"detectors": []})
        second = live_log.command(c, "nonsense")
    with databases.connect("sig") as c, databases.connect("sig") as other:
        assert live_log.take_commands(c) == [
            (first, live_log.SWAP_DETECTORS, {"detectors": []}),
            (second, "nonsense", {}),
        ]
        assert live_log.take_commands(other) == []
        live_log.finish_command(c, first, {"ok": True})
    with databases.connect("sig") as c:
        assert live_log.take_commands(c) == []


@given(st.floats() | st.just(-0.0))
def test_bodies_keep_every_double(value: float) -> None:
    found = from_body(json.loads(to_body(NearTie(RULE, value, value))), NearTie)
    assert repr(found) == repr(NearTie(RULE, value, value))


def test_a_body_of_another_version_is_named() -> None:
    with pytest.raises(LedgerError, match="a row is no NearTie"):
        from_body({"rule": 5}, NearTie)
