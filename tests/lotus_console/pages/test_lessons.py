"""`lotus_console/pages/lessons.py`: what is listed is what was sown, and a search finds it either way."""

import itertools
import math

import pytest
from sown import DAY, NIGHT_MS, SPREAD, VOL, believed, put_braid, put_lesson, put_night, put_window

from lotus.priors.types import Literal, Rule
from lotus_console.pages import lessons
from lotus_console.pages.lessons import LESSONS, lesson_facts
from lotus_console.reading import HomeReading
from lotus_store.databases import Connection
from tests.hostile.console_attacks import MARKUP, SQL
from tests.support.asgi_client import AsgiClient


def found(reading: HomeReading, **given: str) -> list[int]:
    """Return the numbers of the lessons that a question finds, in order."""
    return [int(row["lesson_id"], 16) for row in LESSONS.source(reading, LESSONS.asked(given)).rows]


def test_an_empty_home_says_what_to_run_next(reading: HomeReading, browser: AsgiClient) -> None:
    page = browser.get("/lessons")
    assert page.status == 200
    assert "No nightly run has learned anything yet" in page.text
    assert "lotus lessons" in page.text
    assert browser.get("/lessons/" + "0" * 32).status == 404


def test_newest_nights_come_first_then_large_effects_and_filters_narrow(reading: HomeReading, sig: Connection) -> None:
    put_night(sig)
    put_night(sig, "2026-01-06")
    for k, (night, uplift) in enumerate([(DAY, 1.0), ("2026-01-06", -9.0), ("2026-01-06", 2.0), (DAY, -3.0)]):
        put_lesson(sig, k, night=night, uplift_bps=uplift)
    put_lesson(sig, 4, grade="none", state="REFUSED", reason="fell short", uplift_bps=0.5)
    put_lesson(sig, 5, branch="other")
    assert found(reading) == [1, 2, 3, 0, 4]
    assert found(reading, order="-uplift_bps") == [2, 0, 4, 3, 1]
    assert found(reading, state="REFUSED") == found(reading, grade="none") == [4]
    assert found(reading, day=DAY, limit="1", page="2") == [0]
    answer = LESSONS.source(reading, LESSONS.asked({"day": DAY}))
    assert answer.title == f"2 found and 1 refused in the night of {DAY}"
    assert answer.rows[-1]["claim_bps"] is None, "what is refused promises nothing"


@pytest.mark.parametrize("few", [0, 1000], ids=["words of many lessons", "words of few"])
def test_words_find_reasons_detectors_and_features_of_rules_either_way(
    reading: HomeReading, sig: Connection, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(lessons, "FEW", few)
    put_lesson(sig, 0, rule=Rule.of(Literal(SPREAD, 3, 4), Literal(VOL, 0, 1)))
    put_lesson(sig, 1, rule=Rule.of(Literal(VOL, 0, 1)), reason="spreads too thin in lane S")
    put_lesson(sig, 2, rule=Rule.of(Literal(3, 0, 1)), detector_id="basis_shock")
    put_lesson(sig, 3, branch="other")
    assert found(reading, search="spread") == [0, 1], "a feature of the rule, or a word that begins so"
    assert found(reading, search="spread vol lane") == [1]
    assert found(reading, search="DEPTH") == found(reading, search="slope") == [2]
    assert found(reading, search="basis_sh") == found(reading, search=f"{2:032x}") == [2]
    assert found(reading, search="lane", state="REFUSED") == found(reading, search="nothing") == []
    assert found(reading, search="!? -- ") == [0, 1, 2], "no word says nothing"


def test_no_text_of_a_search_is_more_than_words(reading: HomeReading, sig: Connection) -> None:
    put_lesson(sig, 7)
    for text in (*SQL, *MARKUP, "feature8 | !x", "a:*B <-> c", "x" * 5000, " ".join("abcdefghij" * 20)):
        assert set(found(reading, search=text)) <= {7}, text


def test_one_lesson_in_full_with_what_its_braid_moved(reading: HomeReading, sig: Connection) -> None:
    put_night(sig)
    lesson = put_lesson(sig, 1)
    version = believed(sig, put_braid(sig, 2, lesson_id=lesson.lesson_id))
    moved = {"priors_ver": version.priors_ver, "u0": 0.0, "pi": 0.6, "fired": 1}
    put_window(sig, 1, **moved)
    put_window(sig, 2, **moved | {"published": False})
    put_window(sig, 3, **moved | {"fired": 0})
    facts = lesson_facts(reading, {"lesson_id": lesson.lesson_id})
    assert facts["title"] == "Micro drift pays more where spread >= 3"
    (life,) = facts["braids"]
    assert (life["windows"], life["published"]) == (2, 1)
    assert life["moved"] == pytest.approx(2 * (0.6 - 0.5))
    assert life["expires_at_ms"] > NIGHT_MS
    with pytest.raises(LookupError, match="no lesson"):
        lesson_facts(reading, {"lesson_id": put_lesson(sig, 9, branch="other").lesson_id})


def test_huge_odd_and_hostile_values_are_shown_as_text(sig: Connection, browser: AsgiClient) -> None:
    odd = (1e308, -1e308, 5e-324, math.inf, math.nan)
    for k, (value, markup) in enumerate(zip(itertools.cycle(odd), MARKUP, strict=False)):
        put_lesson(sig, k, uplift_bps=value, ci95=(-value, value), reason=markup, warnings=(markup,), n_windows=2**53)
    page = browser.get("/lessons?limit=500").text
    assert not [markup for markup in MARKUP if "<" in markup and markup in page]
    assert "&lt;script&gt;" in page
    for k in range(len(MARKUP)):
        answer = browser.get(f"/lessons/{k:032x}")
        assert (answer.status, MARKUP[0] in answer.text) == (200, False), answer.text[-500:]
