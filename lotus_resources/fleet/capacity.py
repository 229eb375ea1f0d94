"""How much of everything so many coins and years would need, from what days of this home took.

Rates are of a coin and an hour of covered tape, so a day with gaps or sessions counts as what it holds. What grows with
coins is scaled by coins; what a night takes beside that is in it too, so few coins say too much of many. CPU seconds
are those of the stages' own threads: what Dagster, the server and helpers take is not in them. Prices are given by
whoever asks. The demo's coins are busier than most.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lotus.errors import LedgerError
from lotus.microtape.completeness import TAPE_COMPLETENESS
from lotus_store.config import Settings
from lotus_store.databases import Connection
from lotus_store.lake import Lake
from lotus_store.ledger.day_commits import read_commits
from lotus_store.postgres.queries import query

DAYS_A_YEAR, HOURS = 365.25, 24.0
GB, TB = 1e9, 1e12
FRAMES_KEPT_DAYS = 92
FRAMES = ("microtape_frames", "microtape_quotes", "microtape_prints")


@dataclass(frozen=True, slots=True)
class HomeRates:
    """What a coin-hour took over `days` days of `coins` coins: numbers, bytes on disk, CPU seconds."""

    days: int
    coins: int
    coin_hours: float
    messages: float
    tape_bytes: float
    frames: float
    frame_bytes: float
    other_bytes: float
    tape_cpu_s: float
    night_cpu_s: float


@dataclass(frozen=True, slots=True)
class CapacityRow:
    """A line of the table: what, how much a day and over all years, the unit, USD (None: it has no price)."""

    what: str
    a_day: float
    in_all: float
    unit: str
    usd: float | None


def rates_of(settings: Settings, sig: Connection, tape_branch: str, tape_stages: Collection[str]) -> HomeRates:
    """Return the rates of a home; raises `LedgerError` before a day was learned, or where the lake is no folder."""
    lake, branch = Lake(settings.lake_root), settings.branch
    commits = {c.day: c for c in read_commits(sig, tape_branch, "raw_tape")}
    frames = {c.day: c for c in read_commits(sig, tape_branch, "microtape_frames")}
    costs = _costs(sig, (branch, tape_branch))
    whole = {"raw_tape", "signal_events"}
    days = [d for d in sorted(commits.keys() & frames.keys()) if whole <= costs.get(d, {}).keys()]
    if not days or "://" in settings.lake_root:
        cause = "no day was backfilled here, or its costs are of an earlier release, or the lake is in a bucket"
        raise LedgerError("no day with its costs is known", "a home with some learned days", cause)
    minutes = (lake.read(TAPE_COMPLETENESS.name, tape_branch, d, columns=("covered_s",)) for d in days)
    covered = sum(float(np.sum(one["covered_s"])) for one in minutes)
    tables = {name: _bytes(Path(settings.lake_root), name, days) for name in _tables(Path(settings.lake_root))}
    of_frames = sum(tables.get(name, 0) for name in FRAMES)
    tape = sum(p.stat().st_size for p in (settings.tape_root / settings.tape).rglob("*") if p.is_file())
    seconds = [(stage in tape_stages, cpu) for d in days for stage, cpu in costs[d].items()]
    return HomeRates(
        len(days), len(settings.manifest.universe), covered / 3600.0,
        float(sum(commits[d].rows for d in days)), tape * len(days) / max(1, len(commits)),
        float(sum(frames[d].rows for d in days)), float(of_frames), float(sum(tables.values()) - of_frames),
        sum(cpu for is_tape, cpu in seconds if is_tape), sum(cpu for is_tape, cpu in seconds if not is_tape),
    )  # fmt: skip


def capacity(
    rates: HomeRates, symbols: int, years: float, tb_month_usd: float, core_hour_usd: float
) -> list[CapacityRow]:
    """Return the table of so many coins and years, tape around the clock; storage by the month, cores in all."""
    daily, days = symbols * HOURS / rates.coin_hours, years * DAYS_A_YEAR

    def grows(what: str, total: float, scale: float, unit: str, price: float | None, kept: float = days) -> CapacityRow:
        a_day = total * daily / scale
        in_all = a_day * min(kept, days)
        return CapacityRow(what, a_day, in_all, unit, None if price is None else in_all * price)

    gb_month = tb_month_usd * GB / TB
    return [
        grows("messages", rates.messages, 1e6, "million", None),
        grows("tape", rates.tape_bytes, GB, "GB", gb_month),
        grows("frames, all kept", rates.frame_bytes, GB, "GB", gb_month),
        grows(f"frames, {FRAMES_KEPT_DAYS} days kept", rates.frame_bytes, GB, "GB", gb_month, FRAMES_KEPT_DAYS),
        grows("other tables", rates.other_bytes, GB, "GB", gb_month),
        grows("tape to scores' inputs", rates.tape_cpu_s, 3600.0, "core-hours", core_hour_usd),
        grows("scores and learning", rates.night_cpu_s, 3600.0, "core-hours", core_hour_usd),
    ]


def _costs(sig: Connection, branches: Collection[str]) -> Mapping[str, Mapping[str, float]]:
    out: dict[str, dict[str, float]] = {}
    for day, stage, cpu_s in sig.execute(query("sig", "costs_by_day"), [list(branches)]):
        out.setdefault(str(day), {})[str(stage)] = float(cpu_s)
    return out


def _tables(lake: Path) -> list[str]:
    return sorted(p.name for p in lake.iterdir() if p.is_dir() and not p.name.startswith("."))


def _bytes(lake: Path, table: str, days: Collection[str]) -> int:
    wanted = {f"day={day}" for day in days}
    return sum(p.stat().st_size for p in (lake / table).rglob("*.parquet") if wanted & set(p.parts))
