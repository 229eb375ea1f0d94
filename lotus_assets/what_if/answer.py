"""The answer to a what-if: by the log, on the tape, or both side by side; registered once, and nothing else written."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from lotus.counterfactual.off_policy import OffPolicyWorth, worth
from lotus.counterfactual.simulated import SimulatedWorth, cost_model_disagrees, simulated
from lotus.errors import ConfigError
from lotus.progress.steps import Steps, untold
from lotus_assets.stages.context import StageContext
from lotus_assets.what_if.of_log import log_days
from lotus_assets.what_if.of_tape import tape_days
from lotus_assets.what_if.question import AskedWords, WhatIfQuestion, question_of
from lotus_resources.recent_values import RecentValues
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.what_ifs import AskedWhatIf, register, stored_what_if
from lotus_store.tape.store import TapeStore


@contextmanager
def home_context(settings: Settings) -> Iterator[StageContext]:
    """Give what reads the tables of a home as stages do its context; nothing is committed by it."""
    with Databases(settings) as databases, databases.connect("sig", autocommit=True) as sig:
        tape = TapeStore(settings.home, settings.tape, settings.segments_url)
        yield StageContext(
            settings, Lake(settings.lake_root), databases, tape, settings.manifest, sig, RecentValues()
        )  # fmt: skip


def what_if(settings: Settings, words: AskedWords, simulates: bool, progress: Steps = untold) -> Mapping[str, Any]:
    """Return the facts of an answer; the same question on the same outcomes has the answer it got.

    Raises `ConfigError` for what no log answers without `simulates`, and as `question_of` does.
    """
    with home_context(settings) as ctx:
        question = question_of(ctx, words, simulates)
        if question.change.only_on_tape and not simulates:
            raise ConfigError(
                question.change.only_on_tape, "--simulate, which asks the tape", "the log has no such draws"
            )
        change = question.change
        asked = AskedWhatIf(question.question_id, ctx.branch, question.first, question.last, change.words)
        found = stored_what_if(ctx.sig, asked)
        if found is not None:
            return found
        days = [] if change.only_on_tape else log_days(ctx, question, progress)
        tape = simulated(tape_days(ctx, question, progress)) if simulates else None
        return register(ctx.sig, asked, lambda k: _facts(question, worth(days, k) if days else None, tape, k))


def _facts(
    question: WhatIfQuestion, log: OffPolicyWorth | None, tape: SimulatedWorth | None, number: int
) -> dict[str, Any]:
    return {
        "what_if_id": question.question_id,
        "number": number,
        "from": question.first,
        "to": question.last,
        "days": len(question.days),
        "change": question.change.as_json(),
        "words": question.change.words,
        "log": None if log is None else asdict(log) | {"is_shown": log.is_shown},
        "tape": None if tape is None else asdict(tape) | {"grade": "C" if question.spec else "B"},
        "cost_model_disagrees": cost_model_disagrees(log, tape),
    }
