"""Who signed a request: recovery by the venue's scheme, agents and their masters, nonces.

Only testnet signatures (source "b") are taken: the SDK signs so for every address but the mainnet's. A wrong signature
recovers to some other address, so the refusal names an address nobody knows, as at the venue.
"""

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hyperliquid.utils.signing import (
    recover_agent_or_user_from_l1_action,
    recover_user_from_user_signed_action,
)

from lotus.errors import VenueError
from lotus_venues.local_exchange import texts

KEPT_NONCES = 100
DAY_MS = 86_400_000
_APPROVE_AGENT = [
    {"name": "hyperliquidChain", "type": "string"},
    {"name": "agentAddress", "type": "address"},
    {"name": "agentName", "type": "string"},
    {"name": "nonce", "type": "uint64"},
]


class Refused(VenueError):
    """A whole request is refused; the text is the venue's."""


@dataclass(slots=True)
class Signers:
    """Agents with their masters, and the highest nonces of each signer. `client_ms` is the clock nonces follow."""

    client_ms: Callable[[], int]
    masters: dict[str, str] = field(default_factory=dict)
    nonces: dict[str, list[int]] = field(default_factory=dict)

    def signer_of(self, body: dict[str, Any], *, is_mainnet: bool = False) -> str:
        """Return the address (lower case) that signed a request body; raises `Refused` for what is no signature."""
        action, nonce = body["action"], body["nonce"]
        try:
            if action["type"] == "approveAgent":
                named = {"agentName": ""} | action
                found = recover_user_from_user_signed_action(
                    named, body["signature"], _APPROVE_AGENT, "HyperliquidTransaction:ApproveAgent", is_mainnet
                )
            else:
                vault, expires = body.get("vaultAddress"), body.get("expiresAfter")
                found = recover_agent_or_user_from_l1_action(
                    action, body["signature"], vault, nonce, expires, is_mainnet
                )
        except Exception as error:  # the SDK and its libraries raise many kinds for a malformed signature
            raise Refused("Unable to recover signer.") from error
        return str(found).lower()

    def approve(self, agent: str, master: str) -> None:
        """Let an agent key act for a master account."""
        self.masters[agent.lower()] = master.lower()

    def use_nonce(self, signer: str, nonce: int) -> None:
        """Take a nonce; raises `Refused` for one used before, too low, or too far from the clock."""
        now = self.client_ms()
        first, last = now - 2 * DAY_MS, now + DAY_MS
        if not first < nonce < last:
            raise Refused(texts.NONCE_WINDOW.format(nonce=nonce, first=first, last=last))
        used = self.nonces.setdefault(signer, [])
        if nonce in used:
            raise Refused(texts.DUPLICATE_NONCE.format(nonce=nonce))
        if len(used) >= KEPT_NONCES and nonce < used[0]:
            raise Refused(texts.LOW_NONCE.format(nonce=nonce, least=used[0]))
        insort(used, nonce)
        del used[:-KEPT_NONCES]
