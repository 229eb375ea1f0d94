"""drift_report[day]: the day's sketches against those of days like it, and the e-detectors carried on.

The e-detectors stand in the reports themselves: a day goes on from the last committed one, so a repeated day ends in
the same report. Nothing is stopped and no belief changes: a family in alarm fails the advisory check `drift`.
"""

from collections.abc import Mapping

import numpy as np

from lotus.modules.messages.monitoring import WORD, MonitorAlert, shown
from lotus.monitoring.drift import REPORTS, drift_report
from lotus.monitoring.drift_table import DRIFT_REPORT, DriftReport, counts_of
from lotus.monitoring.e_detector import ALARM
from lotus.monitoring.like_days import LOOK_BACK
from lotus.monitoring.sketch_table import FAMILIES, sketches_of
from lotus.timebase import day_start_ms, days_between, next_day
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import Cell, CheckOutcome, Made, Stage, StageContext, TextTable
from lotus_assets.stages.history import commits_before, hashes
from lotus_assets.stages.lake_tables import TablePart, joint_hash, present_of
from lotus_assets.stages.monitoring.past_days import readable_reports, readable_sketches
from lotus_assets.stages.schema_check import schema_check
from lotus_herald.keys import Keys
from lotus_modules.sig.monitored import tell_monitor
from lotus_store.databases import Connection

PARTS = [TablePart(DRIFT_REPORT)]
SHOWN = 12  # series of the stage's table


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The day's sketches, those of 180 days before, and their reports."""
    return {
        "day_sketches": content_of(ctx, ctx.branch, day, "day_sketches"),
        **hashes(commits_before(ctx, "day_sketches", day, LOOK_BACK)),
        **hashes(commits_before(ctx, STAGE.name, day, REPORTS)),
    }


def make(ctx: StageContext, day: str) -> Made:
    """Compare the day, write its report, tell alarms."""
    past, lost = readable_sketches(ctx, day, LOOK_BACK)
    reports, lost_reports = readable_reports(ctx, day, REPORTS)
    sketches = sketches_of(ctx.lake.read("day_sketches", ctx.branch, day))
    report = drift_report(day, sketches, past, [one for _, one in reports], ctx.manifest.score.seed)
    rows = report.columns()
    written = ctx.lake.write(DRIFT_REPORT, ctx.branch, day, rows)
    days = {"unreadable_days": lost + lost_reports, "missing_days": _missing(reports[-1][0], day) if reports else 0}
    alerts = alerts_of(ctx.branch, day, report)

    def ledger(connection: Connection) -> None:
        for alert in alerts:
            tell_monitor(connection, alert, Keys(ctx.settings.keys_root))

    notes: dict[str, Cell] = {**counts_of(np.asarray(rows["verdict"]).tolist()), **days}
    return Made(
        rows=written.rows,
        content_hash=joint_hash(PARTS, [written.content_hash]),
        checks=(schema_check(DRIFT_REPORT, rows), drift_check(report, notes)),
        notes=notes,
        table=_highest(report),
        ledger=ledger if alerts else None,
    )


def alerts_of(branch: str, day: str, report: DriftReport) -> list[MonitorAlert]:
    """Return one alarm per named series of a family in alarm, at the end of the day."""
    found, expected, r = (report.floats(name) for name in ("found", "expected", "r"))
    out = []
    for row in np.flatnonzero(np.asarray(report.numbers["is_named"])).tolist():
        family, *subject = report.names[row]
        out.append(
            MonitorAlert(
                branch=branch,
                time_ms=day_start_ms(next_day(day)),
                kind=f"drift_{family}",
                subject=shown(" ".join(filter(None, subject)), WORD),
                found=f"{found[row]:.6g}, sum of bets {r[row]:.0f}",
                expected=f"{expected[row]:.6g} on like days; family mean below {ALARM:.0f}",
            )
        )
    return out


def drift_check(report: DriftReport, notes: Mapping[str, Cell]) -> CheckOutcome:
    """Tell which families are in alarm, and what was not tested and why."""
    family = np.array([name.family for name in report.names])
    mean, named = report.floats("family_r"), np.asarray(report.numbers["is_named"], np.bool_)
    means = {one: float(mean[family == one].max(initial=0.0)) for one in FAMILIES}
    alarms = [one for one, r in means.items() if r >= ALARM]
    untested = ", ".join(f"{count} {reason}" for reason, count in notes.items() if count and reason != "tested")
    numbers: dict[str, Cell] = {f"r_{one}": round(r, 3) for one, r in means.items()}
    numbers |= {"tested": notes["tested"], "series": len(report.names), "unreadable_days": notes["unreadable_days"]}
    text = f"{notes['tested']} of {len(report.names)} series tested" + (f" ({untested})" if untested else "")
    if alarms:
        who = [" ".join(filter(None, name)) for name, one in zip(report.names, named, strict=True) if one]
        text = f"{', '.join(f'{one} at {means[one]:.0f}' for one in alarms)}: {'; '.join(who)}. {text}"
    return CheckOutcome("drift", not alarms, text, numbers, unseen=not alarms and notes["tested"] == 0)


def _missing(last: str, day: str) -> int:
    """Return how many days lie between the last report and this one: without tape, or never reported."""
    return len(days_between(last, day)) - 2


def _highest(report: DriftReport) -> TextTable:
    """Return the series with the largest r."""
    header = ("like_days", "found", "expected", "x", "p", "e", "r", "psi", "ks")
    order = np.argsort(-report.floats("r"), kind="stable")[:SHOWN]
    columns = [report.floats(name)[order].tolist() for name in header]
    names = [" ".join(filter(None, report.names[row])) for row in order.tolist()]
    return TextTable(("series", *header), list(zip(names, *columns, strict=True)))


STAGE = Stage("drift_report", inputs, make, present_of(PARTS))
