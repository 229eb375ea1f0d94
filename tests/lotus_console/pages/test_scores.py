"""Scores of the daemon's last minute: found by their identities, with the reason why each was published or not."""

import json
from pathlib import Path
from typing import Any

import pytest

from lotus.detectors.registry import scored_detectors
from lotus.hashing import natural_id
from lotus_console.pages.scores import SCORES, newest_scores, why
from lotus_console.reading import HomeReading
from lotus_store.config import Settings
from lotus_store.databases import Databases

END_MS = 1_768_750_195_000


class _Asked(HomeReading):
    """A reading whose ledger answers with given rows and remembers what it was asked for."""

    def rows(self, module: str, name: str, /, **given: Any) -> list[dict[str, Any]]:
        """Return one row for each of the first three names."""
        ASKED.append({"name": name, **given})
        row = {"window_end_ms": END_MS, "detector_id": "d", "asset": "BTC", "s": 1.0, "score": 0.5, "tau_pub": 0.3,
               "pi": 0.9, "published": True, "draw": 0.1, "veto": 0}  # fmt: skip
        return [row | {"event_id": event} for event in given["events"][:3]]


ASKED: list[dict[str, Any]] = []


@pytest.fixture
def reading(tmp_path: Path) -> HomeReading:
    """A home without a daemon."""
    ASKED.clear()
    settings = Settings(tmp_path)
    (tmp_path / "live").mkdir()
    return _Asked(settings, Databases(settings))


def wrote(reading: HomeReading, status: object) -> None:
    """Let the daemon have written this about itself."""
    (reading.settings.home / "live" / "status.json").write_text(json.dumps(status))


def test_the_windows_of_a_minute_are_asked_for_by_name(reading: HomeReading) -> None:
    wrote(reading, {"run_id": "r", "branch": "main", "last_window_end_ms": END_MS})
    assert len(newest_scores(reading)) == 3
    manifest, (asked,) = reading.settings.manifest, ASKED
    detectors = scored_detectors(manifest)
    assert len(set(asked["events"])) == 12 * len(detectors) * len(manifest.universe)
    newest = natural_id(
        "main", detectors[0].detector_id, detectors[0].version, manifest.universe[0].name, END_MS - 5_000
    )
    assert newest in asked["events"]
    answer = SCORES.source(reading, SCORES.asked({"limit": "2"}))
    assert answer.title == "3 of 3 scores of the last minute were published, 3 reach their threshold"
    assert (len(answer.rows), answer.has_more) == (2, True)


@pytest.mark.parametrize("status", [
    {}, [], "x", {"last_window_end_ms": "<b>", "branch": "main"}, {"last_window_end_ms": None, "branch": "main"},
    {"last_window_end_ms": END_MS, "branch": "another"}, {"last_window_end_ms": 1e300, "branch": "main"},
])  # fmt: skip
def test_a_status_of_another_kind_is_no_score(reading: HomeReading, status: object) -> None:
    wrote(reading, status)
    assert newest_scores(reading) == []
    assert SCORES.source(reading, SCORES.asked({})).title == "No daemon has scored anything here"
    assert ASKED == []


def test_every_veto_has_words() -> None:
    row = {"published": False, "draw": 0.5, "pi": 0.0}
    assert why(row | {"veto": 4}) == "vetoed: kairos"
    assert why(row | {"veto": 1024 + 2}) == "vetoed: data quality, stage"
    assert why({"veto": 0, "published": True, "draw": 0.1, "pi": 0.2}) == "its draw 0.100 is below 0.200"
