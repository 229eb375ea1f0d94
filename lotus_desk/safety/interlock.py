"""What is looked at while the desk trades, at its start and every minute: one release everywhere, arming in force.

A fault is written to the market snapshot, by which every plan is judged; nothing is opened while it stands. A ledger
that is away changes nothing of what was found before. (Literature: interlock.)
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psycopg

from lotus.errors import LotusError
from lotus_desk.market.snapshot import MarketSnapshot
from lotus_desk.safety.mismatches import mismatches
from lotus_store.databases import Databases

logger = logging.getLogger(__name__)

EVERY_S, HELD_S = 60.0, 5.0
UNKNOWN = "the modules were not compared yet"


@dataclass(slots=True)
class Interlock:
    """Writes to the market snapshot what holds trading; `holds` tells why an account may open nothing."""

    market: MarketSnapshot
    databases: Databases
    holds: Callable[[], Mapping[str, str]] = dict

    def look(self) -> None:
        """Look once; blocking."""
        before = (self.market.mismatch, self.market.holds)
        try:
            faults = mismatches(self.databases)
        except (psycopg.Error, LotusError, OSError) as problem:
            logger.warning("releases were not compared: %s", problem)
        else:
            more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
            self.market.mismatch = faults[0] + more if faults else ""
        self.market.holds = dict(self.holds())
        if (self.market.mismatch, self.market.holds) != before:
            held = [self.market.mismatch, *(f"{name}: {why}" for name, why in self.market.holds.items())]
            why = "; ".join(filter(None, held))
            if why:
                logger.warning("opening is held: %s", why)
            elif before[0] != UNKNOWN:
                logger.info("nothing holds opening any more")

    async def run(self) -> None:
        """Look every minute until cancelled, and sooner again while something is held."""
        while True:
            await asyncio.sleep(HELD_S if self.market.mismatch or self.market.holds else EVERY_S)
            await asyncio.to_thread(self.look)
