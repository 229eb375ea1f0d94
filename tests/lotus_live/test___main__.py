"""What the daemon's own process trades at, by its arguments and settings."""

from pathlib import Path
from typing import Any

import pytest

from lotus_live import __main__ as main_module


@pytest.mark.parametrize(
    ("venue", "words", "trades_at"),
    [
        ("off", ["--day", "2026-01-18"], "local"),
        ("local", ["--day", "2026-01-18"], "local"),
        ("hyperliquid", ["--day", "2026-01-18"], "local"),
        ("paper", ["--day", "2026-01-18"], "paper"),
        ("off", [], ""),
        ("paper", [], "paper"),
        ("local", [], "local"),
    ],
)
def test_a_stored_day_is_traded_at_a_local_exchange_unless_on_paper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, venue: str, words: list[str], trades_at: str
) -> None:
    config = tmp_path / "lotus.toml"
    config.write_text(f'[trading]\nvenue = "{venue}"\n')
    monkeypatch.setenv("LOTUS_CONFIG", str(config))
    monkeypatch.setenv("LOTUS_HOME", str(tmp_path / "home"))
    asked: list[str] = []

    def run_live(settings: Any, *_: Any, trade: bool, **__: Any) -> None:
        asked.append(settings.trading.venue if trade else "")

    monkeypatch.setattr(main_module, "run_live", run_live)
    assert main_module.main(words) == 0
    assert asked == [trades_at]


@pytest.mark.parametrize(("words", "exchanges"), [([], 2), (["--venues", "1"], 1), (["--venues", "2"], 2)])
def test_a_stored_day_is_traded_at_as_many_exchanges_as_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], exchanges: int
) -> None:
    config = tmp_path / "lotus.toml"
    config.write_text("[trading]\nexchanges = 2\n")
    monkeypatch.setenv("LOTUS_CONFIG", str(config))
    monkeypatch.setenv("LOTUS_HOME", str(tmp_path / "home"))
    asked: list[int] = []
    monkeypatch.setattr(main_module, "run_live", lambda given, *_, **__: asked.append(given.trading.exchanges))
    assert main_module.main(["--day", "2026-01-18", *words]) == 0
    assert asked == [exchanges]
