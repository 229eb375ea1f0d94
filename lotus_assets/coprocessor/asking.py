"""A prompt of the facts there are, the port that the settings name, and the arm of a search that uses both.

Facts are those that the night made (`window_facts`); coins are numbers in the order of the universe.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lotus.coprocessor.genome import environment
from lotus.coprocessor.model.calls import CallLimits, CallVerdict, TokenPrices
from lotus.coprocessor.model.port import Prompt, gaps_of
from lotus.coprocessor.model.window_facts import WINDOW_FACTS, HourFacts, facts_of_table
from lotus.detectors.registry import known_detectors
from lotus.errors import ConfigError, ExpressionError
from lotus.manifest import Manifest
from lotus.modules.messages.monitoring import WORD, MonitorAlert, shown
from lotus.tape_machine.checker import check
from lotus.tape_machine.parser import parse
from lotus.timebase import day_start_ms, next_day
from lotus_assets.coprocessor.arm import ModelArm, counted
from lotus_assets.stages.context import StageContext
from lotus_herald.keys import Keys
from lotus_llm.endpoint import ModelEndpoint, key_of
from lotus_llm.exchange import Cassettes
from lotus_llm.model_port import ModelPort
from lotus_modules.sig.monitored import tell_monitor
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.candidates import ChargedRun
from lotus_store.ledger.llm_calls import LlmAccount, put_refusals, refused_before

PORT_ALARM: Final = "llm_port"
BUDGET_ALARM: Final = "llm_budget"


def prompt_of(settings: Settings, wanted: int, idea: str = "", until: str = "") -> Prompt:
    """Return the prompt of the newest day with facts (up to one); without any it has no facts."""
    return Prompt(newest_facts(settings, until), gaps_of(known_detectors(), settings.manifest), (), wanted, idea)


def newest_facts(settings: Settings, until: str = "") -> tuple[HourFacts, ...]:
    """Return the facts of the newest day of the branch that has any, up to a day; none without such a day."""
    lake = Lake(settings.lake_root)
    days = [day for day in lake.days(WINDOW_FACTS.name, settings.branch) if not until or day <= until]
    if not days:
        return ()
    table = lake.read(WINDOW_FACTS.name, settings.branch, days[-1], spec=WINDOW_FACTS)
    return facts_of_table(table, [asset.name for asset in settings.manifest.universe])


def endpoint_of(settings: Settings) -> ModelEndpoint:
    """Return the endpoint of the settings with its key; raises `ConfigError` for what cannot be asked."""
    llm = settings.llm
    prices = TokenPrices(llm.usd_per_mtok_in, llm.usd_per_mtok_out)
    return ModelEndpoint(llm.url, llm.model, llm.structured, llm.max_tokens, llm.timeout_s, prices, key_of(llm.key_env))


def port_of(settings: Settings, databases: Databases, run: str) -> ModelPort:
    """Return the port of a run, with its account and cassettes; raises `ConfigError` when the model is off."""
    llm = settings.llm
    if llm.mode == "off":
        cause = "it is off by default"
        raise ConfigError("no model is asked: [llm] mode is off", 'mode = "live", url and model in lotus.toml', cause)
    limits = CallLimits(int(llm.usd_month * 1e6), llm.tokens_day, llm.calls_run)
    account = LlmAccount(databases, Lake(settings.lake_root), settings.branch, run, limits)
    folder = Path(llm.cassettes) if llm.cassettes else settings.home / "llm"
    return ModelPort(endpoint_of(settings), llm.mode, account, Cassettes(folder), llm.knows_until)


def asked_of(settings: Settings, sentence: str) -> tuple[str, ...]:
    """Return what names the model of a search and what it is asked beside the facts; nothing while it is off."""
    llm = settings.llm
    return () if llm.mode == "off" else ("llm", llm.url, llm.model, str(llm.max_tokens), sentence)


def parted_ideas(ideas: Sequence[str], is_asked: bool) -> tuple[tuple[str, ...], str]:
    """Return the expressions among the operator's ideas, and the sentence that a model is given.

    Raises `ConfigError` (`ExpressionError` with its place) for a sentence while no model is asked, and for two.
    """
    expressions, sentences = list[str](), list[str]()
    for idea in ideas:
        try:
            check(parse(idea), environment(Manifest().kernel.window_ms))
            expressions.append(idea)
        except ExpressionError:
            if not is_asked:
                raise
            sentences.append(idea)
    if len(sentences) > 1:
        raise ConfigError(f"{len(sentences)} ideas that are no expressions", "one sentence for the model")
    return tuple(expressions), "".join(sentences)


def arm_of(ctx: StageContext, run: str, night: str, sentence: str = "") -> ModelArm | None:
    """Return the arm of a search that ends with a night; None while the model is off."""
    settings = ctx.settings
    if settings.llm.mode == "off":
        return None
    shipped = known_detectors()
    return ModelArm(
        port=port_of(settings, ctx.databases, run),
        facts=newest_facts(settings, night),
        gaps=gaps_of(shipped, settings.manifest),
        refused=counted(refused_before(ctx.sig, ctx.branch, night)),
        taken=[spec.detector_id for spec in shipped],
        horizons_s=settings.manifest.outcomes.horizons_s,
        step_ms=settings.manifest.kernel.window_ms,
        idea=sentence,
    )


def end_arm(ctx: StageContext, arm: ModelArm, run: ChargedRun) -> None:
    """Store why proposals of a search were refused, and put calls without an answer into the queue of curation.

    One alarm for the port and one for the budget, of the night; doing it again changes nothing.
    """
    put_refusals(ctx.sig, run.branch, run.run, run.night, arm.refusals)
    budget = [words for verdict, words in arm.failures if verdict is CallVerdict.OVER_BUDGET]
    port = [f"{verdict.value} ({words})" for verdict, words in arm.failures if verdict is not CallVerdict.OVER_BUDGET]
    _tell(ctx, run.branch, run.night, BUDGET_ALARM, budget)
    tell_port(ctx, run.night, port)


def tell_port(ctx: StageContext, night: str, found: Sequence[str]) -> None:
    """Put what a model did not answer on a night into the queue of curation, if there is any."""
    _tell(ctx, ctx.branch, night, PORT_ALARM, found)


def _tell(ctx: StageContext, branch: str, night: str, kind: str, found: Sequence[str]) -> None:
    if not found:
        return
    alert = MonitorAlert(
        branch=branch, time_ms=day_start_ms(next_day(night)), kind=kind, subject=shown(ctx.settings.llm.model, WORD),
        found=shown(f"{len(found)} calls of a search; the first: {found[0]}"),
        expected="an answer within the budget; the search went on without",
    )  # fmt: skip
    with ctx.sig.transaction():
        tell_monitor(ctx.sig, alert, Keys(ctx.settings.keys_root))
