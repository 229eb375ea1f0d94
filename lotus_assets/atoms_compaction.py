"""Old lesson atoms are kept coarser: four blocks a day for the search window, then one a day, then one a week.

Nothing that a nightly run reads is touched: nightly runs read scores and the learner's state, and the newest
`search_days` learning days keep their blocks. A coarser part is written whole before the finer ones it is made of are
removed, and names their hashes, so a run killed anywhere and run again ends in the same files. A compacted day at full
resolution is made again from its scores when its lesson_atoms are materialised. In the literature: log-structured
retention, roll-ups.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from lotus.errors import LakeError
from lotus.learning.cube import LESSON_ATOMS
from lotus_assets.stages.chain import branch_lane
from lotus_assets.stages.context import StageContext
from lotus_store.atom_sums import DAILY, TABLES, WEEKLY, summed
from lotus_store.lake import Lake
from lotus_store.ledger.day_commits import committed_days

YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class Compacted:
    """Days that went from four blocks to one, and weeks (their Mondays) that took up their days."""

    days: tuple[str, ...]
    weeks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Saved:
    """What a branch's compaction did, and the bytes of all resolutions together before and after it."""

    done: Compacted
    bytes_before: int
    bytes_after: int

    def __str__(self) -> str:
        """Say it in a line."""
        days, weeks = len(self.done.days), len(self.done.weeks)
        sizes = f"{self.bytes_before / 2**20:.1f} MB became {self.bytes_after / 2**20:.1f} MB"
        return f"{days} days went to one block, {weeks} weeks took up their days: {sizes}"


def compact_branch(ctx: StageContext) -> Saved:
    """Compact what the branch has committed beyond its search window; wait for a nightly run that holds it.

    Raises `BranchHeldError` when another run holds the branch for too long.
    """
    with branch_lane(ctx):
        days = committed_days(ctx.sig, ctx.branch, LESSON_ATOMS.name)
        before = ctx.lake.stored_bytes(TABLES, ctx.branch)
        done = compact_days(ctx.lake, ctx.branch, days, ctx.manifest.learning.search_days)
        return Saved(done, before, ctx.lake.stored_bytes(TABLES, ctx.branch))


def compact_days(lake: Lake, branch: str, days: Sequence[str], keep: int) -> Compacted:
    """Compact a branch whose committed days are `days`, oldest first; the newest `keep` stay as they are.

    Raises `LakeError` when a week is there without a day that was learned again since: the week's other days are
    needed as well.
    """
    old = list(days[: max(0, len(days) - keep)])
    coarser = [day for day in old if lake.exists(LESSON_ATOMS.name, branch, day)]
    for day in coarser:
        digest = lake.hash_of(LESSON_ATOMS.name, branch, day)
        lake.write(DAILY, branch, day, summed([lake.read(LESSON_ATOMS.name, branch, day)], f"{day}={digest}"))
        lake.remove(LESSON_ATOMS.name, branch, day)
    weeks = [monday for monday, own in _weeks(days, keep) if _week(lake, branch, monday, own)]
    return Compacted(tuple(coarser), tuple(weeks))


def _weeks(days: Sequence[str], keep: int) -> Iterator[tuple[str, list[str]]]:
    """Yield the weeks (Monday, days) that ended a year before the newest day and hold none of the newest `keep`."""

    def monday(day: str) -> date:
        here = date.fromisoformat(day)
        return here - timedelta(here.weekday())

    recent = set(days[max(0, len(days) - keep) :])
    for start, group in groupby(days, monday):
        own = list(group)
        if start + timedelta(7 + YEAR_DAYS) <= date.fromisoformat(days[-1]) and recent.isdisjoint(own):
            yield start.isoformat(), own


def _week(lake: Lake, branch: str, monday: str, days: Sequence[str]) -> bool:
    """Sum the daily parts of a week into one and remove them; tell whether anything was left to do."""
    daily = {day: lake.read(DAILY.name, branch, day) for day in days if lake.exists(DAILY.name, branch, day)}
    made_of = {day: str(part["made_of"][0]) if len(part["made_of"]) else f"{day}=" for day, part in daily.items()}
    if not daily:
        return False
    held: list[str] = []
    if lake.exists(WEEKLY.name, branch, monday):
        held = " ".join(lake.read(WEEKLY.name, branch, monday, columns=("made_of",))["made_of"][:1]).split()
    if not set(made_of.values()) <= set(held):
        missing = sorted({entry.split("=")[0] for entry in held} - set(daily))
        if missing:
            raise LakeError(
                f"the week of {monday} was compacted without {', '.join(sorted(daily))} as it is now",
                f"the atoms of its other days too: materialise lesson_atoms of {', '.join(missing)}, then compact",
                "a day was learned again after its week had been compacted",
            )
        lake.write(WEEKLY, branch, monday, summed(list(daily.values()), " ".join(made_of.values())))
    for day in daily:
        lake.remove(DAILY.name, branch, day)
    return True
