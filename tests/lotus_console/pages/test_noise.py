"""What chance alone would have shown: read from what the night stored, and never more than that."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lotus.errors import LotusError
from lotus_console.pages.noise import NOISE, SHUFFLES, chance_words, shuffled_night
from lotus_console.reading import HomeReading
from lotus_store.config import Settings
from lotus_store.databases import Databases

NIGHT: dict[str, Any] = {
    "looked": True, "trials": 89_087, "critical": [0.4, 0.6], "real_maximum": [6.4, 6.2],
    "draw_maxima": [[-1.0, 0.5, 2.0, "-inf"], [-2.0, 0.7, 0.5, "-inf"]],
}  # fmt: skip


class Nights(HomeReading):
    """A reading with one night that looked."""

    def rows(self, module: str, name: str, /, **given: Any) -> list[dict[str, Any]]:
        """Return the night where it is asked for, or any."""
        assert (module, name) == ("sig", "shuffled_night")
        return [{"day": "2026-01-17", "body": NIGHT}] if given["day"] in ("", "2026-01-17") else []


class NoNights(HomeReading):
    """A reading of a home that never looked."""

    def rows(self, module: str, name: str, /, **given: Any) -> list[dict[str, Any]]:
        """Return nothing."""
        return []


def home(kind: type[HomeReading], path: Path) -> HomeReading:
    """Return a reading of an empty home."""
    settings = Settings(path)
    return kind(settings, Databases(settings))


def test_a_shuffle_counts_where_both_lanes_are_beyond_their_bars(tmp_path: Path) -> None:
    reading = home(Nights, tmp_path)
    night = shuffled_night(reading)
    assert night is not None
    assert night.passed.tolist() == [False, True, False, False], "the third one passes one lane alone"
    assert chance_words(night).startswith(
        "Chance alone: with outcomes shuffled, at most 1 of 4 searches of 89,087 rules"
    )
    facts = NOISE.facts(reading, {})
    assert facts["title"] == "On shuffled outcomes at most 1 of 4 nights would have shown a lesson"
    first, second = facts["lanes"]
    assert (first["passed"], first["bar"], first["real"], first["top"]) == (2, 0.4, 6.4, 2.0)
    assert second["passed"] == 1
    assert all(picture.count('class="mark"') == 2 for picture in facts["pictures"])
    rows = SHUFFLES.source(reading, SHUFFLES.asked({})).rows
    assert [row["draw"] for row in rows] == [1, 2, 0, 3], "the best first"
    assert [row["passed"] for row in rows] == [True, False, False, False]


def test_a_night_that_did_not_look_has_nothing_to_shuffle(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="did not look"):
        NOISE.facts(home(Nights, tmp_path), {"day": "2026-01-18"})
    reading = home(NoNights, tmp_path)
    assert NOISE.facts(reading, {})["lanes"] == []
    assert "nothing to shuffle" in chance_words(shuffled_night(reading))
    assert SHUFFLES.source(reading, SHUFFLES.asked({})).rows == []
    with pytest.raises(LotusError, match="has no"):
        SHUFFLES.asked({"lane": "x"})


def test_lanes_without_any_rule_are_drawn_as_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = {"critical": ["inf", "inf"], "real_maximum": ["-inf", "-inf"], "draw_maxima": [["-inf"] * 3] * 2}
    monkeypatch.setitem(globals(), "NIGHT", NIGHT | nothing)
    facts = NOISE.facts(home(Nights, tmp_path), {})
    assert [str(picture) for picture in facts["pictures"]] == ["", ""]
    assert np.isneginf(facts["lanes"][0]["top"])
