"""detector_cards[day]: the card of every detector version after the day, and its stage of life.

Sums run over the last 20 learning days; the table of the day before is the memory of the lifecycle. Checks of the day's
scoring that concern the detectors, and the day's audits of each, stand on the cards.
"""

from collections.abc import Mapping, Sequence

from lotus.detectors.audits.table import DETECTOR_AUDITS, card_audits
from lotus.detectors.cards.card_facts import AuditResult
from lotus.detectors.cards.card_table import DETECTOR_CARDS, Columns, detector_cards
from lotus.detectors.cards.lifecycle import LifecycleStage
from lotus.detectors.daily.make import QUALITY_DAYS
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.registry import specs_ver
from lotus.timebase import next_day
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import Cell, Made, Stage, StageContext, TextTable
from lotus_assets.stages.experts.expert_set import experts_of
from lotus_assets.stages.history import commits_before, detectors_of, digests_before, hashes
from lotus_assets.stages.lake_tables import TablePart, joint_hash, present_of
from lotus_assets.stages.schema_check import schema_check
from lotus_store.day_tables import tables_of_day
from lotus_store.ledger.day_commits import read_commit

PARTS = [TablePart(DETECTOR_CARDS)]
AUDITS = ("no_look_ahead", "overlap")


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """Events, tables and outcomes of the last 20 days, the day's own first of all, and the cards before them."""
    _, history = digests_before(ctx, next_day(day), detectors_of(ctx, day), QUALITY_DAYS)
    return {
        "signal_events": content_of(ctx, ctx.branch, day, "signal_events"),
        "signal_eval": content_of(ctx, ctx.branch, day, "signal_eval"),
        "detector_audits": content_of(ctx, ctx.branch, day, "detector_audits"),
        "experts": experts_of(ctx, day).version,
        "specs": specs_ver(detectors_of(ctx, day)),
        **history,
        **hashes(commits_before(ctx, STAGE.name, day, 1)),
    }


def make(ctx: StageContext, day: str) -> Made:
    """Write the day's cards."""
    detectors = detectors_of(ctx, day)
    history, _ = digests_before(ctx, next_day(day), detectors, QUALITY_DAYS)
    tables = _tables(ctx, [h.day for h in history])
    before = commits_before(ctx, STAGE.name, day, 1)
    cards_before = ctx.lake.read(DETECTOR_CARDS.name, ctx.branch, before[0].day) if before else None
    rows = detector_cards(history, tables, detectors, _audits(ctx, day), cards_before, experts_of(ctx, day).version)
    written = ctx.lake.write(DETECTOR_CARDS, ctx.branch, day, rows)
    names = zip(rows["detector_id"].tolist(), rows["spec_version"].tolist(), rows["card"].tolist(), strict=True)
    cards = {f"card_{name}_v{version}": str(card) for name, version, card in names}
    stages = rows["stage"].tolist()
    notes: dict[str, Cell] = {stage.value: stages.count(stage.value) for stage in LifecycleStage}
    joined = joint_hash(PARTS, [written.content_hash])
    checks = (schema_check(DETECTOR_CARDS, rows),)
    return Made(written.rows, joined, checks, notes, _overview(rows), documents=cards)


def _audits(ctx: StageContext, day: str) -> list[AuditResult]:
    """Return the checks of the day's scoring that concern detectors, as they were committed, and the day's audits."""
    commit = read_commit(ctx.sig, ctx.branch, day, "signal_events")
    checks = commit.notes["checks"] if commit else []
    results = [AuditResult(c["name"], bool(c["passed"]), str(c["text"])) for c in checks if c["name"] in AUDITS]
    return [*results, *card_audits(ctx.lake.read(DETECTOR_AUDITS.name, ctx.branch, day))]


def _tables(ctx: StageContext, days: Sequence[str]) -> list[DayTables]:
    """Return the tables in force on `days` (rising), in the same order."""
    return [tables_of_day(ctx.lake, ctx.branch, day) for day in days]


def _overview(rows: Columns) -> TextTable:
    header = ("detector_id", "spec_version", "stage", "since", "published", "sq_score", "net_bps", "net_low_bps",
              "net_high_bps")  # fmt: skip
    return TextTable(header, list(zip(*(rows[name].tolist() for name in header), strict=True)))


STAGE = Stage("detector_cards", inputs, make, present_of(PARTS))
