"""The brief stands at the result of the day's last stage, and what keeps it from being made stops nothing."""

import logging

import pytest

from lotus_assets.pages import daily_brief
from lotus_assets.stages.context import CheckOutcome, StageResult
from lotus_store.config import Settings

RESULT = StageResult("active_priors", "2026-01-05", 1, "c", "i", {}, documents={"other": "x"})


def test_without_a_nightly_run_the_result_stays_as_it_is(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert daily_brief.with_brief(settings, RESULT) is RESULT
    assert "no brief of 2026-01-05: branch main has no nightly run" in caplog.text


def test_only_the_last_stage_that_passed_has_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(daily_brief, "brief_of", lambda *words: asked.append(words))
    monkeypatch.setattr(daily_brief, "markdown", lambda _: "# brief")
    earlier = StageResult("braids", "2026-01-05", 1, "c", "i", {})
    failed = StageResult("active_priors", "2026-01-05", 1, "c", "i", {}, (CheckOutcome("movement", False, ""),))
    assert daily_brief.with_brief(settings, earlier) is earlier
    assert daily_brief.with_brief(settings, failed) is failed
    assert daily_brief.with_brief(settings, RESULT).documents == {"other": "x", "brief": "# brief"}
    assert asked == [(settings, "2026-01-05", "")]


def test_other_errors_are_not_hidden(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(daily_brief, "brief_of", broken)
    with pytest.raises(ZeroDivisionError):
        daily_brief.with_brief(settings, RESULT)
