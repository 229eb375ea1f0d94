"""`lotus curate`: acts of people on detectors and coins, and what of everybody's acts is in force."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Concatenate

import click

from lotus.curation.act import CurationKind
from lotus.curation.law import MOST_DAYS
from lotus.detectors.curators import MOST_OF_PEOPLE
from lotus_cli.terminal.options import options_as
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import NAME, Finite, at_branch, settings_of_branch
from lotus_cli.terminal.tables import TableColumn, numbers, table, wide_option
from lotus_herald.keys import Keys
from lotus_modules.sig.board import AskedAct, submit
from lotus_store.databases import Databases
from lotus_store.facts.acts import acts_facts
from lotus_store.lake import Lake

_ACTS = (TableColumn("act"), TableColumn("who"), TableColumn("does"), TableColumn("on"), *numbers("log"),
         TableColumn("from"), TableColumn("until"), TableColumn("state"), TableColumn("why", least=20))  # fmt: skip
_CURATORS = (TableColumn("module"), TableColumn("curator"), TableColumn("veto"), *numbers("cap"),
             *numbers("windows", "value, bps", "low", "high", "vetoed", "regret, bps"),
             TableColumn("found, or shown by", least=20))  # fmt: skip

_KPIS = (("nudged", "d"), ("value_bps", "+.1f"), ("value_low", "+.1f"), ("value_high", "+.1f"), ("vetoed", "d"),
         ("regret_bps", "+.2f"))  # fmt: skip


@click.group("curate")
def curate_command() -> None:
    """Nudge a detector's score a little, veto a detector or a coin, sign a card off, lift an act. Every act has an
    author and a reason, is in force from the second day after the last one learned, and ends by itself. Nobody
    promotes anything.
    """


@dataclass(frozen=True, slots=True)
class CurateOptions:
    """What every act is told."""

    subject: str
    days: int
    author: str
    reason: str
    branch: str | None
    home: str | None
    as_json: bool


def act_options(command: Callable[Concatenate[CurateOptions, ...], None]) -> Callable[..., None]:
    """Add the options of an act: --days, --author and --reason (required), --branch, --home and --json."""
    lasts = click.option(
        "--days", type=click.IntRange(1, MOST_DAYS), default=MOST_DAYS, show_default=True, help="How long it holds."
    )
    why = click.option("--reason", required=True, help="Why, kept with the act and told with what it does.")
    by = click.option("--author", type=NAME, required=True, help="Who speaks.")
    return lasts(by(why(at_branch(options_as(CurateOptions)(command)))))


@curate_command.command("propose")
@click.argument("subject", metavar="DETECTOR")
@click.option("--log", type=Finite(-MOST_OF_PEOPLE, MOST_OF_PEOPLE), required=True, help="What is added to ln sigma.")
@act_options
def propose(options: CurateOptions, log: float) -> None:
    """Nudge the score of DETECTOR: ln sigma plus LOG, people together within 0.05, everybody within min(0.15, T)."""
    _submit(AskedAct(CurationKind.NUDGE, options.author, options.reason, options.subject, log, options.days), options)


@curate_command.command("veto")
@click.argument("subject", metavar="TARGET")
@click.option("--now", is_flag=True, help="Hold also from a running daemon's next window on, by a record of its tape.")
@act_options
def veto(options: CurateOptions, now: bool) -> None:
    """Publish nothing of TARGET: DETECTOR, @COIN or DETECTOR@COIN. Its payoffs are measured on.

    With --now a running daemon, or the next one that starts, obeys it until the tables of a day carry it.
    """
    asked = AskedAct(CurationKind.VETO, options.author, options.reason, options.subject, days=options.days, at_once=now)
    _submit(asked, options)


@curate_command.command("sign-off")
@click.argument("subject", metavar="DETECTOR")
@act_options
def sign_off(options: CurateOptions) -> None:
    """Say that you have read the card of DETECTOR and stand for it. It is shown on the card while it lasts, and moves
    no score.
    """
    _submit(
        AskedAct(CurationKind.SIGN_OFF, options.author, options.reason, options.subject, days=options.days), options
    )


@curate_command.command("lift")
@click.argument("subject", metavar="ACT_ID")
@act_options
def lift(options: CurateOptions) -> None:
    """End an act; one of a curator is not renewed either for as long as this holds. What leakage, data and compliance
    did is lifted by nobody.
    """
    asked = AskedAct(CurationKind.LIFT, options.author, options.reason, days=options.days, revokes=options.subject)
    _submit(asked, options)


@curate_command.command("summary")
@wide_option
@at_branch
def summary(wide: bool, branch: str | None, home: str | None, as_json: bool) -> None:
    """Show the acts in force or to come, and every curator with what it may do."""
    settings = settings_of_branch(home, branch=branch)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        facts = acts_facts(sig, Lake(settings.lake_root), settings.branch)
    emit(facts, as_json, _text(facts, wide))


def _submit(asked: AskedAct, options: CurateOptions) -> None:
    settings = settings_of_branch(options.home, branch=options.branch)
    with Databases(settings) as databases:
        act = submit(databases, settings.branch, asked, settings.manifest, Keys(settings.keys_root))
        emit(asdict(act), options.as_json)


def _text(facts: dict[str, Any], wide: bool) -> str:
    acts = [
        (a["act_id"], a["actor"], a["kind"], a["target"], f"{a['value']:+.4f}" if a["value"] else "", a["from_day"],
         a["until_day"], a["state"], a["reason"])
        for a in facts["acts"]
    ]  # fmt: skip
    curators = [
        (c["module"], c["name"], "yes" if c["vetoes"] else "", f"{c['cap']:.3f}" if c["cap"] else "",
         *(_number(c[name], form) for name, form in _KPIS), c["found"] or c["kpi"])
        for c in facts["curators"]
    ]  # fmt: skip
    head = f"{len(acts)} acts after {facts['day'] or 'no committed day'}"
    shown = [table(_ACTS, acts, wide)] if acts else []
    return "\n".join([head, *shown, "", table(_CURATORS, curators, wide)])


def _number(value: float | int | None, form: str) -> str:
    return "" if value is None else format(value, form)
