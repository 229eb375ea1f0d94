"""Endpoints: an address that gives nothing away, a model, prices; the key in no text."""

from dataclasses import replace

import pytest
from port_bed import endpoint

from lotus.coprocessor.model.calls import TokenPrices
from lotus.errors import ConfigError
from lotus_llm.endpoint import ModelEndpoint, key_of


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://127.0.0.1/v1", "http://example.com/v1", "https://user:pw@example.com/v1", "https://example.com/v1?k=1",
     "https://example.com/v1#x", "http://127.0.0.1:99999/v1", "https:///v1", "https://exa mple.com", "http://127.0.0.1.evil.example",
     "file:///etc/passwd", "https://[::1", "http://[::1", "http://[::1]x/v1"],
)  # fmt: skip
def test_addresses_that_cannot_be_asked(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        endpoint(url)
    assert "pw" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/v1", "http://localhost/v1/", "http://[::1]:80/v1", "https://example.com/v1"]
)
def test_addresses_that_can(url: str) -> None:
    assert endpoint(url).address.endswith("/v1/chat/completions")


def test_a_server_elsewhere_has_prices_and_every_model_a_name() -> None:
    with pytest.raises(ConfigError, match="no prices"):
        replace(endpoint("https://example.com/v1"), prices=TokenPrices(0.0, 1.0))
    with pytest.raises(ConfigError, match=r"llm\.model"):
        ModelEndpoint("http://127.0.0.1/v1", "x\n", True, 1, 1.0, TokenPrices(0.0, 0.0))


def test_the_key_is_of_the_environment_and_in_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_KEY", "sk-secret")
    assert key_of("MODEL_KEY") == "sk-secret"
    assert "sk-secret" not in repr(endpoint("http://127.0.0.1/v1", key="sk-secret"))
    assert key_of("") == ""
    for value in ("", "two words", "sk-secret\n"):
        monkeypatch.setenv("MODEL_KEY", value)
        with pytest.raises(ConfigError, match="MODEL_KEY") as refused:
            key_of("MODEL_KEY")
        assert "sk-secret" not in str(refused.value)
