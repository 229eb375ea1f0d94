"""Two owners of one live shard at once, the former without knowing it: no row of it is written.

`python tests/chaos/shard_owners.py --rounds 200`. In each round a log writes under a lease that runs out while it
writes, and never looks at its own clock, as a process that is stopped between its look and its write; another owner
takes the lease meanwhile and writes too. The database notes every row whose epoch is not that of the lease. A last
round writes without its epoch: it has to be noted, or the drill sees nothing. Exit code 1 where a row is stale.
"""

import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from lotus_live.reports.event_log import EventLog, LogBatch
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.shard_lease import ShardLease
from lotus_store.ledger.signals.live_log import LogEntry, Run, begin_run

TTL_S = 0.2
SHARD, RUN = "main 0/2", "main.live.0of2"
AUDIT = """
CREATE TABLE stale_rows (epoch text);
CREATE FUNCTION note_stale() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO stale_rows SELECT NEW.body->>'epoch' FROM shard_lease WHERE epoch::text <> NEW.body->>'epoch';
    RETURN NEW;
END $$;
CREATE TRIGGER note_stale AFTER INSERT ON live_log FOR EACH ROW EXECUTE FUNCTION note_stale();
"""
COUNTS = """
SELECT count(*) FILTER (WHERE epoch <> '0'), (SELECT count(*) FROM live_log), count(*) FILTER (WHERE epoch = '0')
FROM stale_rows
"""


class Believing(ShardLease):
    """A lease whose holder never looks at its clock."""

    @property
    def may_publish(self) -> bool:
        """Believe so until the database said otherwise."""
        return not self.is_lost


def run(databases: Databases, folder: Path, rounds: int, seed: int) -> dict[str, Any]:
    """Run the rounds; return the figures."""
    dice, refused, number = random.Random(seed), 0, 0
    with databases.owner("sig", autocommit=True) as sig:
        sig.execute(AUDIT)
    with databases.connect("sig") as sig:
        begin_run(sig, Run(RUN, "main", "live.0of2", False))
        sig.commit()
        for k in range(rounds):
            former, later = Believing(SHARD, f"former {k}", TTL_S), ShardLease(SHARD, f"later {k}", 30.0)
            while not former.take(sig):
                time.sleep(0.002)
            logs = [EventLog(databases, RUN, folder / "mark.json") for _ in range(2)]
            logs[0].lease, logs[1].lease = former, later
            until_s = time.monotonic() + TTL_S + dice.uniform(0.0, 0.02)
            while not later.epoch or time.monotonic() < until_s:
                number += 1
                logs[0].put(LogBatch(1, log=[LogEntry(number, 0, "test", {"epoch": str(former.epoch)})]))
                time.sleep(dice.uniform(0.0, 0.004))
                if not later.epoch and time.monotonic() > until_s - 0.02:
                    later.take(sig)
            for log, lease in zip(logs, (former, later), strict=True):
                number += 1
                log.put(LogBatch(1, log=[LogEntry(number, 0, "test", {"epoch": str(lease.epoch)})]))
            assert all(log.close() for log in logs)
            refused += former.is_lost
            later.give_back(sig)
        careless = EventLog(databases, RUN, folder / "mark.json")
        careless.put(LogBatch(1, log=[LogEntry(0, 0, "test", {"epoch": "0"})]))
        assert careless.close()
    with databases.owner("sig", autocommit=True) as sig:
        found = sig.execute(COUNTS).fetchone()
        sig.execute("DROP FUNCTION note_stale CASCADE")
        sig.execute("DROP TABLE stale_rows")
    stale, rows, noted = found or (-1, 0, 0)
    return {"rounds": rounds, "refused": refused, "rows": rows, "stale": stale, "careless_noted": noted}


@click.command()
@click.option("--rounds", type=int, default=200)
@click.option("--seed", type=int, default=7)
def main(rounds: int, seed: int) -> None:
    """Run the drill in a home of its own."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir(mode=0o755)
        with Databases(Settings(home)) as databases:
            found = run(databases, Path(folder), rounds, seed)
    click.echo(json.dumps(found, indent=1))
    sys.exit(1 if found["stale"] or found["refused"] < rounds or not found["careless_noted"] else 0)


if __name__ == "__main__":
    main()
