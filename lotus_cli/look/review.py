"""`lotus review`: the braid registry of a module. An act is a message; the next nightly run decides on it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Concatenate

import click

from lotus.errors import ConfigError
from lotus.modules.intents import Module
from lotus.weave.braid import Braid
from lotus.weave.review import LIFTS, REASON_CODES, ActKind, ReviewAct, reviewers
from lotus_cli.look.lessons_page import composition_lines
from lotus_cli.look.reviewed import judged_lines, judged_rows
from lotus_cli.look.wish import lift_command, wish_command, wish_lines, wish_rows
from lotus_cli.terminal.options import options_as
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import NAME, Finite, at_branch, module_option, settings_of_branch
from lotus_cli.terminal.tables import TableColumn, numbers, table, wide_option
from lotus_herald.keys import Keys
from lotus_modules.priors.rollback import named, submit
from lotus_store.databases import Connection, Databases
from lotus_store.facts.braids import braid_facts, experiment_facts, experiment_words
from lotus_store.facts.compositions import composition_rows
from lotus_store.ledger.beliefs import knob_nights
from lotus_store.ledger.beliefs.braids import read_registry
from lotus_store.ledger.beliefs.review_values import reviewers_judged
from lotus_store.ledger.beliefs.reviews import read_outcomes, read_reviews, review_rows
from lotus_store.ledger.day_commits import committed_days
from lotus_store.ledger.trading.wishes import all_wishes


@click.group("review")
def review_command() -> None:
    """Approve, reject, extend, attenuate, raise the bounds of braids, freeze or lower their level of trust; wish the
    decision-maker a small nudge of a coin. Every act has an author, none raises a grade or a level.
    """


review_command.add_command(wish_command)
review_command.add_command(lift_command)


@dataclass(frozen=True, slots=True)
class ActOptions:
    """What every act on a braid is told."""

    module: str
    braid_id: str
    author: str
    note: str
    branch: str | None
    home: str | None
    as_json: bool


def act_options(command: Callable[Concatenate[ActOptions, ...], None]) -> Callable[..., None]:
    """Add the options of an act: --author (required), --note, --module, --branch, --home and --json."""
    noted = click.option("--note", default="", help="Free text, kept with the act.")
    by = click.option("--author", type=NAME, required=True, help="Who speaks.")
    return by(noted(module_option(at_branch(options_as(ActOptions)(command)))))


sure_option = click.option(
    "--confidence", type=Finite(0.0, 1.0), help="Your probability that it turns out right; scored after 30 days."
)


@review_command.command("list")
@click.option("--all", "everything", is_flag=True, help="Ended braids too.")
@wide_option
@module_option
@at_branch
def list_braids(everything: bool, wide: bool, module: str, branch: str | None, home: str | None, as_json: bool) -> None:
    """Show a module's braid registry, acts that wait for the next nightly run, results of the others, the reviewers and
    how their acts of 30 days ago turned out, wishes for the decision-maker, and the trader's compositions across
    modules.
    """
    settings = settings_of_branch(home, branch=branch)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        with databases.connect(module) as own:
            registry = registry_of(own, settings.branch, module)
            outcomes = read_outcomes(own, settings.branch, module)
            rows = review_rows(own, settings.branch, module=module)
        acts = [row.act for row in rows]
        judged = judged_rows(*reviewers_judged(sig, settings.branch, module, rows))
        with databases.connect("dm") as dm:
            wishes = all_wishes(dm, settings.branch)
        days = committed_days(sig, settings.branch, "tr_braids")
        with databases.connect("tr") as tr:
            composed = composition_rows(tr, settings.branch, days[-1], everything) if days else []
    done = {o.act.act_id for o in outcomes}
    shown = [b for b in registry if everything or b.state in ("proposed", "active", "sunset")]
    facts = {
        "braids": [_row(b) for b in shown],
        "waiting": [asdict(a) for a in acts if a.act_id not in done],
        "outcomes": [asdict(o) for o in outcomes],
        "reviewers": [asdict(r) for r in reviewers(outcomes, registry)],
        **judged,
        "wishes": wish_rows(wishes),
        "compositions": composed,
    }
    emit(facts, as_json, _text(facts, wide))


@review_command.command("approve")
@click.argument("braid_id")
@click.option("--lifts", type=NAME, help="The act on it that waits: the next nightly run leaves it out, no more.")
@sure_option
@act_options
def approve(options: ActOptions, lifts: str | None, confidence: float | None) -> None:
    """Approve a braid, or lift a rejection or what holds its level; grade and level stay what the evidence gave it."""
    if lifts and confidence is not None:
        raise ConfigError("--lifts with --confidence", "one of them", "an act that leaves another out has no outcome")
    _submit("approve", options, reason=f"{LIFTS}{lifts}" if lifts else "", confidence=confidence)


@review_command.command("reject")
@click.argument("braid_id")
@click.option("--reason", type=click.Choice(REASON_CODES), required=True, help="Reason code.")
@sure_option
@act_options
def reject(options: ActOptions, reason: str, confidence: float | None) -> None:
    """Take a braid's patch away, or stop an experiment; its axes stay out until its time ends or it is approved."""
    _submit("reject", options, reason=reason, confidence=confidence)


@review_command.command("extend")
@click.argument("braid_id")
@act_options
def extend(options: ActOptions) -> None:
    """Extend a time to live, once, where the blocks since selection show the effect again."""
    _submit("extend", options)


@review_command.command("attenuate")
@click.argument("braid_id")
@click.option("--factor", type=Finite(0.0, 1.0, min_open=True), required=True, help="Lambda in (0, 1].")
@act_options
def attenuate(options: ActOptions, factor: float) -> None:
    """Weaken a braid: (lambda dtheta, phi^lambda)."""
    _submit("attenuate", options, factor=factor)


@review_command.command("raise-cap")
@click.argument("braid_id")
@click.option("--factor", type=Finite(1.0, 1.1), required=True, help="At most 1.1 in all.")
@act_options
def raise_cap(options: ActOptions, factor: float) -> None:
    """Widen the bounds of one braid; the total bounds of its detector stay."""
    _submit("raise_cap", options, factor=factor)


@review_command.command("freeze")
@click.argument("braid_id")
@click.option("--reason", type=click.Choice(REASON_CODES), required=True, help="Reason code.")
@act_options
def freeze(options: ActOptions, reason: str) -> None:
    """Let a braid's level of trust rise no more until it is approved; it may still fall."""
    _submit("freeze", options, reason=reason)


@review_command.command("lower")
@click.argument("braid_id")
@click.option("--reason", type=click.Choice(REASON_CODES), required=True, help="Reason code.")
@act_options
def lower(options: ActOptions, reason: str) -> None:
    """Take one level of trust from a braid; it does not come back until the braid is approved and earns it."""
    _submit("lower", options, reason=reason)


def _submit(
    kind: ActKind, options: ActOptions, reason: str = "", factor: float = 1.0, confidence: float | None = None
) -> None:
    """Send an act on a braid of the branch; raises `ConfigError` for another one."""
    module = Module(options.module)
    settings = settings_of_branch(options.home, branch=options.branch)
    act = ReviewAct(
        act_id="",
        branch=settings.branch,
        asof_day="",
        kind=kind,
        target=options.braid_id,
        author=options.author,
        reason_code=reason,
        factor=factor,
        note=options.note,
    )
    with Databases(settings) as databases:
        with databases.connect("sig") as sig:
            named(act, sig)  # a branch without a committed day is refused first
        with databases.connect(module.value) as own:
            if options.braid_id not in {b.braid_id for b in registry_of(own, settings.branch, module.value)}:
                found = f"branch {settings.branch} has no braid {options.braid_id!r}"
                cause = "a misspelt id, or a braid of another branch or module"
                raise ConfigError(found, f"one that `lotus review list --all --module {module}` shows", cause)
            if reason.startswith(LIFTS):
                _check_waits(own, module.value, settings.branch, reason.removeprefix(LIFTS), options.braid_id)
        sent = submit(databases, act, Keys(settings.keys_root), module, confidence)
    sure = {} if confidence is None else {"confidence": confidence}
    emit({**asdict(sent), **sure, "applied_by": f"the first nightly run after {sent.asof_day}"}, options.as_json)


def registry_of(own: Connection, branch: str, module: str) -> list[Braid]:
    """Return the braid registry of a module as it is now."""
    return read_registry(own, branch) if module == Module.SIG else knob_nights.read_registry(own, module, branch)


def _check_waits(own: Connection, module: str, branch: str, name: str, braid_id: str) -> None:
    """Raise `ConfigError` where no act of this name on a braid waits for a nightly run."""
    done = {outcome.act.act_id for outcome in read_outcomes(own, branch, module)}
    reviews = read_reviews(own, branch, module=module)
    acts = {a.act_id for a in reviews if a.target == braid_id and a.kind != "rollback"}
    if name not in acts - done:
        found = f"no act {name!r} on braid {braid_id!r} waits"
        raise ConfigError(found, "one that `lotus review list` shows as waiting", "a nightly run has applied it")


def _row(braid: Braid) -> dict[str, Any]:
    tried = experiment_facts(braid)
    return {
        **braid_facts(braid),
        "claim_bps": braid.claim_bps,
        "e_value": braid.e_value,
        "warning_t": braid.monitor.warning_t if braid.monitor else 0.0,
        "fresh_t": braid.monitor.fresh_t if braid.monitor else 0.0,
        "level": braid.level,
        "bqs": braid.quality.bqs,
        "tags": list(braid.tags),
        "reason": braid.reason if tried is None or tried["found"] else experiment_words(tried),
        "experiment": tried,
    }


def _text(facts: dict[str, Any], wide: bool) -> str:
    lines = [f"{len(facts['braids'])} braids"]
    if facts["braids"]:
        columns = (TableColumn("braid"), TableColumn("state"), TableColumn("detector: rule", least=20),
                   *numbers("claim, bps"), TableColumn("grade"), *numbers("level", "e-value", "quality"),
                   TableColumn("type"), TableColumn("reason"))  # fmt: skip
        rows = [
            (b["braid_id"], b["state"], f"{b['detector_id']}: {b['rule']}", f"{b['claim_bps']:+.2f}", b["grade"],
             f"{b['level']}", f"{b['e_value']:.2f}", f"{b['bqs']:.3f}", b["type"], b["reason"])
            for b in facts["braids"]
        ]  # fmt: skip
        lines.append(table(columns, rows, wide))
    lines += [f"  waits: {a['kind']} {a['target']} by {a['author']}, act {a['act_id']}" for a in facts["waiting"]]
    for o in facts["outcomes"]:
        done = "done" if o["accepted"] else "refused"
        lines.append(f"  {done}: {o['act']['kind']} {o['act']['target']} by {o['act']['author']}: {o['text']}")
    for r in facts["reviewers"]:
        lines.append(
            f"  {r['author']}: {r['acts']} acts, {r['approvals']} approvals, {r['false_promotions']} later reverted, "
            f"{r['days_to_decide']:.1f} days to decide, new features per approval {r['diversity']:.2f}"
        )
    lines += judged_lines(facts)
    lines += wish_lines(facts["wishes"])
    lines += composition_lines(facts["compositions"])
    return "\n".join(lines)
