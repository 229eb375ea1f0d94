"""governance_day[day]: what the night was made of, as one hash, and whether the learning helps.

The last stage of a learning day: it names the content of every stage before it in a fixture bundle, chained to the
bundle of the learning day before, and sums what lessons promised, paid and cost. Nothing steers by it. The daily brief
is its document (`pages.daily_brief`).
"""

from collections.abc import Mapping, Sequence

from lotus.experts.fusion import default_experts
from lotus.experts.weekly.learned import experts_with
from lotus.governance.braid_days import BRAID_DAYS, braid_days
from lotus.governance.fixture_bundle import BundleTable, FixtureBundle, RawSegment
from lotus.governance.learning_kpis import (
    KPI_DAYS,
    LEARNING_DAY,
    LEARNING_KPIS,
    LearningKpi,
    kpi_columns,
    learning_day,
    learning_kpis,
)
from lotus.governance.metric_regression import (
    METRIC_DAY,
    READ,
    MovedMetric,
    as_first_measured,
    metric_day,
    moved_metrics,
)
from lotus.governance.survival import PatchLife
from lotus.hashing import natural_id
from lotus.microtape.completeness import RAW_TAPE
from lotus.timebase import days_between
from lotus_assets.catalogue import LEARNING_ASSETS, TAPE, TAPE_ASSETS
from lotus_assets.code_version import code_version
from lotus_assets.stages.chain import commit_of, content_of, day_before
from lotus_assets.stages.context import Cell, CheckOutcome, Made, Stage, StageContext, TextTable
from lotus_assets.stages.history import commits_before, detectors_of
from lotus_assets.stages.lake_tables import Columns, LakeTable, TablePart, joint_hash, present_of
from lotus_assets.stages.learning.asset_context import scores_in_context, vocabulary
from lotus_assets.stages.learning.woven import rows_of
from lotus_assets.stages.schema_check import schema_check, together
from lotus_assets.stages.shared_columns import read_shared
from lotus_assets.stages.tape.reading import LATE
from lotus_resources.recent_values import RecentKind
from lotus_store.build import lock_sha256
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.braids import patch_lives, read_registry
from lotus_store.ledger.beliefs.expert_sets import expert_set_on
from lotus_store.ledger.day_commits import DayCommit
from lotus_store.ledger.fixture_bundles import put_bundle

NAME = "governance_day"
PARTS = [TablePart(BRAID_DAYS), TablePart(LEARNING_DAY), TablePart(LEARNING_KPIS), TablePart(METRIC_DAY)]
ENTRIES = (*TAPE_ASSETS, *LEARNING_ASSETS)
_PAST = RecentKind("learning days", 128)


def stages_before() -> tuple[tuple[str, bool], ...]:
    """Return the stages of a day that run before this one, each with whether it belongs to the tape alone.

    What nothing reads and a reader of many days leaves for the end is not among them: the night is not made of it.
    """
    late = {stage.name for stage in LATE}
    return tuple((entry.name, entry.group == TAPE) for entry in ENTRIES[: _place()] if entry.name not in late)


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """All stages of the day, and this one of the learning days before that the numbers are summed over."""
    past = commits_before(ctx, NAME, day, KPI_DAYS)
    return {
        **{one.stage: one.content_hash for one in _tables(ctx, day)},
        "days before": natural_id(*(commit.content_hash for commit in past)),
    }


def make(ctx: StageContext, day: str) -> Made:
    """Sum the day and the last 30 learning days, and leave the bundle to the commit."""
    lives = _lives(ctx, day)
    board = read_registry(ctx.sig, ctx.branch, before) if (before := day_before(ctx, day)) else []
    own = learning_day(
        day, _scores(ctx, day), [b for b in board if b.experiment is not None and b.in_force],
        sum(first == day for first, _ in lives), vocabulary(ctx),
    )  # fmt: skip
    paid = braid_days(board, rows_of(ctx, day, 1))
    past = commits_before(ctx, NAME, day, KPI_DAYS - 1)
    found = learning_kpis(
        [*(_read(ctx, commit, LEARNING_DAY.name) for commit in past), own],
        [*(_read(ctx, commit, BRAID_DAYS.name) for commit in past), paid],
        [_life(first, last, day) for first, last in lives],
        ctx.manifest.outcomes.probe_notional_usd,
    )
    metrics, steady = _metrics(ctx, day)
    tables = (paid, own, kpi_columns(found), metrics)
    written = [ctx.lake.write(p.spec, ctx.branch, day, t).content_hash for p, t in zip(PARTS, tables, strict=True)]
    bundle = _bundle(ctx, day, past)

    def ledger(connection: Connection) -> None:
        put_bundle(connection, bundle, lock_sha256())

    notes: dict[str, Cell] = {
        "fixtures_hash": bundle.fixtures_hash,
        "parent": bundle.parent,
        "patches": int(own["patches"][0]),
        "lessons_in_force": len(paid["braid_id"]),
    }
    checks = together("schema", *(schema_check(p.spec, t) for p, t in zip(PARTS, tables, strict=True)))
    content = natural_id(joint_hash(PARTS, written), bundle.fixtures_hash)
    return Made(len(bundle.tables), content, (checks, steady), notes, _table(found), ledger=ledger)


def _bundle(ctx: StageContext, day: str, past: list[DayCommit]) -> FixtureBundle:
    """Return the bundle of the day, after that of the newest learning day before."""
    return FixtureBundle(
        branch=ctx.branch,
        tape=ctx.settings.tape,
        day=day,
        parent=str(past[-1].notes["notes"]["fixtures_hash"]) if past else "",
        universe=tuple(asset.name for asset in ctx.manifest.universe),
        seed=ctx.manifest.score.seed,
        manifest_ver=ctx.manifest.version,
        code_ver=code_of_day(),
        raw=_raw(ctx, day),
        tables=tuple(_tables(ctx, day)),
    )


def _raw(ctx: StageContext, day: str) -> tuple[RawSegment, ...]:
    """Return the closed segments of the day as they were read, also where the tape was pruned since."""
    listed = ctx.lake.read(RAW_TAPE.name, ctx.tape_branch, day, columns=("name", "content_sha256"))
    return tuple(map(RawSegment, listed["name"].tolist(), listed["content_sha256"].tolist()))


def code_of_day() -> str:
    """Return the version of all code that the stages of a day use, without those that come after this one."""
    return code_version(*sorted({package for entry in ENTRIES[: _place() + 1] for package in entry.packages}))


def _place() -> int:
    return [entry.name for entry in ENTRIES].index(NAME)


def _tables(ctx: StageContext, day: str) -> list[BundleTable]:
    branches = [(ctx.tape_branch if of_tape else ctx.branch, stage) for stage, of_tape in stages_before()]
    return [BundleTable(branch, stage, content_of(ctx, branch, day, stage)) for branch, stage in branches]


def _metrics(ctx: StageContext, day: str) -> tuple[LakeTable, CheckOutcome]:
    """Return METRIC_DAY and whether what stood there before has moved; what has, stays as it was measured first."""
    in_force = expert_set_on(ctx.sig, ctx.branch, day)
    experts = experts_with(in_force.learned).version if in_force else default_experts().version
    raw = content_of(ctx, ctx.tape_branch, day, "raw_tape")
    events = read_shared(ctx, "signal_events", commit_of(ctx, ctx.branch, day, "signal_events"), READ)
    spec_ids = {spec.detector_id: spec.spec_id for spec in detectors_of(ctx, day)}
    found = metric_day(events, spec_ids, experts, raw)
    if not ctx.lake.exists(METRIC_DAY.name, ctx.branch, day):
        return found, steady_check([], len(found["metric"]))
    before = ctx.lake.read(METRIC_DAY.name, ctx.branch, day)
    moved = moved_metrics(before, found)
    return as_first_measured(before, found, moved), steady_check(moved, len(found["metric"]))


def steady_check(moved: Sequence[MovedMetric], count: int) -> CheckOutcome:
    """No number of a detector version moves when its day is made again."""
    text = "; ".join(one.words for one in moved)[:400] or f"{count} numbers, each as it was first measured"
    return CheckOutcome("metric_regression", not moved, text, {"numbers": count, "moved": len(moved)})


def _lives(ctx: StageContext, day: str) -> list[tuple[str, str | None]]:
    """Return the first day and the day of the end (None: it lives) of every patch up to the night of a day."""
    return patch_lives(ctx.sig, ctx.branch, day)


def _life(first: str, last: str | None, day: str) -> PatchLife:
    return PatchLife(len(days_between(first, last or day)) - 1, last is not None)


def _scores(ctx: StageContext, day: str) -> Columns:

    return scores_in_context(ctx, commit_of(ctx, ctx.branch, day, "payoff_scores"))


def _read(ctx: StageContext, commit: DayCommit, table: str) -> Columns:
    key = (ctx.branch, commit.day, commit.content_hash, table)
    return ctx.recent.get(_PAST, key, lambda: ctx.lake.read(table, ctx.branch, commit.day))


def _table(found: list[LearningKpi]) -> TextTable:
    rows = [(one.kpi, one.value, one.low, one.high, one.n, one.unit) for one in found]
    return TextTable(("number", "value", "low", "high", "n", "unit"), rows)


STAGE = Stage(NAME, inputs, make, present_of(PARTS))
