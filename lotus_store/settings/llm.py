"""The section [llm] of the settings: where a model answers, whether it is asked, and what it may cost. Off by default.

The key is never a setting: `key_env` names the environment variable that holds it.
"""

import re
from dataclasses import dataclass
from datetime import date

from lotus.errors import ConfigError
from lotus.manifest import ranged

LLM_MODES = ("off", "live", "record", "replay")


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """A server that speaks chat completions, for proposals of detectors alone; nothing that trades asks it."""

    mode: str = "off"  # off; live; record: live, and kept as cassettes; replay: cassettes alone
    url: str = ""  # base, such as http://127.0.0.1:8080/v1; POST {url}/chat/completions
    model: str = ""  # its name there
    key_env: str = ""  # environment variable with the key; empty = no key
    structured: bool = True  # ask for JSON by a schema; false for servers that do not know response_format
    max_tokens: int = ranged(4096, 64, 32_768)  # of an answer
    timeout_s: float = ranged(120.0, 0.1, 600.0)  # of a whole exchange
    usd_per_mtok_in: float = ranged(0.0, 0.0, 10_000.0)  # price of a million tokens of a prompt
    usd_per_mtok_out: float = ranged(0.0, 0.0, 10_000.0)  # of an answer
    knows_until: str = ""  # last day (YYYY-MM-DD) that the model can have read about; empty = not known
    cassettes: str = ""  # folder of recorded exchanges; empty = llm/ in the home
    usd_month: float = ranged(0.0, 0.0, 1e6)  # most that a month may cost; 0 = a server of this machine only
    tokens_day: int = ranged(200_000, 0)  # most tokens a day; 0 = no limit
    calls_run: int = ranged(40, 1, 1000)  # most calls of one run


def check_llm(llm: LlmSettings) -> None:
    """Raise `ConfigError` for a mode that is none, a name that no variable has, or a day that is none."""
    if llm.mode not in LLM_MODES:
        raise ConfigError(f"llm.mode is {llm.mode!r}", f"one of {', '.join(LLM_MODES)}")
    if llm.key_env and not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,63}", llm.key_env):
        cause = "a key itself was put there"
        raise ConfigError("llm.key_env is no name of an environment variable", "capitals, digits and _", cause)
    try:
        is_day = not llm.knows_until or date.fromisoformat(llm.knows_until).isoformat() == llm.knows_until
    except ValueError:
        is_day = False
    if not is_day:
        raise ConfigError(f"llm.knows_until is {llm.knows_until[:40]!r}", "a day, YYYY-MM-DD")
