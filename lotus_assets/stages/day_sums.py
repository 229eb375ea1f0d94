"""A night's sources: sums of days from the learner's state, made from the day's scores where they are not there yet.

Stored under the hash of the scores, the rules in the baseline and the code, so a changed set of active lessons rebuilds
them from the windows of the last `search_days` days. What sums are is `lotus.learning.day_cube`; deciding is `night`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lotus.hashing import natural_id
from lotus.learning.axes import Axes
from lotus.learning.day_cube import DayCube, baseline_key, day_cubes, packed, unpacked
from lotus.learning.rows import DetectorRows, rows_by_detector
from lotus.priors.types import Rule
from lotus_assets.code_version import code_version
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.history import Memory
from lotus_assets.stages.payoff_scores import read_scores
from lotus_store.learner_state import LearnerState
from lotus_store.ledger.day_commits import DayCommit

_tables = Memory(4)


@dataclass(frozen=True, slots=True)
class StoredSource:
    """One detector's past: its days with their commits (oldest first), and where its sums are kept."""

    ctx: StageContext
    state: LearnerState
    name: str
    commits: tuple[DayCommit, ...]

    def cubes(self, believed: tuple[Rule, ...], space: Axes) -> Sequence[DayCube]:
        """Return the sums of its days, made and kept where they are missing."""
        found = [self._day(commit, believed, space) for commit in self.commits]
        return [cube for cube in found if cube is not None]

    def rows(self) -> DetectorRows:
        """Return its windows of all days."""
        scores = {commit.day: read_scores(self.ctx, commit) for commit in self.commits}
        mine = {day: {k: v[c["detector_id"] == self.name] for k, v in c.items()} for day, c in scores.items()}
        return rows_by_detector(mine, len(mine))[self.name]

    def _day(self, commit: DayCommit, believed: tuple[Rule, ...], space: Axes) -> DayCube | None:
        code = code_version("learning")
        key = natural_id(commit.content_hash, self.name, baseline_key(believed), len(space.subsets), code)
        held = self.state.read(commit.day, self.name, key)
        if held is not None:
            return unpacked(*held)
        tables = _tables_of(self.ctx, commit)
        if self.name not in tables:
            return None
        (cube,) = day_cubes(tables[self.name], believed, space)
        self.state.write(commit.day, self.name, key, *packed(cube))
        return cube


def sources(ctx: StageContext, scored: Sequence[DayCommit], made: Sequence[DayCommit]) -> Mapping[str, StoredSource]:
    """Return the detectors of the scored days; `made`: commits of lesson_atoms, which name each day's detectors."""
    state = LearnerState(ctx.settings.home, ctx.branch)
    state.keep({commit.day for commit in scored})
    told = {commit.day: str(commit.notes["notes"].get("names", "")).split() for commit in made}
    days: dict[str, list[DayCommit]] = {}
    for commit in scored:
        for name in told.get(commit.day) or _tables_of(ctx, commit):
            days.setdefault(name, []).append(commit)
    return {name: StoredSource(ctx, state, name, tuple(days[name])) for name in sorted(days)}


def _tables_of(ctx: StageContext, commit: DayCommit) -> dict[str, DetectorRows]:
    key = (ctx.branch, commit.day, commit.content_hash)
    return _tables.get(key, lambda: rows_by_detector({commit.day: read_scores(ctx, commit)}, 1))
