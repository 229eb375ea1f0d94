"""A signer and orders for the tests of its caps."""

from decimal import Decimal

from lotus_venues.hyperliquid.caps import SignerCaps
from lotus_venues.hyperliquid.journal import SignerJournal
from lotus_venues.hyperliquid.signer import AgentSigner

KEY = "0x" + "11" * 32
NOW = 1_760_000_000_000
CAPS = SignerCaps(Decimal(1000), Decimal(2500), Decimal(2000), {"BTC": Decimal("0.01"), "ETH": Decimal(1)})


def signer(journal: SignerJournal, url: str = "http://127.0.0.1:1") -> AgentSigner:
    """Return a signer that has just looked at an empty account."""
    made = AgentSigner(KEY, CAPS, journal, url)
    made.coins = ["BTC", "ETH", "DOGE"]
    made.saw_open(Decimal(0), NOW, Decimal(0))
    return made
