"""The brief stands at the result of the day's last stage, and what keeps it from being made stops nothing."""

import logging
from dataclasses import replace

import pytest

from lotus.timebase import next_day
from lotus_assets.pages import daily_brief
from lotus_assets.stages.context import CheckOutcome, StageResult
from lotus_store.config import Settings
from lotus_store.facts.brief.day import Guards

RESULT = StageResult("governance_day", "2026-01-05", 1, "c", "i", {}, documents={"other": "x"})


def test_without_a_nightly_run_the_result_stays_as_it_is(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert daily_brief.with_brief(settings, RESULT) is RESULT
    assert "no brief of 2026-01-05: branch main has no nightly run" in caplog.text


def test_only_the_last_stage_that_passed_has_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(daily_brief, "brief_of", lambda *words, with_week: asked.append((*words, with_week)))
    monkeypatch.setattr(daily_brief, "markdown", lambda _: "# brief")
    monkeypatch.setattr(daily_brief, "html", lambda _: "<h1>brief</h1>")
    earlier = StageResult("braids", "2026-01-05", 1, "c", "i", {})
    failed = StageResult("governance_day", "2026-01-05", 1, "c", "i", {}, (CheckOutcome("movement", False, ""),))
    assert daily_brief.with_brief(settings, earlier) is earlier
    assert daily_brief.with_brief(settings, failed) is failed
    assert daily_brief.with_brief(settings, RESULT).documents == {"other": "x", "brief": "# brief"}
    assert asked == [(settings, "2026-01-05", Guards(), True)]
    assert (settings.home / "briefs" / "main" / "2026-01-05.html").read_text() == "<h1>brief</h1>"


def test_the_newest_pages_stay_each_whole(settings: Settings) -> None:
    odd = replace(settings, branch="../../a/b")
    folder = settings.home / "briefs" / "%2E.%2F..%2Fa%2Fb"
    for k in range(daily_brief.KEPT + 5):
        place = daily_brief.write_page(odd, next_day("2026-01-01", k), f"page {k}")
        assert (place.parent, place.read_text()) == (folder, f"page {k}")
    (folder / "notes.txt").write_text("a person's own")
    daily_brief.write_page(odd, "2026-01-20", "again")
    pages = sorted(path.name for path in folder.iterdir())
    assert len(pages) == daily_brief.KEPT + 1
    assert pages[0] == "2026-01-06.html", "the oldest are gone"
    assert (folder / "2026-01-20.html").read_text() == "again"


def test_a_page_that_cannot_be_written_stops_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.home.mkdir(parents=True)
    (settings.home / "briefs").write_text("in the way")
    for name, made in (("brief_of", None), ("markdown", "# brief"), ("html", "page")):
        monkeypatch.setattr(daily_brief, name, lambda *_, made=made, **__: made)
    with caplog.at_level(logging.WARNING):
        assert daily_brief.with_brief(settings, RESULT).documents["brief"] == "# brief"
    assert "was not written" in caplog.text


def test_other_errors_are_not_hidden(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(daily_brief, "brief_of", broken)
    with pytest.raises(ZeroDivisionError):
        daily_brief.with_brief(settings, RESULT)
