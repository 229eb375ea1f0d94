"""Faults of a venue, switched on by kind, place, count or chance: seeded, counted, and off unless asked for.

Decides only whether a fault strikes; the servers carry it out. In the literature: fault injection.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from lotus.errors import ConfigError


class FaultKind(StrEnum):
    """What can go wrong. The first seven strike requests, the others what is sent over a websocket."""

    ERROR_BEFORE = "error_before"  # HTTP 5xx, nothing done
    ERROR_AFTER = "error_after"  # HTTP 5xx although it was done
    HANG_BEFORE = "hang_before"  # no answer, nothing done
    HANG_AFTER = "hang_after"  # no answer although it was done
    TOO_MANY = "too_many"  # HTTP 429
    ONE_ERROR = "one_error"  # one error for the whole batch, nothing done; `unknownOid` on `info:orderStatus`
    SLOW = "slow"  # the answer comes `seconds` late
    DUPLICATE = "duplicate"  # a message of a user channel twice
    REORDER = "reorder"  # a message of a user channel after the next one
    DROP = "drop"  # a message of a user channel not at all
    SILENT = "silent"  # the socket stays open and sends nothing any more
    DISCONNECT = "disconnect"  # the socket ends without a close frame
    STALE_BOOK = "stale_book"  # the next `length` book frames of a coin are withheld


REQUEST_KINDS = frozenset(list(FaultKind)[:7])
STREAM_KINDS = frozenset(list(FaultKind)[7:12])
BOOK_KINDS = frozenset({FaultKind.STALE_BOOK})
HELD_S = 0.25  # a reordered message waits so long for the next one


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: strikes at the counts `at` (from 1) of what it is `on`, and else with `probability`.

    `on` is an action type (`order`), `info:TYPE`, a user channel (`userFills`), a coin (stale book), or `*`. At most
    `limit` strikes (None: no end). `status` is the HTTP status of an error.
    """

    kind: FaultKind
    on: str = "*"
    probability: float = 0.0
    at: tuple[int, ...] = ()
    limit: int | None = None
    status: int = 502
    seconds: float = 1.0
    length: int = 50


def read_faults(rows: Iterable[Mapping[str, Any]]) -> tuple[Fault, ...]:
    """Return faults from JSON rows; raises `ConfigError` for an unknown kind, key or a chance outside 0..1."""
    names = {f.name for f in fields(Fault)}
    faults = []
    for row in rows:
        if not isinstance(row, Mapping):
            raise ConfigError(f"{row!r} in the list of faults", "objects, each with a kind", "brackets are missing")
        if unknown := sorted(set(row) - names):
            raise ConfigError(f"fault with {', '.join(unknown)}", f"keys {', '.join(sorted(names))}")
        try:
            kind = FaultKind(row["kind"])
        except (KeyError, ValueError) as error:
            raise ConfigError(
                f"fault of kind {row.get('kind', '(none)')!r}", f"one of {', '.join(FaultKind)}"
            ) from error
        rest = {key: value for key, value in row.items() if key not in ("kind", "at")}
        fault = Fault(kind, at=tuple(row.get("at", ())), **rest)
        if not 0.0 <= fault.probability <= 1.0:
            raise ConfigError(f"probability {fault.probability} of {kind}", "0 to 1")
        faults.append(fault)
    return tuple(faults)


@dataclass(slots=True)
class Faults:
    """The faults in force with their random stream, how often each place was passed, and what struck."""

    seed: int = 0
    active: tuple[Fault, ...] = ()
    struck: Counter[str] = field(default_factory=Counter)
    _seen: Counter[int] = field(default_factory=Counter)
    _fired: Counter[int] = field(default_factory=Counter)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Start the random stream."""
        self._random = random.Random(self.seed)

    def switch(self, faults: Iterable[Fault]) -> None:
        """Put other faults in force (none: all off); counting starts anew, what struck stays counted."""
        self.active = tuple(faults)
        self._seen.clear()
        self._fired.clear()

    def draw(self, kinds: frozenset[FaultKind], place: str) -> Fault | None:
        """Return the fault of these kinds that strikes at a place now, None for none; every passing is counted."""
        drawn: Fault | None = None
        for index, fault in enumerate(self.active):
            if fault.kind not in kinds or fault.on not in ("*", place):
                continue
            self._seen[index] += 1
            chance = fault.probability > 0 and self._random.random() < fault.probability
            spent = fault.limit is not None and self._fired[index] >= fault.limit
            if drawn is None and not spent and (chance or self._seen[index] in fault.at):
                drawn = fault
                self._fired[index] += 1
                self.struck[f"{fault.kind}:{place}"] += 1
        return drawn
