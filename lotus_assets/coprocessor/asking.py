"""A prompt of the facts there are, and the port that the settings name. Nothing is sent here by itself.

Facts are those that the night made (`window_facts`); coins are numbers in the order of the universe.
"""

from pathlib import Path

from lotus.coprocessor.calls import CallLimits, TokenPrices
from lotus.coprocessor.port import Prompt, gaps_of
from lotus.coprocessor.window_facts import WINDOW_FACTS, HourFacts, facts_of_table
from lotus.detectors.registry import known_detectors
from lotus_llm.endpoint import ModelEndpoint, key_of
from lotus_llm.exchange import Cassettes
from lotus_llm.model_port import ModelPort
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.ledger.llm_calls import LlmAccount


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
    limits = CallLimits(int(llm.usd_month * 1e6), llm.tokens_day, llm.calls_run)
    account = LlmAccount(databases, Lake(settings.lake_root), settings.branch, run, limits)
    folder = Path(llm.cassettes) if llm.cassettes else settings.home / "llm"
    return ModelPort(endpoint_of(settings), llm.mode, account, Cassettes(folder), llm.knows_until)
