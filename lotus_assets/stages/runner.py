"""Run one stage of one day: skip what is committed, compute, check, commit.

A stage is committed by one row of `day_commits`, written in the transaction of the stage's ledger rows after its lake
files are in place. Killed anywhere, it is either committed or done again from the start, with the same result. Idea in
the literature: idempotent tasks, content-addressed builds.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from lotus.errors import BeliefError, LakeError
from lotus.hashing import natural_id
from lotus_assets.catalogue import BY_NAME, TAPE
from lotus_assets.code_version import code_version
from lotus_assets.stages.context import CheckOutcome, Made, Stage, StageContext, StageResult
from lotus_resources.recent_values import RecentKind, RecentValues
from lotus_store.ledger.day_commits import DayCommit, commit_day, read_commit
from lotus_store.ledger.fixture_bundles import put_cost
from lotus_store.ledger.retention import forgotten_day

# results made in this home, so that a later report of the same work shows its tables and times
_FRESH = RecentKind("results", 256)


def run_stage(ctx: StageContext, stage: Stage, day: str) -> StageResult:
    """Return the committed stage of `day`; with `failed_checks` nothing was committed.

    Raises the stage's own `LotusError` when an input is missing or unreadable.
    """
    began, cpu = time.perf_counter(), time.thread_time()
    inputs_hash = inputs_hash_of(ctx, stage, day)
    committed = _standing(ctx, stage, day, inputs_hash)
    if committed is not None:
        if stage.finish is not None:
            stage.finish(ctx, day)
        return _reused(ctx, stage, day, committed, time.perf_counter() - began)
    _refuse_forgotten(ctx, stage, day)
    looked = time.perf_counter()
    joined = None if stage.join is None else stage.join(ctx, day)
    made = joined or stage.make(ctx, day)
    worked = time.perf_counter()
    seconds = {"look": looked - began, **made.seconds, "make": worked - looked - sum(made.seconds.values())}
    result = _result(stage, day, made, inputs_hash, seconds)
    if result.failed_checks:
        return result
    _same_again(ctx, result)
    with ctx.sig.transaction():
        if made.ledger is not None:
            made.ledger(ctx.sig)
        commit_day(
            ctx.sig,
            DayCommit(
                branch=branch_of(ctx, stage),
                day=day,
                stage=stage.name,
                content_hash=made.content_hash,
                rows=made.rows,
                inputs_hash=inputs_hash,
                notes=_notes(made),
            ),
        )
        put_cost(ctx.sig, branch_of(ctx, stage), day, stage.name, time.thread_time() - cpu, worked - began)
    if stage.finish is not None:
        stage.finish(ctx, day)
    seconds["commit"] = time.perf_counter() - worked
    done = replace(result, seconds=seconds, cpu_s=time.thread_time() - cpu)
    return ctx.recent.put(_FRESH, (inputs_hash, made.content_hash), done)


def stands(ctx: StageContext, stage: Stage, day: str) -> bool:
    """Tell whether `run_stage` would find the day committed; raises when an input is missing or unreadable."""
    return _standing(ctx, stage, day, inputs_hash_of(ctx, stage, day)) is not None


def take_over(recent: RecentValues, results: Iterable[StageResult]) -> None:
    """Keep what was made in this home by another process as if it had been made here: a later report shows it."""
    for result in results:
        if not (result.reused or result.failed_checks):
            recent.put(_FRESH, (result.inputs_hash, result.content_hash), result)


def branch_of(ctx: StageContext, stage: Stage) -> str:
    """Return the branch that a stage's rows and files belong to: that of the tape for what needs no beliefs."""
    return ctx.tape_branch if BY_NAME[stage.name].group == TAPE else ctx.branch


def _standing(ctx: StageContext, stage: Stage, day: str, inputs_hash: str) -> DayCommit | None:
    """Return the commit that is what these inputs give and whose files are there; never one where `force` asks."""
    committed = None if ctx.force else read_commit(ctx.sig, branch_of(ctx, stage), day, stage.name)
    if committed is None or committed.inputs_hash != inputs_hash:
        return None
    return committed if _present(ctx, stage, day) in (None, committed.content_hash) else None


def _refuse_forgotten(ctx: StageContext, stage: Stage, day: str) -> None:
    """Raise `BeliefError` where rows of the outside that a day was learned from went: what is left would teach less."""
    if BY_NAME[stage.name].group == TAPE:
        return
    until = forgotten_day(ctx.sig, ctx.branch)
    if day <= until:
        cause = f"retention.rows_days let go what the daemon logged and what was tried until {until}"
        wanted = f"a day after it; the days of {ctx.branch} before it stay as they were learned, or use another branch"
        raise BeliefError(f"{stage.name}[{day}] cannot be made again", wanted, cause)


def _same_again(ctx: StageContext, result: StageResult) -> None:
    """Raise `LakeError` where what the tape alone gives is not what the same tape, code and settings gave before."""
    if BY_NAME[result.stage].group != TAPE:
        return
    before = read_commit(ctx.sig, ctx.tape_branch, result.day, result.stage)
    if before and before.inputs_hash == result.inputs_hash and before.content_hash != result.content_hash:
        found, wanted = f"{result.stage}[{result.day}] is {result.content_hash}", f"{before.content_hash}, as committed"
        raise LakeError(found, wanted, "the same tape, code and settings: another machine, or what is not in the code")


def inputs_hash_of(ctx: StageContext, stage: Stage, day: str) -> str:
    """Return the hash of inputs, code and settings that a stage's day has now; raises when an input is missing."""
    inputs = stage.inputs(ctx, day)
    code = code_version(*BY_NAME[stage.name].packages)
    parts = [word for name in sorted(inputs) for word in (name, inputs[name])]
    return natural_id(stage.name, day, branch_of(ctx, stage), code, ctx.manifest.version, *parts)


def _present(ctx: StageContext, stage: Stage, day: str) -> str | None:
    return None if stage.present is None else stage.present(ctx, day)


def _notes(made: Made) -> dict[str, object]:
    checks = [
        {"name": c.name, "passed": c.passed, "text": c.text, "numbers": dict(c.numbers), "unseen": c.unseen}
        for c in made.checks
    ]
    return {"notes": dict(made.notes), "checks": checks}


def _result(stage: Stage, day: str, made: Made, inputs_hash: str, seconds: Mapping[str, float]) -> StageResult:
    return StageResult(
        stage=stage.name,
        day=day,
        rows=made.rows,
        content_hash=made.content_hash,
        inputs_hash=inputs_hash,
        seconds=seconds,
        checks=made.checks,
        notes=made.notes,
        table=made.table,
        plot=made.plot and made.plot.thinned(),
        documents=made.documents,
    )


def _reused(ctx: StageContext, stage: Stage, day: str, committed: DayCommit, seconds: float) -> StageResult:
    checks = tuple(
        CheckOutcome(c["name"], c["passed"], c["text"], c["numbers"], c.get("unseen", False))
        for c in committed.notes["checks"]
    )
    bare = StageResult(
        stage=stage.name,
        day=day,
        rows=committed.rows,
        content_hash=committed.content_hash,
        inputs_hash=committed.inputs_hash,
        seconds={"look": seconds},
        checks=checks,
        notes=committed.notes["notes"],
        reused=True,
    )
    return ctx.recent.get(_FRESH, (committed.inputs_hash, committed.content_hash), lambda: bare)
