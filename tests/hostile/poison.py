"""Floods of one module: forged rows, claims of urgency, bad payloads and messages that break their handler, over quota.

`poison.py --rounds N --seed S` lets sig flood dm a second at a time through a whole Herald, with a quota of `QUOTA` a
minute and a queue of `QUEUE`, while vis says a few ordinary messages and sig itself some urgent ones. A fault is
anything forged or refused that was applied, an urgent message or one of vis that was not, more ordinary ones than the
quota lets through, a row that is never done with, a handler's message without its dead letter, a pass beyond `LIMIT_S`,
or a sender that the flood leaves mute for longer than the quota says. (Literature: poison messages, token bucket.)
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "chaos"))

from forgery import TS, alert, put_unchecked  # noqa: E402

from lotus.errors import BeliefError  # noqa: E402
from lotus.modules.envelope import Message  # noqa: E402
from lotus.modules.intents import Intent, Module  # noqa: E402
from lotus_herald.consume import Delivery  # noqa: E402
from lotus_herald.herald import Herald  # noqa: E402
from lotus_herald.keys import Keys  # noqa: E402
from lotus_herald.outbox import send_many  # noqa: E402
from lotus_herald.routes import Routes  # noqa: E402
from lotus_store.config import Settings  # noqa: E402
from lotus_store.databases import Databases  # noqa: E402

QUOTA, QUEUE, A_ROUND, LIMIT_S = 60, 400, 150, 20.0
KINDS = ("plain", "plain", "high", "urgent", "claimed", "forged", "payload", "poison", "refused")
DATED = "UPDATE {0}_outbox SET created_at = %s WHERE dispatched_at IS NULL AND created_at < %s"
FORGED = "UPDATE sig_outbox SET envelope = replace(envelope, '20.5', '99.5') WHERE lifecycle_id LIKE 'forged%'"
ENDS = "SELECT lifecycle_id, outcome FROM dm_inbox"
WAITING = "SELECT count(*) FROM {0} WHERE {1} IS NULL"


def handled(delivery: Delivery) -> str:
    """Apply a message of the campaign, or break as its name says."""
    if delivery.envelope.lifecycle_id.startswith("poison"):
        raise ZeroDivisionError(delivery.envelope.lifecycle_id)
    if delivery.envelope.lifecycle_id.startswith("refused"):
        raise BeliefError("a message of no use", "another")
    return "applied"


class Flood:
    """One campaign on a home's databases; `faults` says what went wrong, `figures` counts what was said and applied."""

    def __init__(self, databases: Databases, folder: Path, seed: int) -> None:
        self.databases, self.keys, self.rng = databases, Keys(folder / "poison-keys"), random.Random(seed)
        self.herald = Herald(
            databases, self.keys, {Module.DM: dict.fromkeys((Intent.WATCHDOG_ALERT, Intent.LESSON_PUBLISHED), handled)},
            lambda: TS, lambda: TS,
        )  # fmt: skip
        self.herald.carrier.routes = replace(Routes(), quota_per_minute=QUOTA, queue=QUEUE)
        self.began = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
        self.said: Counter[str] = Counter()
        self.figures: Counter[str] = Counter()
        self.faults: list[str] = []

    def run(self, rounds: int) -> bool:
        """Flood for some seconds of the senders' clock, let the Herald finish, and look; tell whether all held."""
        with closing(self.herald):
            for second in range(rounds):
                self.say(self.began + timedelta(seconds=second))
                self.pass_once()
            for _ in range(self.herald.carrier.routes.attempts):
                self.pass_once()
            self.look(rounds)
            self.recover(rounds)
        return not self.faults

    def message(self, kind: str) -> Message:
        """Return the next message of a kind."""
        self.said[kind] += 1
        changes: dict[str, object] = {"to": (Module.DM,), "ttl_sec": 0, "priority": self.rng.choice((0, 0, 1))}
        changes |= {"plain": {"priority": 0}, "high": {"priority": 1}, "urgent": {"priority": 2}}.get(kind, {})
        if kind == "claimed":
            changes |= {"priority": 2, "intent": Intent.LESSON_PUBLISHED}
        if kind == "payload":
            changes["payload"] = {"x": self.rng.random()}
        return alert(f"{kind} {self.said[kind]}", **changes)

    def say(self, at: datetime) -> None:
        """Let sig flood, and vis say one message, all of them at a time."""
        with self.databases.connect("sig") as sig:
            put_unchecked(sig, [self.message(self.rng.choice(KINDS)) for _ in range(A_ROUND)], self.keys)
        with self.databases.connect("vis") as vis:
            send_many(vis, Module.VIS, [self.message("vis")], self.keys)
        with self.databases.owner("sig") as sig:
            sig.execute(FORGED)
        for name in ("sig", "vis"):
            with self.databases.owner(name) as owner:
                owner.execute(DATED.format(name), [at, self.began])

    def pass_once(self) -> None:
        """Let the Herald carry and consume once."""
        began = time.monotonic()
        self.herald.turn()
        if (took_s := time.monotonic() - began) > LIMIT_S:
            self.faults.append(f"a pass of {took_s:.0f} s")

    def ends(self) -> dict[str, str | None]:
        """Return what became of the messages that reached dm, by their names."""
        with self.databases.connect("dm") as dm:
            return {str(name): outcome and str(outcome) for name, outcome in dm.execute(ENDS).fetchall()}

    def look(self, rounds: int) -> None:
        """Hold what became of everything against what was said."""
        ends = self.ends()
        applied = Counter(name.split()[0] for name, outcome in ends.items() if outcome == "applied")
        self.figures.update({f"{kind} said": n for kind, n in self.said.items()})
        self.figures.update({f"{kind} applied": n for kind, n in applied.items()})
        for kind in ("claimed", "forged", "payload", "poison", "refused"):
            if applied[kind]:
                self.faults.append(f"{kind}: {applied[kind]} applied")
        for kind in ("urgent", "vis"):
            if applied[kind] != self.said[kind]:
                self.faults.append(f"{kind}: {applied[kind]} of {self.said[kind]} applied")
        allowed = QUOTA * (1 + rounds / 60)
        if not 0 < applied["plain"] <= allowed or not 0 < applied["high"] <= allowed + QUOTA:
            self.faults.append(f"plain {applied['plain']}, high {applied['high']} applied; the quota allows {allowed}")
        with self.databases.connect("dm") as dm:
            letters = dm.execute("SELECT reason, count(*) FROM dm_dead_letter GROUP BY reason").fetchall()
            self._done(dm.execute(WAITING.format("dm_inbox", "consumed_at")).fetchall(), "inbox")
        poisoned = sum(name.startswith("poison") for name in ends)
        self.figures.update({f"dead in dm, {reason}": int(str(n)) for reason, n in letters})
        if self.figures["dead in dm, handler_fault"] != poisoned or not poisoned:
            self.faults.append(f"{poisoned} messages broke their handler, the dead letters are {letters}")
        with self.databases.connect("sig") as sig:
            self._done(sig.execute(WAITING.format("sig_outbox", "dispatched_at")).fetchall(), "outbox")
            for reason, n in sig.execute("SELECT reason, count(*) FROM sig_dead_letter GROUP BY reason").fetchall():
                self.figures[f"dead in sig, {reason}"] = int(str(n))

    def _done(self, found: list[tuple[object, ...]], place: str) -> None:
        if left := int(str(found[0][0])):
            self.faults.append(f"{left} rows of the {place} wait for ever")

    def recover(self, rounds: int) -> None:
        """A minute's quota passes again when the clock has gone a year ahead, and a minute after it was set back."""
        back = timedelta(seconds=rounds + 60)
        for after, least in ((timedelta(days=365), QUOTA), (back, 0), (back + timedelta(seconds=61), QUOTA)):
            with self.databases.connect("sig") as sig:
                send_many(sig, Module.SIG, [self.message("plain") for _ in range(QUOTA)], self.keys)
            with self.databases.owner("sig") as sig:
                sig.execute(DATED.format("sig"), [self.began + after, self.began])
            before = len(self.ends())
            self.pass_once()
            if (passed := len(self.ends()) - before) < least:
                self.faults.append(f"{passed} of {QUOTA} passed {after} after the flood")


def main_of(words: list[str] | None = None) -> int:
    """Run the campaign of the command line and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(words)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lotus-poison-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with closing(Databases(Settings(folder))) as databases:
            flood = Flood(databases.open(), folder, asked.seed)
            flood.run(asked.rounds)
    for what, count in sorted(flood.figures.items()):
        print(f"{what:<28} {count:>8}")
    for fault in flood.faults[:20]:
        print(fault)
    print(f"{time.monotonic() - began:.0f} s: {'FAILED' if flood.faults else 'held'}")
    return int(bool(flood.faults))


if __name__ == "__main__":
    sys.exit(main_of())
