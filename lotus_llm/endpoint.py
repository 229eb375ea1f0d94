"""Where a model answers, as one checked value: address, model, limits and the key.

The key comes out of the environment and is in no message, row, cassette or error. A key travels over https alone, or
stays on this machine.
"""

import os
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import httpx

from lotus.coprocessor.model.calls import TokenPrices
from lotus.errors import ConfigError

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
MODEL_FORM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@+-]{0,127}")
KEY_FORM: Final = re.compile(r"[\x21-\x7e]{1,512}")


@dataclass(frozen=True, slots=True)
class ModelEndpoint:
    """The base address (`POST {url}/chat/completions`), the model, limits in tokens and seconds, prices, the key."""

    url: str
    model: str
    structured: bool
    max_tokens: int
    timeout_s: float
    prices: TokenPrices
    key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Raise `ConfigError` for an address, a model or prices that cannot be asked."""
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname or "", parts.port
            host = host if httpx.URL(self.url).host == host else ""  # who is checked is who is asked
        except (ValueError, httpx.InvalidURL):
            parts, host = urlsplit(""), ""
        plain = re.fullmatch(r"[\x21-\x7e]+", self.url) and not (parts.query or parts.fragment or "@" in parts.netloc)
        if not plain or not host or parts.scheme not in ("http", "https"):
            raise ConfigError("llm.url is no address of a model", "https://HOST/v1, without user, query or fragment")
        if parts.scheme == "http" and host not in LOOPBACK:
            cause = "key and prompt would travel in the clear"
            raise ConfigError(f"llm.url asks {host} over http", "https, or a server of this machine", cause)
        if not MODEL_FORM.fullmatch(self.model):
            raise ConfigError(f"llm.model is {self.model[:80]!r}", "the name that the server gives it")
        if not self.loopback and not (self.prices.usd_per_mtok_in > 0 < self.prices.usd_per_mtok_out):
            raise ConfigError(
                "llm has no prices", "usd_per_mtok_in and usd_per_mtok_out above 0 for a server elsewhere"
            )

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine."""
        return (urlsplit(self.url).hostname or "") in LOOPBACK

    @property
    def address(self) -> str:
        """The address that is posted to."""
        return f"{self.url.rstrip('/')}/chat/completions"


def key_of(name: str) -> str:
    """Return the key in an environment variable ("" for no name); raises `ConfigError`, which does not show it."""
    if not name:
        return ""
    key = os.environ.get(name, "")
    if not KEY_FORM.fullmatch(key):
        found = f"the environment variable {name} of llm.key_env holds no key"
        raise ConfigError(found, "1 to 512 printable characters", "it is not set, or holds a blank")
    return key
