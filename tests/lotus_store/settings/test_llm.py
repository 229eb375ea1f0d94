"""The section [llm]: off by default, and no key in it."""

from pathlib import Path

import pytest

from lotus.errors import ConfigError
from lotus_store.config import load_settings


def settings(tmp_path: Path, text: str) -> str:
    """Return how a section is refused, "" when it is not."""
    path = tmp_path / "lotus.toml"
    path.write_text(f"[llm]\n{text}\n")
    try:
        load_settings(tmp_path / "home", path)
    except ConfigError as error:
        return str(error)
    return ""


def test_nothing_is_asked_by_default(tmp_path: Path) -> None:
    llm = load_settings(tmp_path).llm
    assert (llm.mode, llm.url, llm.usd_month) == ("off", "", 0.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('mode = "on"', "llm.mode is 'on'; expected: one of off, live, record, replay"),
        ('key_env = "sk-abcdef"', "llm.key_env is no name of an environment variable"),
        ('knows_until = "2026"', "llm.knows_until is '2026'; expected: a day"),
        ('knows_until = "20260101"', "expected: a day"),
        ("max_tokens = 0", "llm.max_tokens is 0"),
        ("timeout_s = 1e9", "llm.timeout_s is"),
        ('api_key = "x"', "unknown key 'api_key'"),
        ('mode = "live"\nknows_until = "2026-01-31"\nkey_env = "MODEL_KEY"', ""),
    ],
)
def test_what_is_refused(text: str, words: str, tmp_path: Path) -> None:
    refusal = settings(tmp_path, text)
    assert words in refusal
    assert bool(words) == bool(refusal)
    assert "sk-abcdef" not in refusal
