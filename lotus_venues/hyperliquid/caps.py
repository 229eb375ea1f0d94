"""The signer's own limits, from its own file: what it will never put its name to, whatever the rest of Lotus asks.

The file is TOML; `size` is the largest order of a coin in base units, which holds whatever price is named:

    max_order_usd = "1000"
    max_day_usd = "20000"
    max_open_usd = "3000"
    [coins]
    BTC = "0.01"

Pure but for reading that file. In the literature: pre-trade risk limits behind a separate trust boundary.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from lotus.errors import ConfigError, VenueError

_KEYS = frozenset({"max_order_usd", "max_day_usd", "max_open_usd", "coins"})


@dataclass(frozen=True, slots=True)
class SignerCaps:
    """Largest value of one order, of all opening orders of a UTC day, of all that is open; largest size by coin."""

    max_order_usd: Decimal
    max_day_usd: Decimal
    max_open_usd: Decimal
    max_size: Mapping[str, Decimal]

    def check_order(self, coin: str, size: Decimal, value_usd: Decimal) -> None:
        """Raise `VenueError` for a coin that is not listed, a size or a value (both above zero) beyond the caps."""
        if coin not in self.max_size:
            raise VenueError(f"the signer does not sign for {coin}", ", ".join(self.max_size), "its own caps file")
        if not (size.is_finite() and value_usd.is_finite() and size > 0 and value_usd > 0):
            raise VenueError(f"{size} {coin} for {value_usd} USD", "finite and above zero", "a fault elsewhere")
        if size > self.max_size[coin]:
            raise VenueError(f"{size} {coin} in one order", f"at most {self.max_size[coin]}", "the signer's caps file")
        if value_usd > self.max_order_usd:
            raise VenueError(f"an order of {value_usd} USD", f"at most {self.max_order_usd}", "the signer's caps file")

    def check_sums(self, day_usd: Decimal, open_usd: Decimal) -> None:
        """Raise `VenueError` when a day's or the open value would pass its cap."""
        if day_usd > self.max_day_usd:
            raise VenueError(f"{day_usd} USD signed today", f"at most {self.max_day_usd}", "the signer's caps file")
        if open_usd > self.max_open_usd:
            raise VenueError(f"{open_usd} USD open", f"at most {self.max_open_usd}", "the signer's caps file")


def closing_caps(coins: Iterable[str]) -> SignerCaps:
    """Return caps under which nothing that opens is signed, and whatever reduces one of these coins is."""
    nothing = Decimal(0)
    return SignerCaps(nothing, nothing, nothing, dict.fromkeys(coins, nothing))


def read_caps(path: Path) -> SignerCaps:
    """Read the signer's file; raises `ConfigError` unless every cap is there, positive and nothing else is."""
    try:
        raw = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"the signer's caps {path.name} cannot be read ({error})", "a TOML file") from error
    if set(raw) != _KEYS or not isinstance(raw["coins"], dict) or not raw["coins"]:
        raise ConfigError(f"the signer's caps hold {', '.join(sorted(raw))}", ", ".join(sorted(_KEYS)))
    values = {key: _positive(key, raw[key]) for key in sorted(_KEYS - {"coins"})}
    sizes = {str(coin): _positive(coin, size) for coin, size in raw["coins"].items()}
    return SignerCaps(values["max_order_usd"], values["max_day_usd"], values["max_open_usd"], sizes)


def _positive(key: str, raw: Any) -> Decimal:
    try:
        value = Decimal(raw) if isinstance(raw, str | int) else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value <= 0:
        raise ConfigError(f"cap {key} is {raw!r}", "a positive number, in quotes when it has decimals")
    return value
