"""The mirror of strands: what a module thought and did becomes rows of the atlas ledger, a moment later.

Strands are found by the time of their last change, looked for again over a minute, so that one that commits late is not
missed; the first look of a life takes all. Writing a row again changes nothing. (Literature: incremental view
maintenance with an overlap.)
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from lotus.modules.intents import Module
from lotus_herald.links import Links
from lotus_store.ledger import atlas

OVERLAP = timedelta(seconds=60)
EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class StrandMirror:
    """Up to which change the strands of each module are in the atlas."""

    links: Links
    _seen: dict[Module, datetime] = field(default_factory=dict)

    def look(self, module: Module) -> None:
        """Bring what changed; raises `LedgerError` or psycopg's errors when a database is down."""
        seen = self._seen.get(module)
        since = EVER if seen is None else seen - OVERLAP
        source, target = self.links.get(module.value, "consume"), self.links.get("atlas", "in")
        self._seen[module] = atlas.mirror_strands(source, target, module, since)
