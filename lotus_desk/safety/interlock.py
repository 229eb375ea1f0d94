"""What is looked at while the desk trades, at its start and every minute: one release everywhere, arming in force.

A fault is written on the floor, where every plan is judged; nothing is opened while it stands. A ledger that is away
changes nothing of what was found before. (Literature: interlock.)
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psycopg

from lotus.errors import LotusError
from lotus_desk.market.floor import TradingFloor
from lotus_desk.safety.mismatches import mismatches
from lotus_store.databases import Databases

logger = logging.getLogger(__name__)

EVERY_S, HELD_S = 60.0, 5.0
UNKNOWN = "the modules were not compared yet"


@dataclass(slots=True)
class Interlock:
    """Writes on the floor what holds trading; `holds` tells why an account may open nothing, empty for none."""

    floor: TradingFloor
    databases: Databases
    holds: Callable[[], Mapping[str, str]] = dict

    def look(self) -> None:
        """Look once; blocking."""
        before = (self.floor.mismatch, self.floor.holds)
        try:
            found = mismatches(self.databases)
        except (psycopg.Error, LotusError, OSError) as problem:
            logger.warning("releases were not compared: %s", problem)
        else:
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            self.floor.mismatch = found[0] + more if found else ""
        self.floor.holds = dict(self.holds())
        if (self.floor.mismatch, self.floor.holds) != before:
            held = [self.floor.mismatch, *(f"{name}: {why}" for name, why in self.floor.holds.items())]
            why = "; ".join(filter(None, held))
            if why:
                logger.warning("opening is held: %s", why)
            elif before[0] != UNKNOWN:
                logger.info("nothing holds opening any more")

    async def run(self) -> None:
        """Look every minute until cancelled, and sooner again while something is held."""
        while True:
            await asyncio.sleep(HELD_S if self.floor.mismatch or self.floor.holds else EVERY_S)
            await asyncio.to_thread(self.look)
