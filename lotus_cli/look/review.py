"""`lotus review`: the review board on the command line. An act is a message; the next night decides what it does."""

from dataclasses import asdict
from typing import Any

import click

from lotus.priors.trace import describe_braid
from lotus.weave.braid import Braid
from lotus.weave.review import REASON_CODES, ActKind, ReviewAct, reviewers
from lotus_cli.terminal.output import emit, explained, json_option
from lotus_cli.terminal.places import Finite, branch_option, home_option, require_branch, settings_of
from lotus_cli.terminal.tables import TableColumn, numbers, table, wide_option
from lotus_herald.keys import Keys
from lotus_modules.priors.rollback import submit
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.braids import read_registry
from lotus_store.ledger.beliefs.reviews import read_outcomes, read_reviews


@click.group("review")
def review_command() -> None:
    """Approve, reject, extend, attenuate, raise the bounds of braids; every act has an author, none raises a grade."""


def author_option(command: Any) -> Any:
    """Add --author (required) and --note."""
    noted = click.option("--note", default="", help="Free text, kept with the act.")(command)
    return click.option("--author", required=True, help="Who speaks.")(noted)


@review_command.command("list")
@click.option("--all", "everything", is_flag=True, help="Ended braids too.")
@wide_option
@branch_option
@home_option
@json_option
@explained
def list_braids(everything: bool, wide: bool, branch: str | None, home: str | None, as_json: bool) -> None:
    """Show the board, the acts that wait for the next night, what became of the others, and the reviewers."""
    settings = settings_of(home, branch=branch)
    require_branch(settings)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        board = read_registry(sig, settings.branch)
        outcomes = read_outcomes(sig, settings.branch)
        acts = read_reviews(sig, settings.branch)
    done = {o.act.act_id for o in outcomes}
    shown = [b for b in board if everything or b.state in ("proposed", "active", "sunset")]
    told = {
        "braids": [_row(b) for b in shown],
        "waiting": [asdict(a) for a in acts if a.act_id not in done],
        "outcomes": [asdict(o) for o in outcomes],
        "reviewers": [asdict(r) for r in reviewers(outcomes, board)],
    }
    emit(told, as_json, _text(told, wide))


@review_command.command("approve")
@click.argument("braid_id")
@author_option
@branch_option
@home_option
@json_option
@explained
def approve(braid_id: str, author: str, note: str, branch: str | None, home: str | None, as_json: bool) -> None:
    """Approve a braid, or lift a rejection; its grade stays what the evidence gave it."""
    _say("approve", braid_id, author, note, branch, home, as_json)


@review_command.command("reject")
@click.argument("braid_id")
@click.option("--reason", type=click.Choice(REASON_CODES), required=True, help="Reason code.")
@author_option
@branch_option
@home_option
@json_option
@explained
def reject(
    braid_id: str, reason: str, author: str, note: str, branch: str | None, home: str | None, as_json: bool
) -> None:
    """Take a braid's patch away; its axes stay out until its time ends or it is approved."""
    _say("reject", braid_id, author, note, branch, home, as_json, reason)


@review_command.command("extend")
@click.argument("braid_id")
@author_option
@branch_option
@home_option
@json_option
@explained
def extend(braid_id: str, author: str, note: str, branch: str | None, home: str | None, as_json: bool) -> None:
    """Extend a time to live, once, where the blocks since selection show the effect again."""
    _say("extend", braid_id, author, note, branch, home, as_json)


@review_command.command("attenuate")
@click.argument("braid_id")
@click.option("--factor", type=Finite(0.0, 1.0, min_open=True), required=True, help="Lambda in (0, 1].")
@author_option
@branch_option
@home_option
@json_option
@explained
def attenuate(
    braid_id: str, factor: float, author: str, note: str, branch: str | None, home: str | None, as_json: bool
) -> None:
    """Weaken a braid: (lambda dtheta, phi^lambda)."""
    _say("attenuate", braid_id, author, note, branch, home, as_json, "", factor)


@review_command.command("raise-cap")
@click.argument("braid_id")
@click.option("--factor", type=Finite(1.0, 1.1), required=True, help="At most 1.1 in all.")
@author_option
@branch_option
@home_option
@json_option
@explained
def raise_cap(
    braid_id: str, factor: float, author: str, note: str, branch: str | None, home: str | None, as_json: bool
) -> None:
    """Widen the bounds of one braid; the total bounds of its detector stay."""
    _say("raise_cap", braid_id, author, note, branch, home, as_json, "", factor)


def _say(
    kind: ActKind,
    target: str,
    author: str,
    note: str,
    branch: str | None,
    home: str | None,
    as_json: bool,
    reason: str = "",
    factor: float = 1.0,
) -> None:
    settings = settings_of(home, branch=branch)
    require_branch(settings)
    act = ReviewAct("", settings.branch, "", kind, target, author, reason, factor, note)
    with Databases(settings) as databases:
        said = submit(databases, act, Keys(settings.keys_root))
    emit({**asdict(said), "applied_by": f"the first night after {said.asof_day}"}, as_json)


def _row(braid: Braid) -> dict[str, Any]:
    return {
        "braid_id": braid.braid_id,
        "type": braid.braid_type,
        "detector_id": braid.detector_id,
        "rule": describe_braid(braid.active()),
        "state": braid.state,
        "grade": braid.grade,
        "claim_bps": braid.claim_bps,
        "e_value": braid.e_value,
        "warning_t": braid.monitor.warning_t if braid.monitor else 0.0,
        "fresh_t": braid.monitor.fresh_t if braid.monitor else 0.0,
        "bqs": braid.quality.bqs,
        "tags": list(braid.tags),
        "reason": braid.reason,
    }


def _text(told: dict[str, Any], wide: bool) -> str:
    lines = [f"{len(told['braids'])} braids"]
    if told["braids"]:
        columns = (TableColumn("braid"), TableColumn("state"), TableColumn("detector: rule", least=20),
                   *numbers("claim, bps"), TableColumn("grade"), *numbers("e-value", "quality"),
                   TableColumn("type"), TableColumn("reason"))  # fmt: skip
        rows = [
            (b["braid_id"], b["state"], f"{b['detector_id']}: {b['rule']}", f"{b['claim_bps']:+.2f}", b["grade"],
             f"{b['e_value']:.2f}", f"{b['bqs']:.3f}", b["type"], b["reason"])
            for b in told["braids"]
        ]  # fmt: skip
        lines.append(table(columns, rows, wide))
    lines += [f"  waits: {a['kind']} {a['target']} by {a['author']}" for a in told["waiting"]]
    for o in told["outcomes"]:
        done = "done" if o["accepted"] else "refused"
        lines.append(f"  {done}: {o['act']['kind']} {o['act']['target']} by {o['act']['author']}: {o['text']}")
    for r in told["reviewers"]:
        lines.append(
            f"  {r['author']}: {r['acts']} acts, {r['approvals']} approvals, {r['false_promotions']} later reverted, "
            f"{r['days_to_decide']:.1f} days to decide, new features per approval {r['diversity']:.2f}"
        )
    return "\n".join(lines)
