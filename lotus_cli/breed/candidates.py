"""`lotus candidates`: what the breeder looked at, why it entered or was refused, what became of it, and its file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lotus.coprocessor.gate import SETTLE_AT
from lotus.errors import ConfigError
from lotus.names import BRED
from lotus.sentences.shown_facts import LONGEST
from lotus_cli.breed.command import candidates_table
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import NAME, at_branch, settings_of_branch, tape_option
from lotus_cli.terminal.progress import LOADING, Progress
from lotus_cli.terminal.tables import TableColumn, numbers, table, wide_option
from lotus_store.files import read_utf8

if TYPE_CHECKING:
    from lotus_store.config import Settings

STATES = ("screened", "refused", "settled", "renewed", "archived", "vetoed")
DAYS = (TableColumn("day"), *numbers("S, bps", "H", "spoke", "E"), TableColumn("state"))
STEPS = (TableColumn("step"), *numbers("T before", "T after"), TableColumn("taken"), TableColumn("signal"))


@click.group("candidates")
def candidates_command() -> None:
    """Candidates are bred detectors: list, look at, export and veto them."""


@candidates_command.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only those.")
@wide_option
@at_branch
def list_command(state: str | None, wide: bool, branch: str | None, home: str | None, as_json: bool) -> None:
    """List what was looked at, those that may enter first, with N and what decided."""
    rows, ever = _found(home, branch, "")
    shown = [_flat(row) for row in rows if state is None or row["state"] == state]
    text = (
        f"{ever:,} candidates were ever charged\n\n{candidates_table(shown, wide)}" if ever else "nothing was bred yet"
    )
    emit({"n": ever, "candidates": shown}, as_json, text)


@candidates_command.command("show")
@click.argument("candidate")
@at_branch
def show_command(candidate: str, branch: str | None, home: str | None, as_json: bool) -> None:
    """Show a candidate (the beginning of its id will do): folds, days, ablations, attacks, cost of N, its file."""
    from lotus_assets.breeding.forward import facts_of_days
    from lotus_assets.breeding.settle import step_facts
    from lotus_store.databases import Databases
    from lotus_store.ledger.beliefs.candidates import days_of, refinements_of, steps_of, trial_of
    from lotus_store.ledger.texts import attachments_of

    row, settings = _one(home, branch, candidate), settings_of_branch(home, branch=branch)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        steps = refinements_of(sig, row["run"])
        trial = trial_of(sig, row["candidate_id"])
        name = row["candidate_id"]
        days = facts_of_days(days_of(sig, settings.branch, name).get(name, []))
        life = step_facts(steps_of(sig, settings.branch, name).get(name, []))
        opinions = [
            {"origin": x.origin, "author": x.author, "at": x.created_at.isoformat(timespec="seconds"), "text": x.text}
            for x in attachments_of(sig, settings.branch, row["candidate_id"])
        ]
    own_steps = _way(steps, row["candidate_id"])
    facts = _flat(row) | {"trial": trial, "steps": own_steps, "attachments": opinions, "forward": days, "life": life}
    emit(facts, as_json, _page(facts))


@candidates_command.command("propose")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@tape_option
@at_branch
def propose_command(
    files: tuple[Path, ...], tape: str | None, branch: str | None, home: str | None, as_json: bool
) -> None:
    """Judge the detectors of FILES as candidates, charged and by the bar of everything that was ever tried.

    A file is a detector's with params, windows and a signal; `lotus detector new` begins one.
    """
    settings = settings_of_branch(home, tape, branch)
    with Progress(quiet=as_json) as progress:
        progress(LOADING, 0)
        from lotus.coprocessor.proposed import genome_of
        from lotus.detectors.spec import parse_spec
        from lotus_assets.breeding.breed import BreedWords, breed

        specs = [parse_spec(read_utf8(file), file.name) for file in files]
        window_ms = settings.manifest.kernel.window_ms
        proposed = tuple(genome_of(spec, window_ms) for spec in specs)
        facts = breed(settings, BreedWords(proposed=proposed), progress)
    emit(facts, as_json, candidates_table(facts["candidates"], False))


@candidates_command.command("score")
@tape_option
@at_branch
def score_command(tape: str | None, branch: str | None, home: str | None, as_json: bool) -> None:
    """Score the matured days that candidates still lack, put in force and archive, as the nightly run does."""
    from lotus_assets.breeding.forward import score_forward
    from lotus_assets.breeding.settle import settle_night, step_facts
    from lotus_assets.stages.chain import branch_lane
    from lotus_assets.what_if.answer import home_context

    with home_context(settings_of_branch(home, tape=tape, branch=branch)) as ctx, branch_lane(ctx):
        found, steps = score_forward(ctx), settle_night(ctx)
    states = [f"{name[:12]} {state}" for name, state in found["states"].items()]
    lines = [f"{step.candidate_id[:12]} {step.step}: {step.reason}" for step in steps]
    text = "\n".join([f"{found['rows']} forward days scored", *states, *lines])
    emit({**found, "steps": step_facts(steps)}, as_json, text)


@candidates_command.command("veto")
@click.argument("candidate")
@click.option("--author", type=NAME, required=True, help="Who says so.")
@click.option("--why", required=True, help="The reason, one line.")
@tape_option
@at_branch
def veto_command(
    candidate: str, author: str, why: str, tape: str | None, branch: str | None, home: str | None, as_json: bool
) -> None:
    """Take a candidate out for good: from shadow at once, in force from the first day that is free."""
    from lotus_assets.breeding.settle import step_facts, veto
    from lotus_assets.stages.chain import branch_lane
    from lotus_assets.what_if.answer import home_context

    if not why.isprintable() or len(why) > LONGEST:
        raise ConfigError(f"a reason of {len(why)} characters", f"--why: one line of at most {LONGEST} characters")
    name = _one(home, branch, candidate)["candidate_id"]
    with home_context(settings_of_branch(home, tape=tape, branch=branch)) as ctx, branch_lane(ctx):
        step = veto(ctx, name, author, why)
    emit(step_facts([step])[0], as_json, f"{name[:12]} is out: {step.reason}")


@candidates_command.command("attach")
@click.argument("candidate")
@click.argument("text", default="")
@click.option("--author", type=NAME, help="Who speaks; needed with a text.")
@click.option("--ask", is_flag=True, help="The model's opinion instead of a text.")
@at_branch
def attach_command(
    candidate: str, text: str, author: str | None, ask: bool, branch: str | None, home: str | None, as_json: bool
) -> None:
    """Attach an opinion to a candidate, yours or with --ask the model's. It is shown, and decides nothing."""
    row, settings = _one(home, branch, candidate), settings_of_branch(home, branch=branch)
    if ask == bool(text):
        raise ConfigError("a text and --ask" if ask else "no opinion", "a text with --author, or --ask")
    if ask:
        from lotus_assets.coprocessor.sentences import candidate_opinion

        found = candidate_opinion(settings, row)
    else:
        found = _attached(settings, row["candidate_id"], author or "", text)
    emit(found, as_json, f"{found['author']}: {found['text'] or 'refused: ' + found['refused']}")


@candidates_command.command("export")
@click.argument("candidate")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=".", help="Folder to write to.")
@at_branch
def export_command(candidate: str, out: Path, branch: str | None, home: str | None, as_json: bool) -> None:
    """Write a candidate's file, which `lotus detector check` reads."""
    row = _one(home, branch, candidate)
    path = out / f"{BRED}{row['candidate_id'][:12]}.yaml"
    if path.exists():
        raise ConfigError(f"{path} is there already", "a folder without it")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(row["body"]["spec"], "utf-8")
    emit({"path": str(path)}, as_json, f"{path}: look at it with `lotus detector check {path}`")


def _attached(settings: "Settings", candidate_id: str, author: str, text: str) -> dict[str, Any]:
    """Store a person's opinion; raises `ConfigError` without an author, and for no line of at most 600 characters."""
    from lotus_store.databases import Databases
    from lotus_store.ledger.texts import PERSON, attach

    if not author or not text.isprintable() or len(text) > LONGEST:
        found = "an opinion without an author" if not author else f"an opinion of {len(text)} characters"
        raise ConfigError(found, f"--author, and one line of at most {LONGEST} characters")
    with Databases(settings) as databases, databases.connect("sig", autocommit=True) as sig:
        name = attach(sig, settings.branch, candidate_id, PERSON, author, text)
    return {"attachment_id": name, "author": author, "text": text, "refused": "", "verdict": ""}


def _found(home: str | None, branch: str | None, beginning: str) -> tuple[list[dict[str, Any]], int]:
    from lotus_store.databases import Databases
    from lotus_store.ledger.beliefs.candidates import candidates_of, trials_ever

    settings = settings_of_branch(home, branch=branch)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        return candidates_of(sig, settings.branch, beginning), trials_ever(sig)


def _one(home: str | None, branch: str | None, beginning: str) -> dict[str, Any]:
    """Return the one candidate whose id begins so; raises `ConfigError` for none and for several."""
    if not beginning.isalnum():
        raise ConfigError(f"the id {beginning[:40]!r}", "letters and digits, as `lotus candidates list` shows them")
    rows, _ = _found(home, branch, beginning)
    if len(rows) != 1:
        several = f"{len(rows)} candidates begin with {beginning}"
        raise ConfigError(several if rows else f"no candidate {beginning}", "one of `lotus candidates list`")
    return rows[0]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name != "body"}
    return {**row["body"], **kept, "check": row["check_name"]}


def _way(steps: list[dict[str, Any]], candidate: str) -> list[dict[str, Any]]:
    """Return the steps that led to a candidate, those tried beside them, and the attacks on it."""
    way, at = [s for s in steps if s["parent_id"] == candidate], candidate
    while (led := next((s for s in steps if s["taken"] and s["candidate_id"] == at), None)) is not None:
        way += [s for s in steps if s["parent_id"] == led["parent_id"] and s["kind"] == "ablation"]
        at = led["parent_id"]
    return way


def _known_words(trial: Mapping[str, Any]) -> str:
    """Return what a model's part in a candidate means for its forward days."""
    until = trial.get("knows_until")
    if until is None:
        return ""
    return f"; a model that knows the market until {until} had a part" if until else (
        "; a model had a part, and until when it knows the market is not set: it can never settle"
    )  # fmt: skip


def _page(facts: Mapping[str, Any]) -> str:
    trial = facts["trial"] or {}
    days = " ".join(f"{x:+.3g}" for x in facts["daily_bps"])
    lines = [
        f"candidate {facts['candidate_id']}, night {facts['night']}: {facts['state']}, {facts['reason']}",
        f"charged as number {trial.get('number', 0):,} (generation {trial.get('generation', 0)}, "
        f"{trial.get('origin', '')}, {trial.get('operator', '')}){_known_words(trial)}",
        f"found as {facts['found_as']} ({facts['found_nodes']} nodes) by {facts['operator']}, "
        f"made simple to {facts['nodes']} nodes, depth {facts['depth']}",
        f"T = {facts['t']:.2f}; folds {' '.join(f'{x:.2f}' for x in facts['folds'])}",
        f"days, sum of s F in bps: {days}", "",
    ]  # fmt: skip
    rows = [(s["kind"], f"{s['t_before']:.2f}", f"{s['t_after']:.2f}", "yes" if s["taken"] else "", s["expression"])
            for s in facts["steps"]]  # fmt: skip
    lines += [table(STEPS, rows, True), ""] if rows else []
    gone = [(d["day"], f"{d['gain_bps']:+.3g}", f"{d['weight']:.3g}", str(d["spoken"]), f"{d['e']:.3g}", d["state"])
            for d in facts["forward"]]  # fmt: skip
    lines += [f"days to come (E {SETTLE_AT:,.0f} is asked for):", table(DAYS, gone, True), ""] if gone else []
    lines += [f"{x['day']} {x['step']}: {x['reason']}" for x in facts["life"]]
    lines += [f"{x['author']} ({x['origin']}, {x['at'][:10]}): {x['text']}" for x in facts["attachments"]]
    return "\n".join([*lines, *([""] if facts["attachments"] else []), facts["spec"]])
