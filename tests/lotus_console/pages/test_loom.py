"""`lotus_console/pages/loom.py`: published windows, what was believed at a time, and a picture that stays small."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sown import BRAID, DAY, NIGHT_MS, believed, put_braid, put_lesson, put_night, put_outcome, put_window

from lotus.errors import ConfigError
from lotus.priors.types import Patch
from lotus_console.pages.loom import LATEST_MS, MOST_NODES, WINDOWS, loom_facts, patch_words, time_asked
from lotus_console.reading import HomeReading
from lotus_store.databases import Connection
from lotus_store.facts.words import clock
from tests.hostile.console_attacks import MARKUP
from tests.support.asgi_client import AsgiClient


def test_a_home_without_windows_says_what_to_run(reading: HomeReading, browser: AsgiClient) -> None:
    with pytest.raises(LookupError, match="backfill"):
        loom_facts(reading, {})
    assert browser.get("/windows").status == 200
    assert browser.get("/loom?event=x").status in (400, 404)
    facts = loom_facts(reading, {"at": "2026-01-05T14:05"})
    assert facts["title"] == "0 beliefs were in force at 2026-01-05T14:05"


def test_published_windows_come_newest_first_with_what_they_paid(reading: HomeReading, sig: Connection) -> None:
    put_window(sig, 1, u=0.5, u0=0.2, fired=3)
    put_window(sig, 2, asset="ETH")
    put_window(sig, 3, published=False)
    put_window(sig, 4, branch="other")
    put_outcome(sig, 1, -1.25)
    answer = WINDOWS.source(reading, WINDOWS.asked({}))
    assert [int(row["event_id"], 16) for row in answer.rows] == [2, 1]
    older = answer.rows[1]
    assert (older["moved"], older["payoff_y"]) == (True, -1.25)
    assert older["moved_logit"] == pytest.approx(0.3)
    assert answer.rows[0]["payoff_y"] is None, "it has not matured"
    moved = WINDOWS.source(reading, WINDOWS.asked({"moved": "yes"})).rows
    assert [row["event_id"] for row in moved] == [older["event_id"]]


def test_time_travel_finds_the_version_of_that_time(reading: HomeReading, sig: Connection) -> None:
    put_night(sig)
    lesson = put_lesson(sig, 7)
    first = put_braid(sig, 1, lesson_id=lesson.lesson_id, reason="what it was then")
    believed(sig, first, day="2026-01-03")
    believed(sig, first, put_braid(sig, 2))
    before, after = (loom_facts(reading, {"at": at}) for at in ("2026-01-05T12:00", "2026-01-06T00:00"))
    assert before["title"] == "1 belief was in force at 2026-01-05T12:00"
    assert (after["title"], after["since"]) == ("2 beliefs were in force at 2026-01-06T00:00", "2026-01-06 00:00")
    (evidence,) = before["beliefs"]
    assert (evidence["lesson_id"], evidence["reason"], evidence["uplift_bps"]) == (
        lesson.lesson_id, "what it was then", lesson.uplift_bps,
    )  # fmt: skip
    assert loom_facts(reading, {"at": str(NIGHT_MS - 1)})["version"] == before["version"]


def test_the_picture_of_hundreds_of_beliefs_stays_small(
    reading: HomeReading, sig: Connection, browser: AsgiClient
) -> None:
    braids = []
    for k in range(300):
        put_lesson(sig, k, night=DAY)
        braids.append(put_braid(sig, k, lesson_id=f"{k:032x}", reason=MARKUP[k % len(MARKUP)]))
    believed(sig, *braids)
    facts = loom_facts(reading, {"at": str(NIGHT_MS)})
    assert len(facts["beliefs"]) == 300
    assert 1 < str(facts["picture"]).count("<rect") <= MOST_NODES
    page = browser.get(f"/loom?at={NIGHT_MS}")
    assert page.status == 200
    assert not [markup for markup in MARKUP if "<" in markup and markup in page.text]


@given(st.integers(0, LATEST_MS - 1))
def test_a_time_is_read_as_the_clock_writes_it(time_ms: int) -> None:
    assert time_asked(str(time_ms)) == time_ms
    assert time_asked(clock(time_ms)[:16]) == time_ms // 60_000 * 60_000


@given(st.text(max_size=60))
def test_any_other_text_is_no_time(text: str) -> None:
    with suppress(ConfigError):
        assert isinstance(time_asked(text), int)


def test_a_patch_in_few_letters() -> None:
    assert patch_words(BRAID.active()) == "θ -0.050, Φ ×1.020"
    assert patch_words(replace(BRAID.active(), patch=Patch(0.125, 1.0))) == "θ +0.125, Φ ×1.000"
