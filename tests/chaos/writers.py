"""Writers that commit out of order: does the Herald skip a row, or take a late commit for a gap?

`python tests/chaos/writers.py --messages 1000000 --writers 32`. Every writer takes its numbers from a sequence, outside
of the outbox's lock, and waits a random time before COMMIT, so that numbers become visible in any order while the
Herald carries and looks for gaps. A cursor of the form `seq > last` runs beside it, to show that it would lose rows.
"""

import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent))

from children import spawn
from message_children import said

from lotus.modules.envelope import seal, signed_json
from lotus.modules.intents import Module
from lotus_herald.carry import Carrier
from lotus_herald.gaps import GapWatch
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.release import release_of
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.messages import herald_books, identities
from lotus_store.postgres.queries import message_rows

NUMBERS = "CREATE SEQUENCE IF NOT EXISTS chaos_numbers"
TAKE = "SELECT nextval('chaos_numbers') FROM generate_series(1, %s)"
CURSOR = "SELECT COALESCE(max(seq), 0), count(*) FROM sig_outbox WHERE seq > %s"


def write(home: Path, writer: int, n: int, together: int) -> int:
    """Write `n` messages in transactions of `together`, each committed after a random delay."""
    dice, keys = random.Random(writer), Keys(home / "keys")
    with Databases(Settings(home), migrated=False) as databases, closing(databases.connect("sig")) as connection:
        for start in range(0, n, together):
            size = min(together, n - start)
            numbers = [int(str(row[0])) for row in connection.execute(TAKE, [size])]
            rows = []
            for k, seq in enumerate(numbers):
                envelope = seal(said(f"w{writer}-{start + k}", Module.DM), Module.SIG, seq, release_of(Module.SIG))
                signed = envelope.signed_text()
                text = signed_json(signed, keys.sign_text("sig", signed))
                rows.append((seq, envelope.event_id, envelope.dedupe_key, envelope.lifecycle_id, "main",
                             envelope.intent.value, 0, text))  # fmt: skip
            connection.execute(*message_rows("sig", "put_outbox", rows))
            time.sleep(dice.choice((0.0, 0.005, 0.02, 0.1)) * dice.random())
            connection.commit()
    return n


def prepare(home: Path) -> int:
    """Make the databases, the sequence and the identity."""
    with Databases(Settings(home)) as databases, databases.owner("sig") as connection:
        connection.execute(NUMBERS)
        identities.put_key(connection, "sig", Keys(home / "keys").verify_key("sig"), release_of(Module.SIG))
    return 0


def run(home: Path, n: int, writers: int, together: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Run writers and the Herald until everything is carried; return the figures."""
    began = time.monotonic()
    first = spawn(partial(prepare, home), home.with_suffix(".prepared"))
    first.wait(120)
    first.answer()
    shares = [n // writers + (k < n % writers) for k in range(writers)]
    kids = [
        spawn(partial(write, home, k, share, together), home.with_name(f"writer-{k}.json"))
        for k, share in enumerate(shares)
    ]
    seen_by_cursor, last, carried = 0, 0, 0
    with Databases(Settings(home), migrated=False) as databases, Links(databases) as links:
        carrier, watch = Carrier(links, "main"), GapWatch(links)
        living = True
        while living or carried < n:
            living = sum(kid.alive() for kid in kids) > 0
            done = carrier.carry(None, [Module.SIG]).total
            carried += done
            row = links.get("sig", "out").execute(CURSOR, [last]).fetchone() or (0, 0)
            last, seen_by_cursor = max(last, int(str(row[0]))), seen_by_cursor + int(str(row[1]))
            watch.look(Module.SIG)
            if not done and not living:
                break
        tell(f"{carried} carried in {time.monotonic() - began:.0f} s")
        for kid in kids:
            kid.answer()
        with databases.connect("dm") as dm, databases.connect("sig") as sig:
            count = dm.execute("SELECT count(*), count(DISTINCT dedupe_key) FROM dm_inbox").fetchone() or (0, 0)
            gaps = herald_books.gaps(sig, "sig")
    return {
        "messages": n,
        "writers": writers,
        "skipped": n - int(str(count[1])),
        "doubled": int(str(count[0])) - int(str(count[1])),
        "false_gaps": len(gaps),
        "a_cursor_would_have_skipped": n - seen_by_cursor,
        "seconds": round(time.monotonic() - began, 1),
    }


@click.command()
@click.option("--messages", "n", default=1_000_000, show_default=True)
@click.option("--writers", default=32, show_default=True)
@click.option("--together", default=50, show_default=True, help="Messages of one transaction.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(n: int, writers: int, together: int, as_json: bool) -> None:
    """Write out of order while the Herald carries."""
    folder = Path(tempfile.mkdtemp(prefix="lotus-writers-"))
    folder.chmod(0o755)
    home = folder / "home"
    home.mkdir(mode=0o755)
    found = run(home, n, writers, together, lambda text: print(text, file=sys.stderr, flush=True))
    shutil.rmtree(folder)
    print(json.dumps(found) if as_json else "\n".join(f"{key:<28} {value}" for key, value in found.items()))
    sys.exit(0 if found["skipped"] == found["doubled"] == found["false_gaps"] == 0 else 1)


if __name__ == "__main__":
    main()
