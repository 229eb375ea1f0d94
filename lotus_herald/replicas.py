"""Awareness: a process registers what it can do, beats while it lives, and is given the messages that it serves best.

A replica that is silent for half a heartbeat interval is dead: the Herald looks every quarter, and gives its waiting
messages to the strongest one alive that handles them. With one replica or none, a message is anybody's. How strength is
computed stands in `lotus.modules.partnership`, the identity of a process in `identity`.
(Literature: failure detector by heartbeat, service registry.)
"""

import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lotus.modules.intents import Intent, Module
from lotus.modules.partnership import Partner, best, observe
from lotus_herald.carry import DOWN
from lotus_herald.links import Links
from lotus_herald.routes import Routes
from lotus_store.databases import Connection
from lotus_store.ledger.messages import replicas
from lotus_store.ledger.messages.boxes import Received

FAILING = 0.2  # reliability below which a replica calls itself failing
FAULTS = 3  # handler faults in a row after which it does so too


@dataclass(slots=True)
class Replica:
    """One process as one of a module's replicas; `applied` is handed to its consumer (`Consumer.on_applied`)."""

    module: Module
    replica_id: str
    capabilities: Sequence[str] = ()
    accepts: Sequence[str] = ()
    produces: Sequence[str] = ()
    preferred: Sequence[str] = ()
    partner: Partner = field(default_factory=Partner)
    faults: int = 0
    _next_beat: float = -float("inf")

    @property
    def health(self) -> str:
        """`ok`, `faulty` while its last messages broke a handler, or `failing`: then others get its messages."""
        if self.partner.reliability < FAILING or self.faults >= FAULTS:
            return "failing"
        return "faulty" if self.faults else "ok"

    def register(self, connection: Connection) -> None:
        """Write the identity; what was measured under this name before goes on."""
        process = f"{socket.gethostname()}:{os.getpid()}"
        row = replicas.ReplicaRow(
            replica_id=self.replica_id,
            process=process,
            capabilities=list(self.capabilities),
            accepts=list(self.accepts),
            produces=list(self.produces),
            preferred=list(self.preferred),
            health=self.health,
            latency_ms=self.partner.latency_ms,
            reliability=self.partner.reliability,
            strength=self.partner.strength,
            applied=0,
            silent_s=0.0,
            ended=False,
        )
        self.partner = replicas.put_replica(connection, self.module.value, row)

    def applied(self, rows: Sequence[Received], outcomes: Mapping[str, str]) -> None:
        """Take in what a committed batch shows about latency and reliability."""
        now = datetime.now(UTC)
        for row in rows:
            if row.event_id in outcomes:
                latency_ms = (now - row.received_at).total_seconds() * 1000.0
                self.partner = observe(self.partner, latency_ms, outcomes[row.event_id] != "dead")
                self.faults = 0

    def broke(self) -> None:
        """Take in that a handler broke on a message, which waits on; the next beat follows at once."""
        self.partner = observe(self.partner, self.partner.latency_ms, well=False)
        self.faults += 1
        self._next_beat = -float("inf")

    def is_due(self) -> bool:
        """Tell whether a quarter of the heartbeat interval is over since the last beat."""
        return time.monotonic() >= self._next_beat

    def beat(self, connection: Connection, routes: Routes | None = None) -> None:
        """Beat when it is due."""
        if self.is_due():
            replicas.beat(connection, self.module.value, self.replica_id, self.partner, self.health)
            self._next_beat = time.monotonic() + (routes or Routes()).heartbeat_s / 4

    @contextmanager
    def on_duty(self, connection: Connection) -> Iterator[None]:
        """Register for the time of the block; what a handler raises in it is a fault, a lost database is not."""
        self.register(connection)
        try:
            yield
        except DOWN:
            raise
        except Exception:
            self.broke()
            raise
        finally:
            with suppress(*DOWN):
                self.end(connection)

    def end(self, connection: Connection) -> None:
        """Leave in good order."""
        replicas.beat(connection, self.module.value, self.replica_id, self.partner, self.health, ended=True)


@dataclass(slots=True)
class Directory:
    """Who is alive, as the Herald sees it; looked up every quarter of a heartbeat."""

    links: Links
    routes: Routes = field(default_factory=Routes)
    _live: dict[Module, list[replicas.Live]] = field(default_factory=dict)
    _next_look: dict[Module, float] = field(default_factory=dict)

    def choose(self, inbox: Connection, target: Module, intent: Intent) -> str | None:
        """Return the replica that gets a target's messages of an intent: the strongest of those that handle it.

        None when the target has fewer than two replicas, or none for this intent.
        """
        if target not in self._live:
            self._live[target] = replicas.live_replicas(inbox, target.value, self.routes.heartbeat_s / 2)
        live = self._live[target]
        return best({x.replica_id: x.strength for x in live if intent in x.capabilities}) if len(live) > 1 else None

    def is_due(self, module: Module) -> bool:
        """Tell whether it is time to look at a module's replicas."""
        return time.monotonic() >= self._next_look.get(module, -float("inf"))

    def look(self, modules: Iterable[Module] = Module) -> int:
        """See who died, where it is time; redirect what waited for them and return how much it was."""
        moved = 0
        for module in modules:
            if not self.is_due(module):
                continue
            self._next_look[module] = time.monotonic() + self.routes.heartbeat_s / 4
            with suppress(*DOWN):
                inbox = self.links.get(module.value, "in")
                live = replicas.live_replicas(inbox, module.value, self.routes.heartbeat_s / 2)
                moved += replicas.redirect(inbox, module.value, [x.replica_id for x in live])
                self._live[module] = live
        return moved
