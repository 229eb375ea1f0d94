"""Over a faulty lotus.toml the watchdog watches as before."""

from pathlib import Path

import pytest

from lotus.errors import ConfigError
from lotus_desk.watch.kept_settings import keep_settings, watched_settings
from lotus_store.config import Settings
from lotus_store.settings.sections import SafetySettings, TradingSettings

FAULTY = ("[trading\n", '[trading]\nvenue = "moon"\n', "[safety]\ndead_s = -1\n", "[what]\nx = 1\n", "\xff")


def of(home: Path, url: str = "http://127.0.0.1:1") -> Settings:
    return Settings(home, trading=TradingSettings(venue="local", url=url), safety=SafetySettings(dead_s=7.0))


@pytest.mark.parametrize("text", FAULTY)
def test_over_a_faulty_lotus_toml_it_watches_as_before(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    config = tmp_path / "lotus.toml"
    config.write_text(text, "latin-1")
    monkeypatch.setenv("LOTUS_HOME", str(tmp_path))
    monkeypatch.setenv("LOTUS_CONFIG", str(config))
    with pytest.raises(ConfigError):
        watched_settings()
    keep_settings(of(tmp_path))
    found = watched_settings()
    assert (found.home, found.trading, found.safety) == (tmp_path, of(tmp_path).trading, of(tmp_path).safety)
    assert "settings cannot be read" in caplog.text
