"""The one form of an order that the signer reads: every number is plain, finite and above zero, nothing is unknown.

What it cannot read as the venue would, it refuses; so no sign, exponent or odd word changes what an order counts for.
Pure. In the literature: full recognition before processing (language-theoretic security).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from lotus.errors import VenueError

_PLAIN: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,8})?", re.ASCII)
_KEYS: Final = frozenset("abpsrtc")
_TRIGGER: Final = frozenset({"isMarket", "triggerPx", "tpsl"})
_CAUSE: Final = "a fault in what made the order"


@dataclass(frozen=True, slots=True)
class CheckedOrder:
    """What the signer needs of an order: asset number, size (base units), highest price it names (USD), its name."""

    asset: int
    size: Decimal
    px: Decimal
    reduce_only: bool
    name: str


def checked_order(wire: Any) -> CheckedOrder:
    """Return an order of the venue's form; raises `VenueError` for any other, or a price or size not above zero.

    >>> wire = {"a": 0, "b": True, "p": "100", "s": "0.5", "r": False, "t": {"limit": {"tif": "Ioc"}}, "c": "0x1"}
    >>> checked_order(wire).size
    Decimal('0.5')
    """
    if not isinstance(wire, Mapping) or set(wire) != _KEYS:
        raise VenueError("an order of another form", "the keys " + ", ".join(sorted(_KEYS)), _CAUSE)
    if type(wire["a"]) is not int or type(wire["b"]) is not bool or type(wire["r"]) is not bool:
        raise VenueError(
            "an order of another form", "a number for asset, true or false for side and reduce-only", _CAUSE
        )
    if type(wire["c"]) is not str or not wire["c"]:
        raise VenueError("an order without a name", "a client id", _CAUSE)
    px = max(positive("price", wire["p"]), _trigger_px(wire["t"]))
    return CheckedOrder(wire["a"], positive("size", wire["s"]), px, wire["r"], wire["c"])


def positive(what: str, text: Any) -> Decimal:
    """Return a number in plain digits (at most 12 before and 8 after the point); raises `VenueError` unless above 0."""
    value = Decimal(text) if type(text) is str and _PLAIN.fullmatch(text) else Decimal(0)
    if value <= 0:
        raise VenueError(f"{what} {text!r} in an order", "plain digits, above zero", _CAUSE)
    return value


def _trigger_px(kind: Any) -> Decimal:
    """Return the price at which an order wakes (it may trade there whatever its limit says), 0 for a limit order."""
    if isinstance(kind, Mapping) and set(kind) == {"limit"}:
        return Decimal(0)
    if isinstance(kind, Mapping) and set(kind) == {"trigger"} and isinstance(kind["trigger"], Mapping):
        trigger = kind["trigger"]
        if set(trigger) == _TRIGGER:
            return positive("trigger price", trigger["triggerPx"])
    raise VenueError("an order of another kind", "a limit or a trigger", _CAUSE)
