"""Frames and quotes of old days go; the tape stays, and gives them again to the same hash.

A day may go when all of this holds. It is older than `retention.frames_days` before the last learned day, or before the
clock's if that is earlier: neither a clock set forward nor a day of the future on tape takes more. Nobody wrote its
frames within a day: what was made again to be looked at stays so long, and a clock set back keeps more. Its tape is
there, every segment with its hash, and all that the day's frames were made of. The tape gives them again: known where
code, settings and tape are those of the commit; after a change of code the day is made once more in a folder aside, and
goes only when its hash is the committed one. Else it stays, and the reason is told. The row of `day_commits` stays
always: a rebuilt day is compared with it.
Files go one by one, each whole or not at all. A day of which some are gone is a missing day to every stage, and the
next purge ends it. A reader has what it opened; one that comes later is told how the day comes back. (Literature:
rematerialisation of derived data, content addresses.)
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lotus.errors import LakeError, LotusError
from lotus.microtape.completeness import RAW_TAPE
from lotus.timebase import day_of, next_day
from lotus_assets.stages.chain import last_committed_day
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.runner import inputs_hash_of
from lotus_assets.stages.tape import microtape_frames
from lotus_resources.recent_values import RecentValues
from lotus_store.lake import REMADE, Lake
from lotus_store.ledger.day_commits import DayCommit, read_commit

STAGE = microtape_frames.STAGE
GRACE_S = 86_400.0  # what was written within this time stays
TRIALS = 4  # days of other code that are made aside in one purge at most
NOTE = "frames_stay"  # document of a day that other code does not give again: not tried twice with the same inputs


@dataclass(frozen=True, slots=True)
class FramesGone:
    """Days whose frames and quotes went in a purge, those that stay although they are old, with the reason, and bytes.

    `waiting`: old days that are left for the next purge.
    """

    days: tuple[str, ...] = ()
    stay: tuple[tuple[str, str], ...] = ()
    waiting: int = 0
    bytes_gone: int = 0


def let_frames_go(ctx: StageContext, keep_days: int, now_s: float) -> FramesGone:
    """Remove frames and quotes of days older than `keep_days` that the tape gives again; 0 removes nothing.

    `now_s`: the clock, seconds UTC.
    """
    gone, stay, waiting, trials = list[str](), list[tuple[str, str]](), 0, TRIALS
    before = ctx.lake.stored_bytes(REMADE, ctx.tape_branch) if keep_days else 0
    for day in _old_days(ctx, keep_days, now_s):
        if now_s - max(ctx.lake.written_s(name, ctx.tape_branch, day) for name in REMADE) < GRACE_S:
            waiting += 1
            continue
        try:
            commit = _taped(ctx, day)
            if inputs_hash_of(ctx, STAGE, day) != commit.inputs_hash:
                if not (noted := _noted(ctx, commit)):
                    if not trials:
                        waiting += 1
                        continue
                    trials -= 1
                    noted = _tried(ctx, commit)
                if noted != commit.content_hash:
                    raise _other(ctx, commit, noted)
        except LotusError as error:
            stay.append((day, str(error)))
            continue
        _remove(ctx, day)
        gone.append(day)
    after = ctx.lake.stored_bytes(REMADE, ctx.tape_branch) if gone else before
    return FramesGone(tuple(gone), tuple(stay), waiting, before - after)


def rebuild_frames(ctx: StageContext, day: str) -> DayCommit:
    """Make the frames and quotes of a committed day again from its tape; return its record, which they match.

    Days that are there are left as they are. Raises `LakeError` with both hashes when the tape gives other ones; then
    nothing of them stays.
    """
    commit = _committed(ctx, day)
    if _present(ctx, day) == commit.content_hash:
        return commit
    made = STAGE.make(ctx, day)
    if made.content_hash != commit.content_hash:
        _remove(ctx, day)
        raise _other(ctx, commit, made.content_hash)
    return commit


def _old_days(ctx: StageContext, keep_days: int, now_s: float) -> list[str]:
    """Return the days, oldest first, that have something to remove and are too old by the last learned day."""
    learned = last_committed_day(ctx)
    if not keep_days or learned is None:
        return []
    first = next_day(min(learned, day_of(int(now_s * 1000))), 1 - keep_days)
    days = {day for name in REMADE for day in ctx.lake.days(name, ctx.tape_branch)}
    return sorted(day for day in days if day < first)


def _present(ctx: StageContext, day: str) -> str:
    return STAGE.present(ctx, day) if STAGE.present is not None else ""


def _committed(ctx: StageContext, day: str) -> DayCommit:
    commit = read_commit(ctx.sig, ctx.tape_branch, day, STAGE.name)
    if commit is None:
        cause = f"it was never read: lotus backfill --from {day} --to {day}"
        raise LakeError(f"{STAGE.name}[{day}] is not committed on {ctx.tape_branch}", "a committed day", cause)
    return commit


def _taped(ctx: StageContext, day: str) -> DayCommit:
    """Return the record of a day whose tape is whole; raises `LotusError` naming what is not."""
    commit = _committed(ctx, day)
    if _present(ctx, day) not in ("", commit.content_hash):
        cause = f"they were written by hand or by other code: lotus backfill --from {day} --to {day}"
        raise LakeError(
            f"the frames of {day} are {_present(ctx, day)}", f"those committed, {commit.content_hash}", cause
        )
    before = next_day(day, -1)
    for listed in (before, day):
        if listed == day or ctx.lake.exists(RAW_TAPE.name, ctx.tape_branch, before):
            table = ctx.lake.read(RAW_TAPE.name, ctx.tape_branch, listed, columns=("name", "content_sha256"))
            listed_then = sorted(zip(table["name"].tolist(), table["content_sha256"].tolist(), strict=True))
            there = sorted((meta.name, meta.content_sha256) for meta in ctx.tape.segments(listed))
            if there != listed_then:
                found = f"{len(there)} segments of tape {ctx.settings.tape} on {listed}"
                raise LakeError(
                    found, f"the {len(listed_then)} that were read, with their hashes", "removed or recorded anew"
                )
    warmup = ctx.tape.warmup_segments(day)
    if commit.notes["notes"].get("warmup") and not warmup:
        raise LakeError(f"no tape of {before}", f"the hours before {day}, which warmed its frames", "removed")
    for meta in [*warmup, *ctx.tape.segments(day)]:
        ctx.tape.read_segment(meta)
    return commit


def _noted(ctx: StageContext, commit: DayCommit) -> str:
    """Return the hash that the code of today gave aside, "" where the day was not tried with the inputs of now."""
    if not ctx.lake.has_document(NOTE, ctx.tape_branch, commit.day):
        return ""
    inputs, _, digest = ctx.lake.read_document(NOTE, ctx.tape_branch, commit.day).partition(" ")
    return digest if inputs == inputs_hash_of(ctx, STAGE, commit.day) else ""


def _tried(ctx: StageContext, commit: DayCommit) -> str:
    """Make a day aside by the code of today, note its hash and return it."""
    with tempfile.TemporaryDirectory(dir=ctx.settings.home, prefix=".frames-") as aside:
        made = STAGE.make(replace(ctx, lake=Lake(aside), recent=RecentValues()), commit.day)
    inputs = inputs_hash_of(ctx, STAGE, commit.day)
    ctx.lake.write_document(NOTE, ctx.tape_branch, commit.day, f"{inputs} {made.content_hash}")
    return made.content_hash


def _other(ctx: StageContext, commit: DayCommit, digest: str) -> LakeError:
    changed = inputs_hash_of(ctx, STAGE, commit.day) != commit.inputs_hash
    cause = "code, settings or tape are not those of the commit" if changed else "the same inputs gave something else"
    again = f"today's code makes the day anew with lotus backfill --from {commit.day} --to {commit.day}"
    found, wanted = f"the tape gives frames {digest} for {commit.day}", f"those committed, {commit.content_hash}"
    return LakeError(found, wanted, f"{cause}; {again}")


def _remove(ctx: StageContext, day: str) -> None:
    for name, symbol in _files(ctx, day):
        ctx.lake.remove(name, ctx.tape_branch, day, symbol)


def _files(ctx: StageContext, day: str) -> Iterator[tuple[str, str | None]]:
    """Yield table and symbol of every part that goes; frames first, by which a day is seen to be there."""
    for name in REMADE:
        yield from ((name, symbol) for symbol in ctx.lake.symbols(name, ctx.tape_branch, day) or (None,))
