"""`lotus breed`: search for detectors on the matured days of a home. Nothing that is scored or traded changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from lotus_cli.terminal.options import options_as
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import COUNT, DAY, SECONDS, at_branch, settings_of_branch, tape_option
from lotus_cli.terminal.progress import LOADING, Progress
from lotus_cli.terminal.tables import TableColumn, numbers, table

if TYPE_CHECKING:
    from lotus_store.config import Settings

SHOWN = (TableColumn("candidate"), TableColumn("state"), *numbers("T", "nodes", "horizon"), TableColumn("signal"),
         TableColumn("why", least=24))  # fmt: skip


@dataclass(frozen=True, slots=True)
class BreedOptions:
    """How much is tried, by which seed, beginning with what, on which days."""

    trials: int
    cpu_s: float
    seed: int | None
    ideas: tuple[str, ...]
    until: str | None
    least_days: int
    due: bool
    tape: str | None
    branch: str | None
    home: str | None
    as_json: bool


@click.command("breed")
@click.option("--trials", type=COUNT, default=3_000, show_default=True, help="Candidates to score.")
@click.option("--cpu-s", "cpu_s", type=SECONDS, default=1_800.0, show_default=True, help="CPU seconds of the search.")
@click.option("--seed", type=click.IntRange(0), help="Of the search; that of branch and night unless given.")
@click.option(
    "--idea",
    "ideas",
    multiple=True,
    metavar="TEXT",
    help="An expression of yours to begin with; where a model is asked, also a sentence for it.",
)
@click.option("--until", type=DAY, help="Newest day to look at.")
@click.option("--least-days", type=click.IntRange(2), default=10, show_default=True, help="Matured days, or none.")
@click.option("--due", is_flag=True, help="What the newest Monday is due, by [breeding], as the schedule does it.")
@tape_option
@at_branch
@options_as(BreedOptions)
def breed_command(options: BreedOptions) -> None:
    """Breed detectors: typed expressions over the columns of a window, searched by evidence and size.

    Every candidate is charged before it is scored, for good: the bar that a find must reach rises with all that was
    ever tried in the deployment. What reaches it is a candidate, no detector: `lotus candidates list`. Where [llm] is
    not off, a model proposes beside the operators, within its budget; without an answer the search goes on.
    """
    settings = settings_of_branch(options.home, options.tape, options.branch)
    if options.due:
        _breed_due(settings, options.as_json)
        return
    with Progress(quiet=options.as_json) as progress:
        progress(LOADING, 0)
        from lotus_assets.breeding.breed import BreedWords, breed

        words = BreedWords(
            options.trials, options.cpu_s, options.seed, options.ideas, options.until or "", options.least_days
        )
        facts = breed(settings, words, progress)
    emit(facts, options.as_json, _text(facts))


def _breed_due(settings: "Settings", as_json: bool) -> None:
    with Progress(quiet=as_json) as progress:
        progress(LOADING, 0)
        from lotus_assets.breeding.monday import breed_monday, run_checks

        found = breed_monday(settings, progress)
    checks = run_checks(found, settings.manifest.kernel.window_ms)
    states = {name: {"passed": is_held, **numbers} for name, (is_held, numbers) in checks.items()}
    words = {
        "off": "[breeding] trials is 0: no weekly search",
        "nothing due": f"nothing is due: {found['monday'] or 'no Monday'} was bred, or under ten days matured to it",
        "refused": f"the search of {found['monday']} was refused",
        "bred": f"the search of {found['monday']}",
    }
    lines = [words[found["state"]], *(f"named: {problem}" for problem in found["problems"])]
    lines += [_text(found["run"])] if found["run"] else []
    failed = [name for name, (is_held, _) in checks.items() if not is_held]
    emit(found | {"checks": states}, as_json, "\n".join([*lines, f"checks that fail: {', '.join(failed) or 'none'}"]))


def _text(facts: Mapping[str, Any]) -> str:
    many = sum(c["state"] == "screened" for c in facts["candidates"])
    lines = [
        f"{facts['trials']:,} candidates scored on {facts['scored_days']} days to {facts['night']} in "
        f"{facts['cpu_s']:g} CPU s (seed {facts['seed']}, stopped by {facts['stopped_by']}), "
        f"{facts['charged_after_search']:,} more to simplify and attack the best",
        f"charged for good: N was {facts['n_before']:,}, is {facts['n_after']:,}; the bar is ln N = "
        f"{facts['bar']:.2f}, and no more than {facts['reachable']:.1f} can be reached on so many days",
    ]
    if facts.get("llm"):
        lines.append(_of_model(facts["llm"]))
    if facts.get("challengers"):
        made = facts["challengers"]
        lines.append(
            f"challengers: {made['gates']} gates charged and {made['gates_scored']} of them scored, "
            f"{made['composed']} compositions"
        )
    if facts["bar"] > facts["reachable"]:
        lines.append("nothing can enter: more was tried than so many days can tell apart")
    lines += [f"{many} of {len(facts['candidates'])} looked at may enter (at most {facts['entrants']}):", ""]
    return "\n".join([*lines, candidates_table(facts["candidates"], wide=True)])


def _of_model(llm: Mapping[str, Any]) -> str:
    refused, failed = (
        ", ".join(f"{name} {times}" for name, times in llm[what].items()) for what in ("refused", "failed")
    )
    words = f"model: asked {llm['asked']} times, {llm['proposed']} candidates"
    words += f"; refused: {refused}" if refused else ""
    words += f"; no answer: {failed}" if failed else ""
    return words + ("; it was left alone after that" if llm["left_alone"] else "")


def candidates_table(rows: Sequence[Mapping[str, Any]], wide: bool) -> str:
    """Return candidates as lines."""
    return table(SHOWN, [
        (r["candidate_id"][:12], r["state"], f"{r['t']:.2f}", str(r["nodes"]), f"{r['horizon_s']} s",
         ("-" if r["side"] < 0 else "") + (f"({r['expression']})" if r["side"] < 0 else r["expression"]), r["reason"])
        for r in rows
    ], wide)  # fmt: skip
