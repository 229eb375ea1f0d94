"""Size decimals of coins: a shipped table for common ones, and inference from the decimals seen for the rest.

The venue's own `meta` is the truth; recordings and archives come without it. What is inferred is flagged as such.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from lotus.errors import TapeError
from lotus.manifest import Asset
from lotus.names import is_name
from lotus_store.tape.header import HeaderAsset

# From the venue's `meta` answer of 2023-07-17, and HYPE; decimals of a listed coin do not change.
KNOWN: Final[dict[str, int]] = {
    "BTC": 5,
    "ETH": 4,
    "ATOM": 2,
    "MATIC": 1,
    "DYDX": 1,
    "SOL": 2,
    "AVAX": 2,
    "BNB": 3,
    "APE": 1,
    "OP": 1,
    "LTC": 2,
    "ARB": 1,
    "DOGE": 0,
    "INJ": 1,
    "SUI": 1,
    "kPEPE": 0,
    "CRV": 1,
    "LDO": 1,
    "LINK": 1,
    "STX": 1,
    "RNDR": 1,
    "CFX": 0,
    "FTM": 0,
    "GMX": 2,
    "SNX": 1,
    "XRP": 0,
    "BCH": 3,
    "APT": 2,
    "HYPE": 2,
}
_CHANNEL: Final = re.compile(rb'"channel"\s*:\s*"([^"]*)"')
_MARKET: Final = frozenset((b"l2Book", b"bbo", b"trades", b"activeAssetCtx"))
_COIN: Final = re.compile(rb'"coin"\s*:\s*"([^"\\]+)"')
_SIZE: Final = re.compile(rb'"sz"\s*:\s*"[0-9]+\.([0-9]*?)0*"')
_PRICE: Final = re.compile(rb'"px"\s*:\s*"[0-9]+\.([0-9]*?)0*"')
_MAX_DECIMALS: Final = 6
MAX_SEEN: Final = 4_096  # coins of one recording; the venue lists some hundreds, and each takes 0.13 MB a day


@dataclass(slots=True)
class CoinSurvey:
    """Coins seen in market frames and, for those not in the table, the most decimals their numbers showed."""

    coins: dict[str, None] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    prices: dict[str, int] = field(default_factory=dict)

    def see(self, frame: bytes) -> None:
        """Take one frame into account; frames of other channels than market data are passed over.

        So are coins whose name is none (`is_name`): they become no asset, and the decoder puts their lines aside.
        Raises `TapeError` for more than `MAX_SEEN` coins.
        """
        channel = _CHANNEL.search(frame)
        if channel is None or channel[1] not in _MARKET:
            return
        match = _COIN.search(frame)
        if match is None:
            return
        try:
            coin = match[1].decode()
        except UnicodeDecodeError:
            return
        if not is_name(coin):
            return
        self.coins[coin] = None
        if len(self.coins) > MAX_SEEN:
            raise TapeError(f"a recording with more than {MAX_SEEN} coins", "those of a venue", "made-up names")
        if coin not in KNOWN:
            for pattern, most in ((_SIZE, self.sizes), (_PRICE, self.prices)):
                shown = max((len(digits) for digits in pattern.findall(frame)), default=0)
                most[coin] = max(most.get(coin, 0), min(shown, _MAX_DECIMALS))

    def universe(self, first: Sequence[Asset] = ()) -> tuple[HeaderAsset, ...]:
        """Return the coins seen: those of `first` in its order, then known ones, then inferred ones by name.

        A coin of `first` has the units given there. Raises `TapeError` when no market frame was seen.
        """
        given = {asset.name: asset.sz_decimals for asset in first if asset.name in self.coins}
        names = [name for name in KNOWN if name in self.coins and name not in given]
        guessed = sorted(name for name in self.coins if name not in KNOWN and name not in given)
        if not self.coins:
            raise TapeError("no market data frame in the source", "l2Book, bbo, trades or activeAssetCtx frames")
        return (
            *(HeaderAsset(name, decimals) for name, decimals in given.items()),
            *(HeaderAsset(name, KNOWN[name]) for name in names),
            *(HeaderAsset(name, self._guess(name), True) for name in guessed),
        )

    def _guess(self, coin: str) -> int:
        return min(self.sizes.get(coin, 0), _MAX_DECIMALS - self.prices.get(coin, 0))


def survey(frames: Iterable[bytes]) -> CoinSurvey:
    """Return the survey of some frames."""
    seen = CoinSurvey()
    for frame in frames:
        seen.see(frame)
    return seen
