"""Which of several accounts, each at a venue of its own, a plan is executed in, by what the venues did before.

The rows are read anew after `REREAD_MS` of event time, in the transaction that accepts a plan: what ended before is
known, what comes later changes no earlier choice. With one venue nothing is read and nothing drawn. How venues compare
is `lotus.trading.plan.venue_draw`'s.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lotus.trading.estimates.pre_trade import depth_within
from lotus.trading.estimates.predictor import MOST_HISTORY
from lotus.trading.estimates.venue_records import Key, VenueRecord, venue_records
from lotus.trading.plan.knobs import ExecutionKnobs
from lotus.trading.plan.plan import Plan
from lotus.trading.plan.validate import AccountState
from lotus.trading.plan.venue_choice import VenueScore
from lotus.trading.plan.venue_draw import VenueDraw, drawn_venue, scores_of
from lotus_store.databases import Connection
from lotus_store.ledger.trading.outcomes import venue_executions

REREAD_MS = 300_000
AccountsOf = Callable[[str], Sequence[str]]


def itself(account: str) -> Sequence[str]:
    """Return the accounts that stand for one at a desk of one venue: it alone."""
    return (account,)


@dataclass(frozen=True, slots=True)
class VenueChoice:
    """Where a plan goes: the account state that was chosen, the draw, and the scores of measured venues, best first."""

    account: AccountState
    draw: VenueDraw
    scores: tuple[VenueScore, ...]


@dataclass(slots=True)
class VenueChooser:
    """Chooses for one trader; `explore` is the share that goes elsewhere than it would, drawn by `seed`.

    `answering` returns the accounts that stand for one and whose venues answer, that of the first venue first;
    `every` all of them.
    """

    answering: AccountsOf = itself
    every: AccountsOf = itself
    explore: float = 0.0
    seed: int = 7
    _read: dict[str, tuple[int, Mapping[Key, VenueRecord]]] = field(default_factory=dict)

    def choice(
        self, connection: Connection, branch: str, plan: Plan, states: Sequence[AccountState], knobs: ExecutionKnobs
    ) -> VenueChoice:
        """Return the choice for a plan among two or more account states, that of the first venue first."""
        records = self._records(connection, branch, states[0].now_ms)
        by_venue = {state.venue: state for state in states}
        depths = {venue: depth_within(plan, state) for venue, state in by_venue.items()}
        scores = scores_of(plan, depths, records, knobs)
        draw = drawn_venue(plan, tuple(by_venue), scores, records, self.explore, self.seed)
        return VenueChoice(by_venue[draw.venue], draw, scores)

    def _records(self, connection: Connection, branch: str, now_ms: int) -> Mapping[Key, VenueRecord]:
        read_ms, records = self._read.get(branch, (0, {}))
        if not read_ms <= now_ms < read_ms + REREAD_MS:
            records = venue_records(venue_executions(connection, branch, before_ms=now_ms, most=MOST_HISTORY))
            self._read[branch] = now_ms, records
        return records
