"""A nightly run's sources: days from the learner's state, made from the day's scores where they are not there yet.

Of each detector and day the windows are kept under the hash of the scores and the code, and their sums under that of
the rules in the baseline too: a changed set of active lessons makes new sums from the windows kept, and a promotion
reads them. What they are is `lotus.learning.packed_rows` and `day_cube`; deciding is `night`.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

from lotus.hashing import natural_id
from lotus.learning.axes import Axes
from lotus.learning.day_cube import DayCube, baseline_key, day_cubes, packed, unpacked
from lotus.learning.packed_rows import Packed, joined_rows, packed_rows
from lotus.learning.rows import DetectorRows, rows_by_detector
from lotus.priors.types import Rule
from lotus.priors.vocabulary import DEFAULT
from lotus_assets.code_version import code_version
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.learning.asset_context import scores_in_context, vocabulary
from lotus_resources.recent_values import RecentKind
from lotus_store.learner_state import SUMS, WINDOWS, WITHOUT_PAPER, LearnerState
from lotus_store.ledger.day_commits import DayCommit

_TABLES = RecentKind("score tables", 4)


@dataclass(frozen=True, slots=True)
class StoredSource:
    """One detector's past: its days with their commits (oldest first), all learning days, and where things are kept."""

    ctx: StageContext
    state: LearnerState
    name: str
    commits: tuple[DayCommit, ...]
    days: tuple[str, ...]

    def cubes(self, believed: tuple[Rule, ...], space: Axes, paper: bool = True) -> Sequence[DayCube]:
        """Return the sums of its days, made and kept where they are missing."""
        sums = [self._sums(commit, believed, space, paper) for commit in self.commits]
        return [cube for cube in sums if cube is not None]

    def rows(self) -> DetectorRows:
        """Return its windows of all days."""
        windows = [self._windows(commit) for commit in self.commits]
        return joined_rows([part for part in windows if part is not None], self.days, vocabulary(self.ctx))

    def make(self, commit: DayCommit, believed: tuple[Rule, ...], space: Axes) -> None:
        """Make and keep the sums of a day where they are missing."""
        self._sums(commit, believed, space, paper=True)

    def _sums(self, commit: DayCommit, believed: tuple[Rule, ...], space: Axes, paper: bool) -> DayCube | None:
        key, kind = self._key(commit, baseline_key(believed), len(space.subsets)), SUMS if paper else WITHOUT_PAPER
        held = self.state.read(commit.day, self.name, key, kind)
        if held is not None:
            return unpacked(*held)
        windows = self._windows(commit)
        if windows is None:
            return None
        rows = joined_rows([windows], (commit.day,), vocabulary(self.ctx))
        (cube,) = day_cubes(rows if paper else rows.without_paper(), believed, space)
        self.state.write(commit.day, self.name, key, *packed(cube), kind)
        return cube

    def _windows(self, commit: DayCommit) -> Packed | None:
        held = self.state.read(commit.day, self.name, self._key(commit), WINDOWS)
        if held is not None:
            return held
        table = _tables_of(self.ctx, commit).get(self.name)
        if table is None:
            return None
        made = packed_rows(table)
        self.state.write(commit.day, self.name, self._key(commit), *made, WINDOWS)
        return made

    def _key(self, commit: DayCommit, *parts: str | int) -> str:
        words = vocabulary(self.ctx)
        named = () if words is DEFAULT else words.features[-1].labels or (words.features[-1].name,)
        return natural_id(commit.content_hash, self.name, *parts, *named, code_version("learning"))


def sources(ctx: StageContext, scored: Sequence[DayCommit], made: Sequence[DayCommit]) -> Mapping[str, StoredSource]:
    """Return the detectors of the scored days; `made`: commits of lesson_atoms, which name each day's detectors."""
    state = LearnerState(ctx.settings.home, ctx.branch, lake=ctx.settings.lake_root)
    state.keep({commit.day for commit in scored})
    names = {commit.day: str(commit.notes["notes"].get("names", "")).split() for commit in made}
    learned = tuple(commit.day for commit in scored)
    days: dict[str, list[DayCommit]] = {}
    for commit in scored:
        for name in names.get(commit.day) or _tables_of(ctx, commit):
            days.setdefault(name, []).append(commit)
    return {name: StoredSource(ctx, state, name, tuple(days[name]), learned) for name in sorted(days)}


def make_ahead(
    found: Mapping[str, StoredSource], active: Sequence[tuple[str, Rule]], space: Axes, threads: int
) -> None:
    """Make the sums that a night will ask for and that are missing, so many detectors of a day at once.

    A detector's sums of a day are one thread's, in the order in which a night would make them: the state is the same
    for any number of threads. With one nothing is done, the night makes them itself.
    """
    if threads < 2:
        return
    believed = {name: tuple(sorted({rule for of, rule in active if of == name})) for name in found}
    due = sorted(
        ((commit.day, name, commit) for name, source in found.items() for commit in source.commits),
        key=lambda one: one[:2],
    )

    def make(one: tuple[str, str, DayCommit]) -> None:
        _, name, commit = one
        found[name].make(commit, believed[name], space)

    with ThreadPoolExecutor(threads, "sums") as pool:
        for _, of_day in groupby(due, key=lambda one: one[0]):
            first, *others = of_day
            make(first)  # reads the day's scores once for all
            list(pool.map(make, others))


def _tables_of(ctx: StageContext, commit: DayCommit) -> dict[str, DetectorRows]:
    words = vocabulary(ctx)
    key = (ctx.branch, commit.day, commit.content_hash, *words.bin_columns)
    return ctx.recent.get(
        _TABLES, key, lambda: rows_by_detector({commit.day: scores_in_context(ctx, commit)}, 1, words)
    )
