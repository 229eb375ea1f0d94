"""`lotus trade`: the trader's pre-trade estimates beside what its executions became, from the stored rows alone.

Nothing is fitted here; a plan without an estimate is counted and not measured.
"""

from typing import Any

import click

from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import at_branch, require_branch, settings_of
from lotus_cli.terminal.tables import between, fitted


@click.group("trade")
def trade_command() -> None:
    """The trader: how good its predictions were."""


@trade_command.command("predictions")
@at_branch
def predictions(branch: str | None, home: str | None, as_json: bool) -> None:
    """Measure stored predictions of fill, slippage and latency against stored outcomes, venue by venue.

    `always the share` is what telling the share of fills known before would have scored; lower is better. Quantiles
    should cover 80 % of the outcomes, and lose less than those of the past (pinball loss).
    """
    from lotus_store.databases import Databases
    from lotus_store.facts.predictions import prediction_facts
    from lotus_store.ledger.trading.outcomes import finished_plans

    settings = settings_of(home, branch=branch)
    with Databases(settings) as databases, databases.connect("tr") as tr:
        rows = finished_plans(tr, settings.branch)
    if not rows:
        require_branch(settings)
    facts = prediction_facts(rows)
    facts["branch"] = settings.branch
    emit(facts, as_json, page(facts))


def page(facts: dict[str, Any]) -> str:
    """Return the facts as lines."""
    lines = [f"branch {facts['branch']}"]
    if not facts["venues"]:
        lines.append("no plan whose entry was due has ended: nothing to measure; `lotus up --trade-day DAY` trades one")
    for row in facts["venues"]:
        lines.append(f"{row['venue']}: {row['finished']:,} plans ended, {row['with_features']:,} with known features")
        if row["quality"] is None:
            needed = f"a fit needs {facts['least']} that ended before"
            lines.append(f"  too few: none was accepted with a fitted prediction ({needed})")
        else:
            lines += _measured(row["quality"])
        lines += _rested(row)
    lines += [
        f"executor {one['venue']}:{one['strategy']}: adherence {one['adherence']:.3f}, success "
        f"{one['success_rate']:.3f} after {one['reports']:,} reports (shrunk towards one half)"
        for one in facts["executors"]
    ]
    return fitted("\n".join(lines))


def _rested(row: dict[str, Any]) -> list[str]:
    """Return how good predictions of entries at rest were, whether they are heard, and what hints were worth."""
    lines = []
    if row["rest"] is not None:
        lines += _forecasts("filled at rest", row["rest"])
        voice = (
            "is asked before a plan of the book rests" if row["rest"]["is_heard"] else "is not asked: not shown better"
        )
        lines.append(f"    its hint {voice}")
    elif row["at_rest"]:
        lines.append(f"  filled at rest: {row['at_rest']:,} entries were to rest, none with a fitted prediction")
    for one in row["hints"]:
        lines.append(
            f"  hint {one['hint'] or '(nothing known)'}: joining paid {one['gain_bps']:+.2f} bps more than crossing "
            f"({between(one['interval'])}), {one['joined']:,} drawn to join and {one['crossed']:,} to cross"
        )
    return lines


def _forecasts(what: str, quality: dict[str, Any]) -> list[str]:
    gain = "" if quality["gain"] is None else ", better by {:+.5f} to {:+.5f}".format(*quality["gain"])
    lines = [
        f"  {what}: {quality['count']:,} predictions, Brier {quality['brier']:.5f} (always the share: "
        f"{quality['brier_reference']:.5f}{gain})"
    ]
    return lines + [
        f"    {one['count']:>7,} told {one['mean']:.3f} found {one['share']:.3f}" for one in quality["reliability"]
    ]


def _measured(quality: dict[str, Any]) -> list[str]:
    lines = _forecasts("fill", quality)
    for name, unit in (("slippage", "bps"), ("latency", "ms")):
        score = quality[name]
        if score is None:
            lines.append(f"  {name}: no estimate of what could be measured")
            continue
        lines.append(
            f"  {name}: {score['count']:,} predictions, pinball loss {score['pinball']:.3f} {unit} (the past's own "
            f"quantiles: {score['pinball_reference']:.3f}), {score['coverage']:.0%} within, 80% expected"
        )
    return lines
