"""The arming of an account for real orders: a file that a person's typed sentence made, good for some days.

It names what was agreed to by hash: caps, settings, release, account and keys. When one of them changes it holds no
more. It guards against mistakes, not against somebody who can write in the home. (Literature: two-man rule, typed.)
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

from lotus.hashing import natural_id
from lotus.json_text import read_json
from lotus.names import path_step
from lotus.timebase import DAY_MS
from lotus_store.private import write_secret


@dataclass(frozen=True, slots=True)
class Arming:
    """What was agreed to: account and address, until when (unix ms), on which terms (a hash), at what equity."""

    account: str
    address: str
    until_ms: int
    terms: str
    equity_usd: str


def arming_path(home: Path, account: str) -> Path:
    """Return the file that arms an account."""
    return home / "live" / "armed" / f"{path_step(account)}.json"


def terms_hash(parts: Mapping[str, str]) -> str:
    """Return the hash of what is agreed to, whatever the order of its parts."""
    return natural_id("armed", *(f"{name}={parts[name]}" for name in sorted(parts)))


def sentence(account: str, address: str, max_open_usd: Decimal) -> str:
    """Return the exact sentence that a person types.

    >>> sentence("book", "0xab12", Decimal("3000"))
    'trade real money in book 0xab12 with up to 3000 USD open'
    """
    return f"trade real money in {account} {address} with up to {max_open_usd} USD open"


def arm(home: Path, arming: Arming) -> None:
    """Write the file, readable by its owner only."""
    path = arming_path(home, arming.account)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(path, json.dumps(asdict(arming)))


def disarm(home: Path, account: str) -> None:
    """Take the arming of an account back; a desk that trades opens nothing there after a minute at the latest."""
    path = arming_path(home, account)
    path.unlink(missing_ok=True)


def read_arming(home: Path, account: str) -> Arming | None:
    """Return the arming of an account, None when there is none that can be read."""
    try:
        return Arming(**read_json(arming_path(home, account).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def arming_fault(arming: Arming | None, address: str, terms: str, now_ms: int) -> str:
    """Return why an arming does not hold now; empty when it does."""
    if arming is None:
        return "the account is not armed; expected a typed confirmation by `lotus arm`"
    faults = []
    if arming.address != address:
        faults.append(f"it was armed for {arming.address}; expected {address}")
    if arming.terms != terms:
        faults.append("caps, settings, release or keys changed since it was armed; expected those agreed to")
    if now_ms >= arming.until_ms:
        days = (now_ms - arming.until_ms) / DAY_MS
        faults.append(f"its arming ended {days:.1f} days ago; expected one in force")
    return "; ".join(faults)


def was_armed(home: Path, account: str) -> bool:
    """Tell whether an account was ever armed and not disarmed since, in force or not."""
    return read_arming(home, account) is not None


def wall_ms() -> int:
    """Return the machine's time in ms."""
    return time.time_ns() // 1_000_000
