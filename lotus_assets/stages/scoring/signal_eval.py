"""signal_eval[day]: what became of the windows whose longest horizon matured on the day.

Windows come from the day and the one before; only tape up to the day's end is read. Written once and complete. Windows
in which the daemon's log differs from what is recomputed are left out: nothing is learned from them. What a venue told
of published windows stands in the place of the run against the tape (`lotus.outcomes.executed`); what our own machine
prevented is void, counted by reason in the notes, which also say what the same draws paid with beliefs and without.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from lotus.detectors.daemon_log import taught
from lotus.detectors.entry_style import EntryStyle
from lotus.detectors.registry import resting_entries
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.hashing import natural_id
from lotus.microtape.prints import MICROTAPE_PRINTS
from lotus.outcomes.evaluate import mature
from lotus.outcomes.executed import Answered, with_executions
from lotus.outcomes.signal_eval import GAP, OK, signal_eval_spec
from lotus.outcomes.styles import declared
from lotus.timebase import day_start_ms, next_day
from lotus.trading.accounts.belief_money import belief_money
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import CheckOutcome, Made, Stage, StageContext, TextTable
from lotus_assets.stages.lake_tables import Columns, LakeTable, TablePart, joint_hash, present_of
from lotus_assets.stages.schema_check import schema_check
from lotus_assets.stages.scoring.outcome_tape import first_end_ms, style_tape
from lotus_assets.stages.shared_columns import hand_on, read_shared
from lotus_store.columns import coded, concatenated, places_of
from lotus_store.databases import Connection
from lotus_store.ledger.day_commits import read_commit
from lotus_store.ledger.signals.events import write_eval
from lotus_store.ledger.signals.executions import EXECUTIONS_TOLD, Execution, executions_of

EVENT_COLUMNS = (
    "event_id", "detector_id", "asset", "window_start_ms", "window_end_ms", "close_recv_ns", "horizon_s", "s",
    "spread_bps", "x_funding", "published", "veto",
)  # fmt: skip
DRAWN = ("eligible", "pi", "u0", "draw", "fired")  # what beliefs changed about a window
WITHOUT_PAPER = "without_paper"  # note: whole windows of a signal without a modelled payoff (no spread at the close)


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """Events and tape of the day, and of the day before where they exist."""
    executed, prints = [row for rows in _by_venue(ctx, day) for row in rows], MICROTAPE_PRINTS.name
    return {
        **two_days(ctx, ctx.branch, day, "signal_events"),
        **two_days(ctx, ctx.tape_branch, day, "microtape_frames"),
        **(two_days(ctx, ctx.tape_branch, day, prints) if resting_entries() else {}),
        **({"executions": natural_id(*map(repr, executed))} if executed else {}),
    }


def two_days(ctx: StageContext, branch: str, day: str, stage: str) -> dict[str, str]:
    """Return the content hashes of a stage on `day` and, where it is committed, on the day before."""
    digests = {f"{stage}[{day}]": content_of(ctx, branch, day, stage)}
    before = read_commit(ctx.sig, branch, next_day(day, -1), stage)
    if before is not None:
        digests[f"{stage}[{before.day}]"] = before.content_hash
    return digests


def make(ctx: StageContext, day: str) -> Made:
    """Mature the due windows, write their outcomes, check them."""
    spec = signal_eval_spec(ctx.manifest.outcomes.horizons_s)
    read = read_maturing(ctx, day, (*EVENT_COLUMNS, *DRAWN))
    due = taught(read)
    events = {name: values[due] for name, values in read.items()}
    executed, elsewhere = _by_venue(ctx, day)
    rows, answered = _as_executed(matured_rows(ctx, day, events), executed, elsewhere)
    written = ctx.lake.write(spec, ctx.branch, day, rows)

    def ledger(connection: Connection) -> None:
        fires = places_of(rows["event_id"], events["event_id"][events["s"] != 0.0]) >= 0
        signals = {name: values[fires] for name, values in rows.items()}
        write_eval(connection, ctx.branch, day, signals, ctx.manifest.outcomes.horizons_s)

    notes = {
        "due": len(rows["event_id"]),
        "dropped_by_gap": int((rows["status"] == GAP).sum()),
        WITHOUT_PAPER: _without_paper(rows),
        EXECUTIONS_TOLD: len(executed),
        "executed_at_venue": sum(answer.answered for answer in answered),
        "detectors_taught_by_venue": sum(answer.teaches for answer in answered),
        **_money(events, rows, ctx.manifest.outcomes.probe_notional_usd),
        **{f"void_{reason}": n for reason, n in sorted(Counter(row.void for row in executed if row.void).items())},
    }
    checks = (schema_check(spec, rows), dropped_check(rows))
    joined = joint_hash(_parts(ctx), [written.content_hash])
    hand_on(ctx, spec, day, joined, rows)
    return Made(
        rows=written.rows, content_hash=joined, checks=checks, notes=notes, table=_per_detector(rows), ledger=ledger
    )


def matured_rows(ctx: StageContext, day: str, events: LakeTable) -> LakeTable:
    """Return the outcomes of due windows from tape alone, each detector's in the style that it declares."""
    plans, tape = resting_entries(), style_tape(ctx, day, prints=bool(resting_entries()))
    rows = mature(events, tape.quotes, tape.gaps, ctx.manifest, day)
    return declared(rows, events, tape, plans, ctx.manifest, day_start_ms(next_day(day))) if plans else rows


def read_events(ctx: StageContext, day: str, columns: tuple[str, ...]) -> LakeTable:
    """Return columns of SIGNAL_EVENTS of the day before (where committed) and of `day`."""
    commits = [read_commit(ctx.sig, ctx.branch, d, "signal_events") for d in (next_day(day, -1), day)]
    return concatenated(
        [read_shared(ctx, "signal_events", commit, columns) for commit in commits if commit is not None]
    )


def read_maturing(ctx: StageContext, day: str, columns: tuple[str, ...]) -> LakeTable:
    """Return the same, of the day before from the first window on that matures on `day`: few do."""
    parts: list[Columns] = []
    for d in (next_day(day, -1), day):
        if (commit := read_commit(ctx.sig, ctx.branch, d, "signal_events")) is not None:
            read = read_shared(ctx, "signal_events", commit, (*columns, "window_end_ms"), SIGNAL_EVENTS)
            late = np.flatnonzero(read["window_end_ms"].astype(np.int64) >= first_end_ms(ctx.manifest, day))
            parts.append({name: read[name][late[0] if len(late) else len(read[name]) :] for name in columns})
    return concatenated(parts)


def read_outcomes(ctx: StageContext, day: str, columns: Sequence[str] | None = None) -> LakeTable:
    """Return columns of SIGNAL_EVAL of a day, all of them unless some are named; raises `LakeError` without them."""
    names = columns or signal_eval_spec(ctx.manifest.outcomes.horizons_s).names
    commit = read_commit(ctx.sig, ctx.branch, day, "signal_eval")
    if commit is None:
        return ctx.lake.read("signal_eval", ctx.branch, day, columns=names)
    return read_shared(ctx, "signal_eval", commit, names)


def dropped_check(rows: Columns) -> CheckOutcome:
    """Every due window is either whole, with a return at every horizon, or dropped by the tape's rule alone."""
    whole, published = rows["status"] == OK, np.isfinite(rows["payoff_y"].astype(np.float64))
    moves = [values.astype(np.float64) for name, values in rows.items() if name.startswith("fwd_ret_bps_")]
    is_finite = np.all([np.isfinite(values) for values in moves], axis=0)
    numbers = {
        "whole": int(whole.sum()),
        "dropped": int((~whole).sum()),
        "published_whole": int((whole & published).sum()),
        "whole_without_return": int(np.count_nonzero(whole & ~is_finite)),
        "dropped_with_return": int(np.count_nonzero(~whole & is_finite)),
        "unmatured": int(np.count_nonzero(~whole & (rows["status"] != GAP))),
    }
    wrong = numbers["whole_without_return"] + numbers["dropped_with_return"] + numbers["unmatured"]
    text = f"{numbers['dropped']} of {len(whole)} due windows dropped by a gap or the end of the tape; {wrong} wrong"
    return CheckOutcome("gaps_accounted", wrong == 0, text, numbers)


def executions(ctx: StageContext, day: str) -> list[Execution]:
    """Return the executions of the windows that mature on the day, at the venue that answered for most of them."""
    return _by_venue(ctx, day)[0]


def _by_venue(ctx: StageContext, day: str) -> tuple[list[Execution], list[Execution]]:
    """Return the executions of the windows that mature on the day at the venue that answered for most, and others.

    The others are those of a desk's further venues: paper and a venue are never mixed.
    """
    longest_ms = 1000 * max(ctx.manifest.outcomes.horizons_s)
    begin_ms, end_ms = day_start_ms(day), day_start_ms(next_day(day))
    executions = executions_of(ctx.sig, ctx.branch, begin_ms - longest_ms, end_ms - longest_ms)
    venues = Counter(row.venue for row in executions)
    most = max(sorted(venues), key=venues.__getitem__, default="")
    own = [row for row in executions if row.venue == most]
    return own, [row for row in executions if row.venue != most and source_of([row]) == source_of(own) == "venue"]


def _as_executed(
    rows: LakeTable, executed: Sequence[Execution], elsewhere: Sequence[Execution]
) -> tuple[LakeTable, list[Answered]]:
    apart = frozenset(row.event_id for row in executed if _is_tried(row)) | {row.event_id for row in elsewhere}
    payoffs = {row.event_id: row.payoff_bps for row in executed if not row.void and row.event_id not in apart}
    filled = frozenset(row.event_id for row in executed if row.outcome == "closed")
    return with_executions(rows, payoffs, filled, source_of(executed), apart)


def _is_tried(row: Execution) -> bool:
    """Return whether a window was executed in another style than its detector declares: that is the trader's."""
    declared_entry = resting_entries().get(row.detector_id)
    wanted = EntryStyle.CROSS if declared_entry is None else declared_entry.style
    return not is_in_style(row, wanted)


def is_in_style(row: Execution, style: EntryStyle) -> bool:
    """Return whether a window was entered in a style; one that was refused is in every one."""
    return row.outcome == "refused" or row.body["report"].get("styles", {}).get("entry", EntryStyle.CROSS) == style


def source_of(executed: Sequence[Execution]) -> str:
    """Return the word for who executed."""
    return "paper_live" if executed and executed[0].venue == "paper" else "venue"


def _without_paper(rows: Columns) -> int:
    is_finite = [np.isfinite(rows[name].astype(np.float64)) for name in ("hit", "payoff_p")]
    return int(np.count_nonzero((rows["status"] == OK) & is_finite[0] & ~is_finite[1]))


def _money(events: LakeTable, rows: Columns, notional_usd: float) -> dict[str, float]:
    """Return what the due windows paid with beliefs and without, USD, and how many each side published."""
    at = places_of(rows["event_id"], events["event_id"])
    payoff = np.full(len(events["event_id"]), np.nan)
    payoff[at[at >= 0]] = rows["payoff_p"].astype(np.float64)[at >= 0]
    style = belief_money(events, {EntryStyle.CROSS: payoff}, notional_usd).styles[0]
    sides = {"with_beliefs": style.with_beliefs, "without_beliefs": style.without}
    paid = {f"{name}_usd": round(side.usd, 6) for name, side in sides.items()}
    return paid | {f"{name}_windows": side.windows for name, side in sides.items()}


def _parts(ctx: StageContext) -> list[TablePart]:
    return [TablePart(signal_eval_spec(ctx.manifest.outcomes.horizons_s))]


def _per_detector(rows: Columns) -> TextTable:
    lines, is_whole = [], rows["status"] == OK
    names, detector_at = coded(rows["detector_id"])
    for detector, at in sorted((name, at) for at, name in enumerate(names)):
        own_rows = (detector_at == at) & is_whole
        paper, real = rows["payoff_p"][own_rows].astype(np.float64), rows["payoff_y"][own_rows].astype(np.float64)
        filled = real[np.isfinite(real)]
        lines.append((detector, int(own_rows.sum()), _mean(paper), len(filled), _mean(filled)))
    return TextTable(("detector", "whole windows", "mean P, bps", "probes", "mean Y, bps"), lines)


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


STAGE = Stage("signal_eval", inputs, make, present_of(_parts))
