"""How a local exchange is set up: accounts, clock, pace, limits, faults. Values only."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from lotus.manifest import Asset
from lotus_venues.local_exchange.engine.market import Listing
from lotus_venues.local_exchange.engine.values import ExitRules
from lotus_venues.local_exchange.faults import Fault

MAX_LEVERAGES: Mapping[str, int] = {"BTC": 40, "ETH": 25, "SOL": 20}
OTHER_LEVERAGE = 10


class TimeSource(StrEnum):
    """What the exchange's time is: the receive stamps of the tape, or the machine's clock."""

    TAPE = "tape"
    WALL = "wall"


def wall_ms() -> int:
    """Return the machine's time in ms."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """Set-up of one exchange.

    `accounts` deposits by address; `open_deposit_usd` funds any other signer at its first action (None: refuse them);
    A paced tape that is silent for longer than `longest_silence_s` of its time goes on at once (None: it waits).
    `agents` maps an agent's address to its master's. `speed` plays the tape at a multiple of its pace (0: as fast as
    clients read; None: only by `advance`), beginning after `start_after` market subscriptions. With `hold`
    such a tape stands before a line until that returns how far (ns, exclusive) it may go on. `client_ms` is the clock
    that nonces follow (the SDK takes its own machine's). `limit_scale` 0 switches rate limits off.
    `abstraction` is how accounts hold their money: with `unifiedAccount` the perp state tells none of it.
    Coins in `isolated` take no cross margin. `exit_rules` are the venue's rules for exits that are not known. Accounts
    pay at most the fees of `fee_tier`; actions take effect `latency_ms` of the exchange's clock after they came.
    """

    accounts: Mapping[str, Decimal] = field(default_factory=dict)
    agents: Mapping[str, str] = field(default_factory=dict)
    open_deposit_usd: Decimal | None = Decimal(100_000)
    clock: TimeSource = TimeSource.TAPE
    speed: float | None = None
    start_after: int = 0
    hold: Callable[[int], Awaitable[int]] | None = None
    longest_silence_s: float | None = None
    limit_scale: float = 1.0
    abstraction: str = "default"
    isolated: frozenset[str] = frozenset()
    exit_rules: ExitRules = field(default_factory=ExitRules)
    fee_tier: int = 0
    latency_ms: int = 0
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    repeats_trades: bool = True
    greets: bool = True
    idle_s: float = 60.0
    schedule_volume_usd: int = 1_000_000
    client_ms: Callable[[], int] = wall_ms
    wall_ms: Callable[[], int] = wall_ms


def listings_of(universe: Sequence[Asset], isolated: frozenset[str] = frozenset()) -> tuple[Listing, ...]:
    """Return the rows of `meta` for a universe, in its order."""
    return tuple(Listing(a, MAX_LEVERAGES.get(a.name, OTHER_LEVERAGE), a.name in isolated) for a in universe)


def micro(usd: Decimal) -> int:
    """Return dollars in millionths."""
    return int(usd * 1_000_000)
