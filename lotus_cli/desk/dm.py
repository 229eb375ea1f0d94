"""`lotus dm`: what the decision-maker knows of its sources, from the rows of its nightly runs alone.

Nothing is fitted or judged here; whoever loses stands in the page like whoever wins. What people tell it: `dm_hint`.
"""

from typing import Any

import click

from lotus.errors import LedgerError
from lotus_cli.desk.dm_hint import hint_command, withdraw_command
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import DAY, at_branch, settings_of_branch
from lotus_cli.terminal.tables import TableColumn, folded, numbers, table, wide_option

COLUMNS = (
    TableColumn("source"), *numbers("s", "N", "pays, bps", "reliability", "slope", "promises", "lambda", "Brier",
                                    "its base", "log", "its base"),
)  # fmt: skip
CLAIMS = (
    TableColumn("braids of"), *numbers("s", "level", "in force", "found", "s.e.", "days", "windows"),
)  # fmt: skip
CURVE = (*numbers("promises", "hits promised", "hits found", "95 %", "bps promised", "bps found"), TableColumn(""))

LEGEND = (
    "N: outcomes behind the calibration; lambda: how far it is the source's own (0: all sources', 1: its own); "
    "pays: calibrated payoff at the lowest and the highest score, before costs (silent: not positive, nothing done); "
    "reliability: weight of the source; slope: payoff found by payoff promised (1: as promised); Brier, log: scores of "
    "its promised hits, lower is better, each beside its base, that of always telling the share of hits."
)


@click.group("dm")
def dm_command() -> None:
    """The decision-maker: what it knows of its sources, and telling it what you expect."""


dm_command.add_command(hint_command)
dm_command.add_command(withdraw_command)


@dm_command.command("calibration")
@click.option(
    "--day", type=DAY, help="What was known from the evidence up to this day (default: the newest nightly run)."
)
@click.option("--source", help="Show the reliability curve of one source (det:NAME@VERSION) instead of all.")
@wide_option
@at_branch
def calibration(
    day: str | None, source: str | None, wide: bool, branch: str | None, home: str | None, as_json: bool
) -> None:
    """Show what scores are worth and how promises were kept: N, lambda, slope, Brier and log score, curves.

    `base` is the score of always telling the share of hits; lower is better. `pays` is the calibrated payoff at the
    lowest and the highest score, before costs; a source is silent where it is not positive.
    """
    from lotus_store.databases import Databases
    from lotus_store.ledger.trading.knowledge import knowledge_before, quality_of_night

    settings = settings_of_branch(home, branch=branch)
    with Databases(settings) as databases, databases.connect("dm") as dm:
        knowledge = knowledge_before(dm, settings.branch, "9999-12-31" if day is None else _after(day))
        if knowledge is None:
            cause = "`lotus backfill` and the nightly schedule materialise dm_knowledge"
            raise LedgerError(
                f"nothing is known on branch {settings.branch}", "a nightly run of the decision-maker", cause
            )
        facts = facts_of(knowledge, quality_of_night(dm, settings.branch, knowledge.day))
    facts["branch"] = settings.branch
    named = {row["source"] for row in facts["sources"]}
    if source is not None and source not in named:
        raise LedgerError(f"{source} promised nothing", f"one of {', '.join(sorted(named))}", "no outcomes yet")
    emit(facts, as_json, page(facts, source, wide))


def facts_of(knowledge: Any, quality: Any) -> dict[str, Any]:
    """Return what is known as plain data: `Knowledge` and its `SourceQuality` rows."""
    from dataclasses import asdict

    from lotus.decision.knowledge.plan_terms import in_force

    quality_by_source = {(q.source, q.horizon_s): asdict(q.found) for q in quality}
    value = {(r.source, r.horizon_s): r for r in knowledge.memory.reliabilities}
    cells = [cell for cell in knowledge.calibration.cells if not cell.key[0].endswith(":")]
    sources = []
    for key in sorted({*value, *(cell.key[:2] for cell in cells)}):
        own_cells = {cell.key[2]: cell for cell in cells if cell.key[:2] == key}
        own = own_cells.get("")
        sources.append(
            {
                "source": key[0],
                "horizon_s": key[1],
                "support": own.support if own else 0.0,
                "lambda": knowledge.calibration.shrinkage(own) if own else 0.0,
                "reliability": value[key].value if key in value else None,
                "promises": value[key].promises if key in value else 0,
                "quality": quality_by_source.get(key),
                "cells": {name or "all": _cell(cell) for name, cell in own_cells.items()},
            }
        )
    return {
        "day": knowledge.day,
        "in_force_from": _after(knowledge.day),
        "calibration_ver": knowledge.calibration.version,
        "quality": quality_by_source.get(("", 0)),
        "sources": sources,
        "alike": [[*pair, rho] for pair, rho in sorted(knowledge.correlations.items())],
        "claims": [asdict(one) for one in knowledge.claims],
        "terms": [asdict(term) for term in in_force(knowledge.terms)],
        "executors": [asdict(one) for one in knowledge.memory.executors],
        "covariance": {
            "coins": list(knowledge.covariance.coins),
            "rows": knowledge.covariance.rows,
            "hour_bps": [
                float(x) ** 0.5 for x in knowledge.covariance.over(3600.0, knowledge.covariance.coins).diagonal()
            ],
        },
    }


def page(facts: dict[str, Any], source: str | None, wide: bool = False) -> str:
    """Return the facts as lines; the curve is that of all promises, or of one source."""
    shown = [row for row in facts["sources"] if source in (None, row["source"])]
    lines = [
        folded(
            f"branch {facts['branch']}: known from the evidence up to {facts['day']}, in force from "
            f"{facts['in_force_from']}; calibration {facts['calibration_ver']}"
        ),
        table(COLUMNS, [line for row in shown for line in _lines(row)], wide) if shown else _NONE,
    ]
    curves = [("all promises", facts["quality"])]
    if source is not None:
        curves = [(f"{row['source']} at {row['horizon_s']} s", row["quality"]) for row in shown]
    for title, quality in curves:
        lines += _curve(title, quality, wide)
    lines += _claims([row for row in facts["claims"] if source in (None, row["source"])], wide)
    risk = facts["covariance"]
    deviations = ", ".join(f"{coin} {bps:.1f}" for coin, bps in zip(risk["coins"], risk["hour_bps"], strict=True))
    lines.append(folded(f"deviation of an hour, bps, from {risk['rows']} minutes: {deviations or 'too few to fit'}"))
    lines += [f"alike: {one} and {other} {rho:+.2f}" for one, other, rho in facts["alike"] if abs(rho) >= 0.3]
    lines += [
        f"term {t['term']} of {t['source']} at {t['horizon_s']} s: level {t['level_bps']:.1f} bps, gained "
        f"{t['gain_bps']:+.2f} bps a window on {t['days']} days out of sample, E {t['evidence']:.3g}"
        for t in facts["terms"]
    ]
    lines += [f"executor {e['executor']}: {e['value']:.3f} after {e['reports']} reports" for e in facts["executors"]]
    return "\n".join([*lines, "", folded(LEGEND)])


def _lines(row: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the line of a source and, below it, those of its regimes."""
    q, cells = row["quality"], row["cells"]
    slope, *scores = [f"{q[n]:.{d}f}" if q is not None else "" for n, d in _SCORES]
    value = "" if row["reliability"] is None else f"{row['reliability']:.3f}"
    first = (row["source"], str(row["horizon_s"]), f"{row['support']:.0f}", _pays(cells.get("all")), value, slope,
             str(row["promises"]), f"{row['lambda']:.2f}", *scores)  # fmt: skip
    rest = [
        (f"  {regime}", "", f"{cell['support']:.0f}", _pays(cell), *([""] * 8))
        for regime, cell in cells.items()
        if regime != "all"
    ]
    return [first, *rest]


_NONE = "no source has enough outcomes yet (`calibration.min_support` of the policy)"
_SCORES = (("slope", 2), ("brier", 5), ("brier_base", 5), ("log_score", 5), ("log_base", 5))


def _pays(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return "-"
    low, high = cell["bps"][0], cell["bps"][-1]
    return f"{low:+.2f} to {high:+.2f}" + (" silent" if high <= 0.0 else "")


def _curve(title: str, quality: dict[str, Any] | None, wide: bool) -> list[str]:
    if quality is None:
        return [f"{title}: nothing was promised yet"]
    summary = (
        f"{title}: {quality['count']:,}, slope {quality['slope']:.3f}, Brier {quality['brier']:.5f} (always the share "
        f"of hits: {quality['brier_base']:.5f}), log score {quality['log_score']:.5f} ({quality['log_base']:.5f})"
    )
    rows = [
        (f"{b['count']:,}", f"{b['promised_p']:.3f}", f"{b['hit_share']:.3f}",
         f"{b['hit_low']:.3f} to {b['hit_high']:.3f}", f"{b['promised_bps']:.3f}", f"{b['realised_bps']:.3f}",
         "" if b["hit_low"] <= b["promised_p"] <= b["hit_high"] else "outside")
        for b in quality["curve"]
    ]  # fmt: skip
    return ["", folded(summary), table(CURVE, rows, wide), ""]


def _claims(rows: list[dict[str, Any]], wide: bool) -> list[str]:
    """Return how far the claims of fired braids were kept; nothing where none fired."""
    if not rows:
        return []
    title = "claims of braids: bps paid beyond the promise of the score for each bps claimed"
    shown = [
        (r["source"], str(r["horizon_s"]), str(r["level"]), f"{r['value']:.3f}", f"{r['found']:+.3f}",
         f"{r['se']:.3f}", str(r["days"]), f"{r['windows']:,}")
        for r in rows
    ]  # fmt: skip
    return ["", title, table(CLAIMS, shown, wide), ""]


def _cell(cell: Any) -> dict[str, Any]:
    return {
        "support": cell.support, "sigma_bps": cell.sigma_bps, "half_life_s": cell.half_life_s,
        "scores": list(cell.scores), "bps": list(cell.bps),
    }  # fmt: skip


def _after(day: str) -> str:
    from lotus.timebase import next_day

    return next_day(day)
