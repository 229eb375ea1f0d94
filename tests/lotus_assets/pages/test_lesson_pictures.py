"""Pictures of a night: one of each kind for what was found, none for a night that did not look."""

import base64
import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lotus.learning.night import NightResult, learn_night
from lotus.learning.payoff_scores import Columns
from lotus.manifest import LearningDefaults, Manifest
from lotus.pictures.forest import ForestRow, forest
from lotus.priors.types import Literal, Rule
from lotus_assets.pages.lesson_pictures import lesson_pictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FILE = Path(__file__).resolve().parents[2] / "lotus_learning" / "worlds.py"
_SPEC = importlib.util.spec_from_file_location("picture_worlds", _FILE)
assert _SPEC is not None
assert _SPEC.loader is not None
worlds = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(worlds)

MANIFEST = Manifest(learning=LearningDefaults(looks="final"))


@pytest.fixture(scope="module")
def found() -> tuple[NightResult, dict[str, Columns]]:
    """Return a night that found a planted lesson, and its scores."""
    rule = Rule.of(Literal(4, 3, 4))
    scores = worlds.world("plant", seed=31, per_block=500, detectors=2, lessons=((rule, 9.0),))
    return learn_night(scores, MANIFEST), scores


def test_a_night_that_found_something_shows_every_kind(found: tuple[NightResult, dict[str, Columns]]) -> None:
    night, scores = found
    assert len(night.lessons) == 1
    pictures = lesson_pictures(night, lambda: scores, MANIFEST)
    assert set(pictures) == {"forest_plot", "calibration_d0", "calibration_d1", "life_line_1", "heat_map_1"}
    assert list(pictures)[1] == "calibration_d0", "the detector with the lesson first"
    for text in pictures.values():
        raw = base64.b64decode(text.split("base64,")[1].rstrip(")"))
        assert raw.startswith(b"\x89PNG")
        assert len(raw) < 60_000


def test_a_night_that_did_not_look_shows_nothing(found: tuple[NightResult, dict[str, Columns]]) -> None:
    night, scores = found
    assert lesson_pictures(replace(night, looked=False), lambda: scores, MANIFEST) == {}
    assert lesson_pictures(replace(night, lessons=(), refused=(), proposals=()), lambda: scores, MANIFEST) == {}


def test_the_forest_plot_begins_with_what_stands_and_its_level(
    found: tuple[NightResult, dict[str, Columns]], monkeypatch: pytest.MonkeyPatch
) -> None:
    night, scores = found
    drawn: list[ForestRow] = []

    def listed(rows: Sequence[ForestRow]) -> "Figure":
        drawn.extend(rows)
        return forest(rows)

    monkeypatch.setattr("lotus.pictures.forest.forest", listed)
    lesson_pictures(night, lambda: scores, MANIFEST, [(night.lessons[0], 2)])
    assert [row.note for row in drawn[:2]] == ["in force, level 2", f"grade {night.lessons[0].grade}"]
