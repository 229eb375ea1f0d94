"""`lotus pnl --break-even`: at which fee tier and in which style of entry each detector would pay, losing ones too."""

from dataclasses import asdict
from typing import Any

import numpy as np

from lotus.errors import ConfigError
from lotus.outcomes.style_table import STYLE_PAYOFFS
from lotus.trading.accounts.break_even import BreakEven, break_even
from lotus_cli.terminal.tables import TableColumn, folded, numbers, table
from lotus_store.config import Settings
from lotus_store.facts.words import day_ranges
from lotus_store.lake import Lake
from lotus_venues.fees import TIERS

READING = (
    "Edge is what a probe of a published window moved, less spread, slippage and funding, before fees, in bps with a "
    "95 % interval over blocks of time; at rest the pessimistic fill counts, and what was not filled in time crossed. "
    "It is the tape's run, not what was executed. Net is edge less the fees of a tier of the venue; tier 0 is where an "
    "account begins. One interval for each row, not corrected for their number."
)
_COLUMNS = ("detector_id", "window_end_ms", "cross", "join_low", "join_rested_low", "improve_low", "improve_rested_low")


def break_even_of(settings: Settings, first: str | None, last: str | None) -> tuple[list[str], tuple[BreakEven, ...]]:
    """Return the days that are in it, and the rows; raises `ConfigError` where no day has what windows paid at rest."""
    lake, name = Lake(settings.lake_root), STYLE_PAYOFFS.name
    there = lake.days(name, settings.branch)
    days = [day for day in there if (first or day) <= day <= (last or day)]
    if not days:
        found = f"branch {settings.branch} has no {name}" + (f" from {first} to {last}" if first or last else "")
        raise ConfigError(found, f"one of {day_ranges(there)}", "run lotus backfill over days with a tape")
    parts = [lake.read(name, settings.branch, day, columns=_COLUMNS) for day in days]
    rows = {column: np.concatenate([part[column] for part in parts]) for column in _COLUMNS}
    outcomes = settings.manifest.outcomes
    paid = (outcomes.taker_fee_bps, outcomes.maker_fee_bps)
    return days, break_even(rows, paid, [(taker, maker) for _, taker, maker in TIERS])


def as_json(days: list[str], rows: tuple[BreakEven, ...]) -> dict[str, Any]:
    """Return plain values."""
    tiers = [{"tier": k, "volume_usd": usd, "taker_bps": t, "maker_bps": m} for k, (usd, t, m) in enumerate(TIERS)]
    facts = [asdict(r) | {"pays_from": r.pays_from, "shown_from": r.shown_from, "verdict": r.verdict} for r in rows]
    return {"days": days, "tiers": tiers, "break_even": facts}


def text(days: list[str], rows: tuple[BreakEven, ...], wide: bool) -> str:
    """Return the table for a terminal."""
    columns = (
        TableColumn("detector"), TableColumn("style"), *numbers("windows", "at rest", "edge, bps", "95 %"),
        TableColumn("verdict"), *numbers(*(f"net, tier {tier}" for tier in range(len(TIERS)))),
    )  # fmt: skip
    lines = [
        (r.detector, r.style, f"{r.windows:,}", f"{100 * r.rested:.0f} %", f"{r.edge_bps:+.2f}", _range(r), r.verdict,
         *(f"{net:+.2f}" for net in r.nets))
        for r in rows
    ]  # fmt: skip
    title = f"BREAK EVEN   {days[0]} to {days[-1]}, every published window in each style of entry"
    return "\n\n".join([title, table(columns, lines, wide), folded(READING)])


def _range(row: BreakEven) -> str:
    return "too few blocks" if row.edge_interval is None else "{:+.2f} to {:+.2f}".format(*row.edge_interval)
