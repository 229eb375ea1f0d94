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
from lotus_venues.local_exchange.requests import error_messages

KEPT_NONCES = 100
DAY_MS = 86_400_000
NEVER_MS = 4_102_444_800_000  # 2100
LONGEST_AGENT_MS = 180 * DAY_MS
_ENDS = " valid_until "  # inside the name of an approval, before its last ms
_APPROVE_AGENT = [
    {"name": "hyperliquidChain", "type": "string"},
    {"name": "agentAddress", "type": "address"},
    {"name": "agentName", "type": "string"},
    {"name": "nonce", "type": "uint64"},
]


class RequestRefused(VenueError):
    """A whole request is refused; the text is the venue's."""


@dataclass(frozen=True, slots=True)
class Agent:
    """A key that trades for `master` until a time (ms); one name of a master is one agent, and so is no name ("")."""

    master: str
    name: str
    until_ms: int


@dataclass(slots=True)
class Signers:
    """Agents by address, and the highest nonces of each signer. `client_ms` is the clock nonces follow."""

    client_ms: Callable[[], int]
    agents: dict[str, Agent] = field(default_factory=dict)
    nonces: dict[str, list[int]] = field(default_factory=dict)

    def signer_of(self, body: dict[str, Any], *, is_mainnet: bool = False) -> str:
        """Return the address (lower case) that signed a request body; raises `RequestRefused` for no signature."""
        action, nonce = body["action"], body["nonce"]
        try:
            if action["type"] == "approveAgent":
                named = {"agentName": ""} | action
                address = recover_user_from_user_signed_action(
                    named, body["signature"], _APPROVE_AGENT, "HyperliquidTransaction:ApproveAgent", is_mainnet
                )
            else:
                vault, expires = body.get("vaultAddress"), body.get("expiresAfter")
                address = recover_agent_or_user_from_l1_action(
                    action, body["signature"], vault, nonce, expires, is_mainnet
                )
        except Exception as error:  # the SDK and its libraries raise many kinds for a malformed signature
            raise RequestRefused("Unable to recover signer.") from error
        return str(address).lower()

    def approve(self, agent: str, master: str, name: str | None = None, until_ms: int = NEVER_MS) -> None:
        """Let an agent key act for a master, in the place of the agent of that name (None: a name of its own)."""
        made = Agent(master.lower(), agent.lower() if name is None else name, until_ms)
        self.agents = {a: had for a, had in self.agents.items() if (had.master, had.name) != (made.master, made.name)}
        self.agents[agent.lower()] = made

    def approve_named(self, agent: str, master: str, name: str, now_ms: int) -> None:
        """Approve as an account asks for it: its name may say until when, at most 180 days ahead."""
        plain, _, until = name.partition(_ENDS)
        last_ms = now_ms + LONGEST_AGENT_MS
        self.approve(agent, master, plain, min(int(until), last_ms) if until else last_ms)

    def master_of(self, address: str, now_ms: int) -> str | None:
        """Return the account that an address trades for now; None when it is no agent, or no longer."""
        agent = self.agents.get(address)
        return agent.master if agent is not None and now_ms < agent.until_ms else None

    def use_nonce(self, signer: str, nonce: int) -> None:
        """Take a nonce; raises `RequestRefused` for one used before, too low, or too far from the clock."""
        now = self.client_ms()
        first, last = now - 2 * DAY_MS, now + DAY_MS
        if not first < nonce < last:
            raise RequestRefused(error_messages.NONCE_WINDOW.format(nonce=nonce, first=first, last=last))
        used = self.nonces.setdefault(signer, [])
        if nonce in used:
            raise RequestRefused(error_messages.DUPLICATE_NONCE.format(nonce=nonce))
        if len(used) >= KEPT_NONCES and nonce < used[0]:
            raise RequestRefused(error_messages.LOW_NONCE.format(nonce=nonce, least=used[0]))
        insort(used, nonce)
        del used[:-KEPT_NONCES]
