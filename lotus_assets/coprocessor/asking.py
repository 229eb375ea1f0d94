"""A prompt of the facts there are, and the port that the settings name. Nothing is sent here by itself.

Facts come from frames of the newest day of the tape; coins are numbers in the order of the universe.
"""

from pathlib import Path

from lotus.coprocessor.calls import CallLimits, TokenPrices
from lotus.coprocessor.port import Prompt, gaps_of
from lotus.coprocessor.window_facts import MOST_ROWS, READ, HourFacts, facts_of_frames
from lotus.detectors.registry import known_detectors
from lotus_llm.endpoint import ModelEndpoint, key_of
from lotus_llm.exchange import Cassettes
from lotus_llm.model_port import ModelPort
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.ledger.llm_calls import LlmAccount

MOST_ASSETS = MOST_ROWS // 24
FRAMES = "microtape_frames"


def prompt_of(settings: Settings, wanted: int, idea: str = "") -> Prompt:
    """Return the prompt of the newest day with frames; without any it has no facts."""
    return Prompt(newest_facts(settings), gaps_of(known_detectors(), settings.manifest), (), wanted, idea)


def newest_facts(settings: Settings) -> tuple[HourFacts, ...]:
    """Return the facts of the newest day of the tape with frames, by asset and hour; none without frames."""
    lake, branch = Lake(settings.lake_root), f"tape.{settings.tape}"
    days = lake.days(FRAMES, branch)
    stored = set(lake.symbols(FRAMES, branch, days[-1])) if days else set()
    rows: list[HourFacts] = []
    for k, asset in enumerate(settings.manifest.universe[:MOST_ASSETS], 1):
        if asset.name in stored:
            rows += facts_of_frames(k, 1, lake.read(FRAMES, branch, days[-1], asset.name, columns=READ))
    return tuple(rows)


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
