"""Sums that threads make ahead are, file for file, those that a night makes itself, and a night then makes none."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lotus.learning.axes import axes
from lotus.learning.payoff_scores import Columns
from lotus.manifest import Manifest
from lotus.priors.types import Literal, Rule
from lotus.simulation.learning_world import market, merged, scores_of, track
from lotus_assets.stages.learning import day_sums
from lotus_assets.stages.learning.day_sums import StoredSource, make_ahead, sources
from lotus_resources.recent_values import RecentValues
from lotus_store.ledger.day_commits import DayCommit

NAMES, RULE = ("d0", "d1", "d2"), Rule.of(Literal(0, 3, 4))


@pytest.fixture(scope="module")
def scores() -> dict[str, Columns]:
    """Two days of three detectors."""
    place = market(3, 2, 432)
    return merged([scores_of(place, track(place, "conf", name)) for name in NAMES])


def found_in(home: Path, scores: dict[str, Columns], monkeypatch: pytest.MonkeyPatch) -> dict[str, StoredSource]:
    """Return the sources of an empty home."""
    monkeypatch.setattr(day_sums, "scores_in_context", lambda _ctx, commit: scores[commit.day])
    settings = SimpleNamespace(home=home, lake_root=str(home / "lake"))
    ctx: Any = SimpleNamespace(settings=settings, branch="main", manifest=Manifest(), recent=RecentValues())
    scored = [DayCommit("main", day, "payoff_scores", f"h{day}", 1, "i") for day in scores]
    made = [
        DayCommit("main", day, "lesson_atoms", "h", 1, "i", notes={"notes": {"names": " ".join(NAMES)}})
        for day in scores
    ]
    return dict(sources(ctx, scored, made))


def files(home: Path) -> dict[str, bytes]:
    return {str(p.relative_to(home)): p.read_bytes() for p in sorted(home.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("threads", [2, 8])
def test_threads_make_the_files_that_a_night_makes(
    tmp_path: Path, scores: dict[str, Columns], monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    space, active = axes(), [("d1", RULE)]
    alone = found_in(tmp_path / "alone", scores, monkeypatch)
    for name, source in alone.items():
        source.cubes((RULE,) if name == "d1" else (), space)
    ahead = found_in(tmp_path / "ahead", scores, monkeypatch)
    make_ahead(ahead, active, space, threads)
    wanted = files(tmp_path / "alone")
    assert len(wanted) == 2 * len(scores) * len(NAMES)  # windows and sums
    assert files(tmp_path / "ahead") == wanted
    monkeypatch.setattr(day_sums, "day_cubes", None)
    for name, source in ahead.items():
        assert len(source.cubes((RULE,) if name == "d1" else (), space)) == len(scores)


def test_one_thread_makes_nothing_ahead(
    tmp_path: Path, scores: dict[str, Columns], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_ahead(found_in(tmp_path, scores, monkeypatch), [], axes(), 1)
    assert files(tmp_path) == {}
