"""The chain of days of one branch: which days have tape, and whether the day before is committed.

Days without tape carry beliefs over, so the day before is the last day with tape. The first committed day of a branch
runs on the genesis priors. Nothing is computed here; every refusal names what to materialise.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from lotus.errors import BeliefError
from lotus.hashing import key64
from lotus.timebase import next_day
from lotus_assets.stages.context import StageContext
from lotus_store.ledger.day_commits import DayCommit, commits_of_days, first_commit, last_commits, read_commit

LAST_STAGE = "active_priors"
NEVER = "9999-12-31"
LOCK_WAIT_S = 120.0


class BranchHeldError(BeliefError):
    """Another run walks the days of the branch."""


@contextmanager
def branch_lane(ctx: StageContext, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Hold the branch: only one process walks its days at a time.

    The lock is a PostgreSQL advisory lock of the context's own connection, so that it ends with the process however
    that ends. Raises `BranchHeldError` when another run holds the branch for longer than `wait_s`.
    """
    key = key64("lane", ctx.branch) - 2**63
    deadline = time.monotonic() + wait_s
    while ctx.sig.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone() != (True,):
        if time.monotonic() > deadline:
            cause = "a backfill or a nightly run is at work; look for it in the Dagster UI"
            raise BranchHeldError(f"branch {ctx.branch} is held by another run", "one run per branch", cause)
        time.sleep(0.2)
    try:
        yield
    finally:
        if not ctx.sig.closed:
            ctx.sig.execute("SELECT pg_advisory_unlock(%s)", [key])


def tape_days(ctx: StageContext) -> list[str]:
    """Return the days of the tape that have a closed segment, oldest first."""
    return ctx.tape.days(strictly=True)


def learning_days(ctx: StageContext, days: Iterable[str]) -> list[str]:
    """Return those of `days` that have tape, oldest first; the others carry beliefs over and need no work."""
    return sorted(day for day in days if ctx.tape.has(day))


def last_committed_day(ctx: StageContext) -> str | None:
    """Return the last day of the branch whose priors are committed, or None at its beginning."""
    newest = last_commits(ctx.sig, ctx.branch, LAST_STAGE, NEVER, 1)
    return newest[0].day if newest else None


def day_before(ctx: StageContext, day: str) -> str | None:
    """Return the committed day whose beliefs `day` runs on, or None when the branch begins with `day`.

    Raises `BeliefError` when a day with tape lies uncommitted between, or when the branch began after `day`.
    """
    first = first_commit(ctx.sig, ctx.branch, LAST_STAGE)
    if first is None or first.day == day:
        return None
    if first.day > day:
        cause = "a branch is not extended backwards; use another branch"
        raise BeliefError(f"branch {ctx.branch} begins on {first.day}", f"a day after it, not {day}", cause)
    last = _tape_day_before(ctx, day) or last_commits(ctx.sig, ctx.branch, LAST_STAGE, NEVER, 1)[0].day
    if read_commit(ctx.sig, ctx.branch, last, LAST_STAGE) is None:
        cause = f"materialise active_priors[{last}] (and the stages before it) on branch {ctx.branch} first"
        raise BeliefError(f"{day} has no beliefs: {last} is not committed", "every day in order", cause)
    return last


def _tape_day_before(ctx: StageContext, day: str) -> str | None:
    """Return the last day with tape before `day`; mostly the day before, and then no other day is looked at."""
    yesterday = next_day(day, -1)
    if ctx.tape.has(yesterday):
        return yesterday
    return next((d for d in reversed(tape_days(ctx)) if d < day), None)


def commit_of(ctx: StageContext, branch: str, day: str, stage: str) -> DayCommit:
    """Return the record of a committed stage; raises `BeliefError` naming it when it is not committed."""
    commit = read_commit(ctx.sig, branch, day, stage)
    if commit is None:
        raise BeliefError(f"{stage}[{day}] is not committed on {branch}", "its inputs first", f"materialise {stage}")
    return commit


def content_of(ctx: StageContext, branch: str, day: str, stage: str) -> str:
    """Return the content hash of a committed stage; raises as `commit_of`."""
    return commit_of(ctx, branch, day, stage).content_hash


def version_of(ctx: StageContext, day: str) -> str:
    """Return the priors version that a committed day proposed."""
    commit = read_commit(ctx.sig, ctx.branch, day, LAST_STAGE)
    if commit is None:
        raise BeliefError(f"{LAST_STAGE}[{day}] is not committed on {ctx.branch}", "a committed day")
    return str(commit.notes["notes"]["priors_ver"])


def committed_work(ctx: StageContext, days: Iterable[str]) -> dict[tuple[str, str], DayCommit]:
    """Return the committed stages of days, those of the tape included, by (day, stage)."""
    wanted = sorted(set(days))
    commits = [c for branch in (ctx.tape_branch, ctx.branch) for c in commits_of_days(ctx.sig, branch, wanted)]
    return {(c.day, c.stage): c for c in commits}
