"""The week's search: what the newest Monday with matured days is due, once, as `[breeding]` says; off by default.

A model that cannot be asked (a wrong set-up, a missing cassette) is named and the search goes on without it; days that
cannot be searched are named too. Neither ends anything else. A search that was cut off is begun again and charges
nothing twice; a Monday that passed while another came is not made up for.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import dagster as dg

from lotus.coprocessor.bar import ENTRANTS
from lotus.coprocessor.model.brought import genome_of
from lotus.detectors.daily.asset_groups import monday_of
from lotus.detectors.spec import parse_spec
from lotus.errors import ConfigError, LotusError
from lotus.progress.steps import Steps, untold
from lotus_assets.breeding.breed import LEAST_DAYS, BreedWords, breed
from lotus_assets.breeding.home_panel import matured_days
from lotus_assets.catalogue import OWNERS
from lotus_assets.coprocessor.asking import tell_port
from lotus_assets.event_log_purge import GROUP
from lotus_assets.what_if.answer import home_context
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
from lotus_store.ledger.experiment_runs import is_bred

NAME: Final = "candidates"
OFF, NOTHING_DUE, BRED, REFUSED = "off", "nothing due", "bred", "refused"
CHECKS: Final = {
    "bred": "The search that was due came to its end, with the model that is set up.",
    "valid": "Each file that was looked at reads as a detector and computes what its identity says.",
    "audited": "Nothing may enter that no audit looked at, or that failed one.",
    "gated": "What may enter is above ln N of its night and among the two best; N rose by what was charged.",
}
Facts = dict[str, Any]


def breed_monday(settings: Settings, progress: Steps = untold) -> Facts:
    """Search what is due and return its Monday, how it ended, what was named on the way, and what was found."""
    monday, state = _due(settings)
    if state != BRED:
        return {"monday": monday, "state": state, "problems": [], "run": {}}
    words = BreedWords(
        settings.breeding.trials, settings.breeding.cpu_s, until=monday, least_days=LEAST_DAYS, monday=monday
    )
    problems = list[str]()
    for one in _with_and_without_model(settings):
        try:
            return {"monday": monday, "state": BRED, "problems": problems, "run": breed(one, words, progress)}
        except ConfigError as problem:
            problems.append(str(problem))
            if one.llm.mode != "off":
                with home_context(settings) as ctx:
                    tell_port(ctx, monday, [f"no search with it: {problem}"])
        except LotusError as problem:
            problems.append(str(problem))
            break
    return {"monday": monday, "state": REFUSED, "problems": problems, "run": {}}


def run_checks(found: Mapping[str, Any], step_ms: int) -> dict[str, tuple[bool, Facts]]:
    """Return of each check whether it holds, with its numbers; without a run all but `bred` hold of nothing."""
    run, rows = found["run"], found["run"].get("candidates", [])
    entering = [row for row in rows if row["state"] == "screened"]
    unread = [row["candidate_id"] for row in rows if not _is_itself(row, step_ms)]
    unseen = [row["candidate_id"] for row in entering if not row["audits"] or row["audits"]["failed"]]
    low = [row["candidate_id"] for row in entering
           if row["value"] < row["bound"] or row["bound"] < math.log(max(1, run["n_before"]))]  # fmt: skip
    is_counted = not run or run["n_after"] >= run["n_before"]
    problems = "; ".join(found["problems"])[:400]
    return {
        "bred": (not found["problems"], {"state": found["state"], "problems": problems or "none"}),
        "valid": (not unread, {"looked_at": len(rows), "unlike": len(unread)}),
        "audited": (not unseen, {"may_enter": len(entering), "unaudited": len(unseen)}),
        "gated": (not low and len(entering) <= ENTRANTS and is_counted, {
            "may_enter": len(entering), "below": len(low), "n_before": run.get("n_before", 0),
            "n_after": run.get("n_after", 0),
        }),
    }  # fmt: skip


def _due(settings: Settings) -> tuple[str, str]:
    """Return the newest Monday up to which days matured, and whether its search is to be made."""
    if not settings.breeding.trials:
        return "", OFF
    with home_context(settings) as ctx:
        days = matured_days(ctx)
        monday = monday_of(days[-1]) if days else ""
        many = len(matured_days(ctx, monday)) if days else 0
        return monday, NOTHING_DUE if many < LEAST_DAYS or is_bred(ctx.sig, ctx.branch, monday) else BRED


def _with_and_without_model(settings: Settings) -> Sequence[Settings]:
    if settings.llm.mode == "off":
        return [settings]
    return [settings, replace(settings, llm=replace(settings.llm, mode="off"))]


def _is_itself(row: Mapping[str, Any], step_ms: int) -> bool:
    """Tell whether the stored file reads as a detector that computes what the row is named by."""
    try:
        return genome_of(parse_spec(row["spec"], row["candidate_id"]), step_ms).canonical == str(row["candidate_id"])
    except LotusError:
        return False


@dg.asset(
    name=NAME,
    group_name=GROUP,
    kinds={"postgres"},
    owners=OWNERS,
    check_specs=[
        dg.AssetCheckSpec(name, asset=NAME, blocking=name != "bred", description=text) for name, text in CHECKS.items()
    ],
    description="Detectors bred on the days up to a Monday ([breeding]): what was tried, which may enter shadow.",
)
def candidates(lotus: dg.ResourceParam[Lotus]) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Breed what the newest Monday is due; nothing is read while `breeding.trials` is 0."""
    found = breed_monday(lotus.settings)
    run = found["run"]
    metadata = {"state": found["state"], "monday": found["monday"] or "none", "problems": "; ".join(found["problems"])}
    metadata |= {name: run[name] for name in ("trials", "n_before", "n_after", "cpu_s", "stopped_by") if name in run}
    metadata["may_enter"] = sum(row["state"] == "screened" for row in run.get("candidates", []))
    yield dg.MaterializeResult(metadata=metadata)
    for name, (is_held, numbers) in run_checks(found, lotus.settings.manifest.kernel.window_ms).items():
        severity = dg.AssetCheckSeverity.WARN if name == "bred" else dg.AssetCheckSeverity.ERROR
        yield dg.AssetCheckResult(
            passed=is_held, asset_key=NAME, check_name=name, metadata=numbers, severity=severity
        )  # fmt: skip
