"""raw_tape[day]: verify the closed segments of a day and account for every minute of it.

Writes the list of segments and the completeness per minute to the lake, and segments, gaps and quarantined lines to the
catalogue in the sig database. The lines themselves stay where the recorder, importer or simulator put them.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.errors import TapeError
from lotus.microtape.completeness import RAW_TAPE, TAPE_COMPLETENESS, completeness
from lotus.microtape.gaps import Gap, find_gaps
from lotus.microtape.wire.reasons import DecodeReport
from lotus_assets.stages.context import CheckOutcome, Made, Plot, Stage, StageContext, TextTable
from lotus_assets.stages.lake_tables import TablePart, joint_hash, present_of
from lotus_assets.stages.tape.tape_input import read_day, tape_hash
from lotus_store.databases import Connection
from lotus_store.ledger.signals import segments as catalogue
from lotus_store.tape.segment import SegmentMeta
from lotus_store.tape.store import raw_tape_columns

PARTS = [TablePart(RAW_TAPE), TablePart(TAPE_COMPLETENESS)]
Columns = Mapping[str, NDArray[np.generic]]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The closed segments of the day."""
    return {"segments": tape_hash(ctx, day, warmup=False)}


def make(ctx: StageContext, day: str) -> Made:
    """Read every segment, decode, find gaps; a damaged segment fails the check `segments_intact`."""
    segments = ctx.tape.segments(day)
    try:
        decoded = read_day(ctx, day, keep=True)
    except TapeError as error:
        damaged = CheckOutcome("segments_intact", False, str(error), {"segments": len(segments)})
        return Made(0, "", (damaged, CheckOutcome("gaps_accounted", False, "not looked at: a segment is damaged")))
    batch, report = decoded.events, decoded.report
    n_assets, gap_ms = len(ctx.manifest.universe), ctx.manifest.kernel.gap_ms
    sessions = ctx.tape.header().session_hours
    gaps = find_gaps(batch, n_assets, gap_ms, sessions)
    minutes = completeness(batch, n_assets, gap_ms, sessions)
    tables = (raw_tape_columns(segments), minutes)
    hashes = [
        ctx.lake.write(part.spec, ctx.tape_branch, day, table).content_hash
        for part, table in zip(PARTS, tables, strict=True)
    ]
    text = f"{len(segments)} segments, {report.lines} lines, every hash as recorded"
    intact = CheckOutcome("segments_intact", True, text, {"segments": len(segments), "lines": report.lines})

    def ledger(connection: Connection) -> None:
        _list(connection, ctx, day, segments, gaps, report)

    return Made(
        rows=report.lines,
        content_hash=joint_hash(PARTS, hashes),
        checks=(intact, accounted(minutes, gaps, gap_ms, max(1, len(sessions)))),
        notes={"gaps": len(gaps), "quarantined": len(report.quarantine), "duplicates": report.duplicates,
         "late_share": round(report.late_share, 6)},
        table=TextTable(("what a line became", "lines"), sorted(report.kinds.items())),
        plot=_plot(ctx, day, minutes),
        ledger=ledger,
    )  # fmt: skip


def accounted(minutes: Columns, gaps: Sequence[Gap], gap_ms: int, pieces: int) -> CheckOutcome:
    """Expected minus covered time of every asset is the time of its gaps (and of edges too short to be one)."""
    assets = np.asarray(minutes["asset"])
    worst = 0.0
    for asset in np.unique(assets).tolist():
        own_rows = assets == asset
        missing_s = float(np.sum(minutes["expected_s"][own_rows]) - np.sum(minutes["covered_s"][own_rows]))
        worst = max(worst, abs(missing_s - sum(gap.seconds for gap in gaps if gap.asset == asset)))
    slack_s = 2 * pieces * gap_ms / 1000 + 1.0
    numbers = {"gaps": len(gaps), "largest_unexplained_s": worst, "slack_s": slack_s}
    text = f"{len(gaps)} gaps; of no asset more than {worst:.1f} s are missing without one"
    return CheckOutcome("gaps_accounted", worst <= slack_s, text, numbers)


def _list(
    connection: Connection,
    ctx: StageContext,
    day: str,
    segments: Sequence[SegmentMeta],
    gaps: Sequence[Gap],
    report: DecodeReport,
) -> None:
    tape, names = ctx.settings.tape, [asset.name for asset in ctx.manifest.universe]
    for meta in segments:
        stamps = (meta.first_recv_ns, meta.last_recv_ns)
        row = catalogue.Segment(
            tape, meta.path, day, meta.content_sha256, meta.lines, meta.stored_bytes, *stamps, {"lines": meta.lines}
        )
        catalogue.put_segment(connection, row)
    rows = [catalogue.TapeGap(names[g.asset], g.start_ms, g.end_ms, "edge" if g.edge else "silence") for g in gaps]
    catalogue.write_gaps(connection, tape, day, rows)
    odd = [catalogue.QuarantinedRow(q.seq, q.reason.name.lower(), "", q.text) for q in report.quarantine]
    catalogue.write_quarantine(connection, tape, day, odd)


def _plot(ctx: StageContext, day: str, minutes: Columns) -> Plot:
    assets = np.asarray(minutes["asset"])
    names = [asset.name for asset in ctx.manifest.universe]
    series = {name: minutes["messages"][assets == i].astype(np.float64).tolist() for i, name in enumerate(names)}
    return Plot(f"messages per minute, {day}", series)


STAGE = Stage("raw_tape", inputs, make, present_of(PARTS, on_tape=True))
