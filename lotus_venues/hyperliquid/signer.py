"""The one signer of an account: an agent key that signs trading actions within its own caps, and nothing else.

It keeps its nonces and names in its journal, refuses every action that is not on its short list, and cannot sign for
mainnet unless the base address is exactly the venue's. Signing itself is the official SDK's. No request is sent here.
In the literature: capability restriction; least privilege.
"""

import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from eth_account import Account as EthAccount
from eth_account.signers.local import LocalAccount
from hyperliquid.utils.signing import sign_l1_action

from lotus.errors import ConfigError, VenueError
from lotus_venues.hyperliquid.caps import SignerCaps
from lotus_venues.hyperliquid.journal import SignerJournal
from lotus_venues.hyperliquid.order_check import CheckedOrder, checked_order

MAINNET_URL, TESTNET_URL = "https://api.hyperliquid.xyz", "https://api.hyperliquid-testnet.xyz"
FRESH_MS = 60_000
OPENING = frozenset({"order", "batchModify"})
SIGNED = OPENING | {"cancel", "cancelByCloid", "updateLeverage", "scheduleCancel", "noop"}
_KEYS: Mapping[str, frozenset[str]] = {
    "order": frozenset({"type", "orders", "grouping"}),
    "batchModify": frozenset({"type", "modifies"}),
    "cancel": frozenset({"type", "cancels"}),
    "cancelByCloid": frozenset({"type", "cancels"}),
    "updateLeverage": frozenset({"type", "asset", "isCross", "leverage"}),
    "scheduleCancel": frozenset({"type", "time"}),
    "noop": frozenset({"type"}),
}


@dataclass(slots=True)
class Exposure:
    """What is open at the venue as last seen, and what was signed to open since."""

    seen_usd: Decimal = Decimal(0)
    seen_ms: int = 0
    signed_usd: Decimal = Decimal(0)


class AgentSigner:
    """Signs for one account. `coins` stand at the venue's asset numbers; `reference` holds last seen prices.

    While `is_halted` says so, nothing that opens is signed.
    """

    def __init__(self, key: str, caps: SignerCaps, journal: SignerJournal, base_url: str) -> None:
        """Hold a key; raises `ConfigError` for one that is none."""
        try:
            self._wallet: LocalAccount = EthAccount.from_key(key)
        except Exception:
            raise ConfigError("the agent key is no private key", "0x and 64 hexadecimal characters") from None
        self.caps, self.journal, self.is_mainnet = caps, journal, base_url == MAINNET_URL
        self.coins: Sequence[str] = ()
        self.reference: dict[str, Decimal] = {}
        self.exposure = Exposure()
        self.is_halted: Callable[[], bool] = lambda: False

    @property
    def address(self) -> str:
        """Address of the key, in lower case."""
        return str(self._wallet.address).lower()

    def saw_open(self, usd: Decimal, now_ms: int, signed_before: Decimal) -> None:
        """Take the value that the venue says is open, positions and resting entries.

        `signed_before` is `exposure.signed_usd` as it was when the venue was asked: what came later still counts.
        Raises `VenueError` for a value that is no number or below zero: it would make room that is not there.
        """
        if not usd.is_finite() or usd < 0:
            raise VenueError(f"{usd} USD open", "a number, zero or above", "another form of the venue's answer")
        self.exposure = Exposure(usd, now_ms, max(self.exposure.signed_usd - signed_before, Decimal(0)))

    def sign(self, action: Mapping[str, Any], now_ms: int, expires_ms: int) -> dict[str, Any]:
        """Return the body of a signed request; raises `VenueError` when the action is not one that may be signed."""
        kind = action.get("type", "")
        if not isinstance(kind, str) or kind not in SIGNED or not set(action) <= _KEYS[kind]:
            raise VenueError(f"the signer was asked to sign {kind!r}", ", ".join(sorted(SIGNED)), "a fault elsewhere")
        orders = _orders_of(action)
        value = sum((self._value(order) for order in orders), Decimal(0))
        if not all(order.reduce_only for order in orders):
            self._check_opening(value, now_ms)
        nonce = self.journal.sign(now_ms, kind, [order.name for order in orders], value, expires_ms)
        self.exposure.signed_usd += value
        return self._body(action, nonce, expires_ms)

    def _check_opening(self, value_usd: Decimal, now_ms: int) -> None:
        """Raise `VenueError` when the switch is thrown, nobody knows what is open, or a sum would pass its cap."""
        if self.is_halted():  # after the expiry was set: what a process that slept sends later is expired
            raise VenueError("the kill switch is thrown", "a lifted one before anything is opened")
        if not 0 <= now_ms - self.exposure.seen_ms <= FRESH_MS:
            text = f"what is open was seen {now_ms - self.exposure.seen_ms} ms ago, so nobody knows what is open"
            raise VenueError(text, f"a look at the account within {FRESH_MS} ms", "no answers, or a clock set back")
        open_usd = self.exposure.seen_usd + self.exposure.signed_usd
        self.caps.check_sums(self.journal.value_of_day(now_ms) + value_usd, open_usd + value_usd)

    def _value(self, order: CheckedOrder) -> Decimal:
        """Return what an order can open (USD, 0 for one that only reduces), checked against the caps of one order."""
        if not 0 <= order.asset < len(self.coins):
            raise VenueError(f"asset {order.asset} is not known to the signer", f"below {len(self.coins)}")
        coin = self.coins[order.asset]
        value = order.size * max(order.px, self._last_px(coin))
        if order.reduce_only:
            if coin not in self.caps.max_size:
                self.caps.check_order(coin, order.size, value)
            return Decimal(0)
        self.caps.check_order(coin, order.size, value)
        return value

    def _last_px(self, coin: str) -> Decimal:
        last = self.reference.get(coin, Decimal(0))
        return last if last.is_finite() else Decimal(0)

    def _body(self, action: Mapping[str, Any], nonce: int, expires_ms: int) -> dict[str, Any]:
        signature = sign_l1_action(self._wallet, dict(action), None, nonce, expires_ms, self.is_mainnet)
        return {
            "action": dict(action),
            "nonce": nonce,
            "signature": signature,
            "vaultAddress": None,
            "expiresAfter": expires_ms,
        }


def _orders_of(action: Mapping[str, Any]) -> list[CheckedOrder]:
    """Return the orders that an action places or puts in another's place; raises `VenueError` for another form."""
    if action["type"] not in OPENING:
        return []
    rows = action.get("orders" if action["type"] == "order" else "modifies")
    if not isinstance(rows, list | tuple):
        raise VenueError(f"{action['type']} without a list of orders", "a list", "a fault elsewhere")
    if action["type"] == "order":
        return [checked_order(row) for row in rows]
    if not all(isinstance(row, Mapping) and set(row) == {"oid", "order"} for row in rows):
        raise VenueError("a modify of another form", "oid and order", "a fault elsewhere")
    return [checked_order(row["order"]) for row in rows]


def read_key(path: Path) -> str:
    """Return the agent key in a file that only its owner can read; raises `ConfigError` otherwise."""
    try:
        mode = path.stat().st_mode
        text = path.read_text().strip()
    except OSError as error:
        raise ConfigError(f"the agent key file cannot be read ({error.strerror})", "a file of the owner's") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"the agent key file {path.name} can be read by others", "mode 0600")
    return text
